# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from test.replay.recordings import robot_bag, tiny_bundle


@pytest.fixture(scope='session')
def robots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings of a few seconds, and one that is none; not to be written to."""
    folder = tmp_path_factory.mktemp('robots')
    for seed, name in enumerate(('first', 'second', 'third')):
        robot_bag(folder / name, 4.0 + seed, seed=seed)
    (folder / 'broken.mcap').write_bytes(b'this is no recording')
    return folder


@pytest.fixture(scope='session')
def bundle(tmp_path_factory: pytest.TempPathFactory, robots: Path) -> Path:
    """A model that tells the actions apart."""
    folder = tmp_path_factory.mktemp('model') / 'bundle'
    tiny_bundle(folder, [robots / 'first', robots / 'second'])
    return folder
