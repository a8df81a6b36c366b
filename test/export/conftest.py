# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from m2r2_ros.export.labelled import Labelled, labelled_recordings
from test.export.workshop import workshop


@pytest.fixture(scope='session')
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with a camera and labels; to be read, not to be changed."""
    return workshop(tmp_path_factory.mktemp('shop') / 'work shop ü')


@pytest.fixture(scope='session')
def labelled(shop: Path) -> Labelled:
    """The same recording and its labels."""
    return labelled_recordings([shop])[0]
