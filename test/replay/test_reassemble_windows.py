# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of REASSEMBLE files: the same as from a bag, and masked where data are bad."""

from pathlib import Path

import numpy as np

from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.reassemble.importer import import_reassemble
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.modalities import BUILTIN, MODALITIES
from m2r2_ros.core.share import share_path
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.topic_map import load_topics
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.windows.config import WindowConfig
from test.bags.reassemble.files import Shape, write_file

SHAPE = Shape(seconds=4.0, size=(16, 16))


def windows(path: Path) -> FrameWindows:
    given = load_topics(share_path('config', 'reassemble', 'topics.yaml'))
    stream = WindowStream(open_recording(path), WindowConfig(), MODALITIES, given)
    assert not stream.absent
    assert not stream.derived
    return FrameWindows.join(list(stream))


def test_windows_of_a_file_are_those_of_its_bag(tmp_path: Path) -> None:
    path = write_file(tmp_path / 'whole.h5', SHAPE)
    import_reassemble(path, tmp_path / 'bag')
    direct, bag = windows(path), windows(tmp_path / 'bag')
    assert len(direct) > 30
    # All but the first windows, before which sound and pictures have not begun, are complete.
    assert direct.present[2:-3].all()
    assert np.array_equal(direct.stamps, bag.stamps)
    assert np.array_equal(direct.present, bag.present)
    for name, rows in direct.sensors.items():
        assert np.array_equal(rows, bag.sensors[name])
    assert np.array_equal(direct.sounds['sound'], bag.sounds['sound'])


def test_bad_force_and_torque_are_masked_from_the_last_action_on(tmp_path: Path) -> None:
    path = write_file(tmp_path / '2025-01-11-14-45-48.h5', SHAPE)
    found = windows(path)
    bad = read_truth(path).segments[2].start
    wrench = found.has('wrench')
    assert wrench[(found.stamps < bad)][2:].all()
    late = found.stamps > bad + round((BUILTIN['wrench'].max_age + 0.1) * 1e9)
    assert late.sum() > 10
    assert not wrench[late].any()
    assert found.has('pose')[late][:-3].all()
