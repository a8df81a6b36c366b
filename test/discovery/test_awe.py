# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AWE marks where a path bends, a tool turns or a gripper moves."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.awe import METHOD, changes
from m2r2_ros.discovery.method import Detector, Setting
from test.discovery.test_features import in_chunks, made, steps
from test.discovery.test_waypoints import turned

SETTING = Setting(declared(('pose', 'gripper')), 10.0)


def poses() -> NDArray[np.float64]:
    """Return two legs with a corner at 40, then a turn in place from 80 on."""
    t = np.arange(120)
    x, y = np.clip(t, 0, 40) / 100, np.clip(t - 40, 0, 40) / 100
    turns = turned(np.clip(t - 80, 0, None)[:, None] * [0, 0, 0.03])
    return np.concatenate([np.stack([x, y, 0 * x], 1), turns[:, :, 0], turns[:, :, 1]], axis=1)


def recording() -> FrameWindows:
    """Return a gripper that closes at 20 and opens at 60, and the poses."""
    t = np.arange(120)
    width = np.where((t >= 20) & (t < 60), 0.01, 0.05)
    return made({'pose': poses(), 'gripper': width[:, None]})


def detector(**options: object) -> Detector:
    found = METHOD.calibrate([[recording()]], SETTING)
    return METHOD.open(replace(found, options={**found.options, **options}), SETTING)


def test_corners_and_changes_of_the_gripper_begin_segments() -> None:
    scores = in_chunks(detector(mode='position', tolerance=0.002), recording(), 1000)
    assert np.flatnonzero(scores).tolist() == [20, 40, 60]
    assert set(scores.tolist()) == {0.0, 1.0}


def test_turns_in_place_are_seen_by_rotation() -> None:
    scores = in_chunks(detector(tolerance=0.05), recording(), 1000)
    found = np.flatnonzero(scores)
    assert {20, 60} <= set(found.tolist())
    assert (np.abs(found - 40) <= 6).any()
    assert (found > 80).any()


@pytest.mark.parametrize('size', [1, 9])
def test_chunks_make_no_difference(size: int) -> None:
    opened = detector()
    assert opened.lag is None
    whole = in_chunks(opened, recording(), 1000)
    assert np.array_equal(in_chunks(opened, recording(), size), whole)


def test_masked_frames_are_where_the_robot_was() -> None:
    windows = recording()
    windows.present[30:36] = False
    windows.sensors['pose'][30:36] = 0
    windows.sensors['gripper'][30:36] = 0
    scores = in_chunks(detector(mode='position', tolerance=0.15), windows, 10)
    assert np.flatnonzero(scores).tolist() == [20, 60]


@pytest.mark.parametrize('n', [0, 1, 2])
@pytest.mark.parametrize('mode', ['position', 'position_rotation'])
def test_short_recordings(n: int, mode: str) -> None:
    assert in_chunks(detector(mode=mode), recording()[:n], 1).tolist() == [0.0] * n


@pytest.mark.parametrize('mode', ['position', 'position_rotation'])
def test_what_is_still_or_all_masked_has_no_waypoint(mode: str) -> None:
    still = made({'pose': poses()[[5] * 50], 'gripper': np.full((50, 1), 0.03)})
    assert not in_chunks(detector(mode=mode), still, 50).any()
    still.present[:] = False
    assert not in_chunks(detector(mode=mode), still, 50).any()


def test_a_gripper_changes_where_it_passes_the_middle_for_good() -> None:
    width = np.array([0, 0.1, 0.52, 0.48, 0.52, 0.9, 1, np.nan, 1, 0.45, 0.55, 0.1, 0])
    assert changes(width, 0.0, 1.0).tolist() == [5, 11]
    assert not changes(np.full(4, np.nan), 0.0, 1.0).size


def test_the_tolerance_grows_with_the_workspace() -> None:
    small = METHOD.calibrate([[recording()]], SETTING).options
    windows = recording()
    windows.sensors['pose'][..., :3] *= 2
    large = METHOD.calibrate([[windows]], SETTING).options
    assert large['tolerance'] == pytest.approx(2 * small['tolerance'])
    assert small['closed'] == pytest.approx([0.01])
    assert small['opened'] == pytest.approx([0.05])


def test_a_gripper_that_never_moves_is_left_out() -> None:
    windows = made({'pose': poses(), 'gripper': 0.03 + 1e-4 * steps(120, 1, [])})
    assert METHOD.calibrate([[windows]], SETTING).options['grippers'] == []


def test_it_says_what_calibration_lacks() -> None:
    without = Setting(declared(('wrench',)), 10.0)
    with pytest.raises(DiscoveryError, match=r'expected a pose .*declared: none'):
        METHOD.calibrate([[made({'wrench': steps(100, 6, [])})]], without)
    with pytest.raises(DiscoveryError, match='at least 20 frames with pose, found 7'):
        METHOD.calibrate([[recording()[:7]]], SETTING)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'tolerence': 1.0}, 'unknown entries'),
        ({'tolerance': 0.0}, 'awe.tolerance: expected more than 0'),
        ({'mode': 'rotation'}, 'awe.mode: expected one of'),
        ({'poses': ['gripper']}, 'awe.poses: expected a list of some of pose'),
        ({'closed': []}, 'awe.closed: expected a number for each gripper'),
    ],
)
def test_it_refuses_options(options: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        detector(**options)
