# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from m2r2_ros.network.bundle import Bundle
from m2r2_ros.segmenters import Model
from m2r2_ros.training.segmenter import segmenter_of
from test.replay.recordings import robot_bag, tiny_bundle


@pytest.fixture(scope='session')
def trained(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A network that tells the actions apart."""
    folder = tmp_path_factory.mktemp('replay')
    return tiny_bundle(folder / 'bundle', [robot_bag(folder / 'robot', 10.0, seed=1)])


@pytest.fixture
def model(trained: Bundle) -> Model:
    """A segmenter of the network, as labelling takes it."""
    return Model(segmenter_of(trained), trained.windows, trained.model.modalities, id=trained.id)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where labels go."""
    return tmp_path / 'out'
