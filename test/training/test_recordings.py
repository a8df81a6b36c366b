# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.training.recordings import open_labelled
from test.replay.recordings import robot_bag


def test_all_recordings_that_cannot_be_used_are_named_at_once(tmp_path: Path) -> None:
    good = robot_bag(tmp_path / 'good', 5.0, seed=1)
    bad = [tmp_path / f'{name}.mcap' for name in ('one', 'two')]
    for path in bad:
        path.write_text('hello')
    with pytest.raises(M2R2Error, match=r'2 of 3 recordings(.|\n)*one\.mcap(.|\n)*two\.mcap'):
        open_labelled([bad[0], good, bad[1]])
    with pytest.raises(M2R2Error, match=r'^[^\n]*one\.mcap is not an MCAP file[^\n]*$'):
        open_labelled([bad[0], good])
