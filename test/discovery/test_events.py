# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events: boundaries where skills end, thresholds out of the data, any sensor missing."""

from collections.abc import Collection
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery import events
from m2r2_ros.discovery.event_rule import CONTACT, DEPART, GRIP, STROKE
from m2r2_ros.discovery.events import METHOD
from m2r2_ros.discovery.method import Calibration
from test.discovery.arm import SETTING, Arm, worker


def begins(windows: FrameWindows, calibration: Calibration) -> list[float]:
    """Return where segments begin, seconds from the start of the recording."""
    detector = METHOD.open(calibration, SETTING)
    scores = np.concatenate([detector.extend(windows), detector.finish()])
    assert len(scores) == len(windows)
    found: list[float] = ((windows.stamps[scores > 0] - windows.starts[0]) * 1e-9).tolist()
    return found


def calibrated(windows: FrameWindows) -> Calibration:
    return METHOD.calibrate([[windows]], SETTING)


def test_skills_end_after_the_arm_departs() -> None:
    arm = worker()
    windows = arm.windows()
    calibration = calibrated(windows)
    assert calibration.options['cut'] == DEPART
    found = begins(windows, calibration)
    wanted = [mark for mark in arm.marks if mark < arm.seconds - 0.2]
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, atol=0.21)


def test_fingers_that_move_at_a_boundary_belong_to_it() -> None:
    """Fingers that open for the next part as the arm leaves are no grip of their own."""
    calibration = calibrated(worker().windows())
    plain = Arm().rest().pick().place().stand(0.4).pick().place().rest()
    shaped = Arm().rest().pick().place().stand(0.2).grip(0.03, 0.2).pick().place().rest()
    assert len(begins(shaped.windows(), calibration)) == len(begins(plain.windows(), calibration))


def test_force_at_rest_is_told_by_an_arm_that_also_moves_fast_while_it_pushes() -> None:
    windows = Arm().stroke(8.0).windows(['gripper'])
    pushing = windows.sensors['wrench'].copy()
    pushing[36:, :, 2] += 25.0
    pushed = replace(windows, sensors={**windows.sensors, 'wrench': pushing})
    options = calibrated(pushed).options
    assert abs(options['free_force'][2]) < 1
    assert options['free_range'] < 5


def test_a_push_that_fails_ends_with_the_departure() -> None:
    arm = Arm().rest().pick().stroke().push(1.0).stroke(0.6, axis=2).mark().place().rest()
    found = begins(arm.windows(), calibrated(worker().windows()))
    assert any(abs(t - arm.marks[2]) < 0.21 for t in found)


def test_a_pause_is_a_segment_only_where_nothing_is_touched() -> None:
    calibration = calibrated(worker().windows())
    idle = Arm().rest().pick().stand(2.0).mark().place().rest()
    pressed = Arm().rest().pick().stroke().stand(2.0, force=20.0).place().rest()
    ends = idle.marks[1], idle.marks[2]
    assert all(
        any(abs(t - end) < 0.25 for t in begins(idle.windows(), calibration)) for end in ends
    )
    inside = pressed.marks[1] + 1.2, pressed.marks[1] + 3.2
    found = begins(pressed.windows(), calibration)
    assert not any(inside[0] < t < inside[1] for t in found)


def test_of_an_arm_in_touch_blows_of_contact_begin_segments() -> None:
    arm = Arm().stroke(4.0)
    for _ in range(3):
        arm.mark().push(0.3, 30.0).stand(2.0, force=10.0)
    windows = arm.windows(without=['gripper'])
    calibration = calibrated(windows)
    assert calibration.options['cut'] == CONTACT
    found = begins(windows, calibration)
    assert all(any(abs(t - mark) < 0.31 for t in found) for mark in arm.marks)
    assert len(found) <= len(arm.marks) + 1


def test_an_arm_without_gripper_departs_from_what_it_touched() -> None:
    arm = Arm().rest()
    for _ in range(4):
        arm.stroke(1.5).stroke(1.0, axis=2).push(0.6).stroke(0.8, axis=2).mark()
    windows = arm.windows(without=['gripper'])
    calibration = calibrated(windows)
    assert calibration.options['cut'] == DEPART
    np.testing.assert_allclose(begins(windows, calibration), arm.marks[:-1], atol=0.21)


def test_of_a_gripper_alone_its_moves_begin_segments() -> None:
    arm = Arm()
    for width in (0.01, 0.04, 0.02):
        arm.stand(1.0).mark().grip(width)
    windows = arm.stand(1.0).windows(without=['wrench', 'pose', 'twist'])
    calibration = calibrated(windows)
    assert calibration.options['cut'] == GRIP
    np.testing.assert_allclose(begins(windows, calibration), arm.marks, atol=0.21)


def test_without_gripper_and_wrench_strokes_are_segments() -> None:
    arm = Arm()
    for _ in range(5):
        arm.stroke(1.0).mark()
    windows = arm.windows(without=['gripper', 'wrench'])
    calibration = calibrated(windows)
    assert calibration.options['cut'] == STROKE
    np.testing.assert_allclose(begins(windows, calibration), arm.marks[:-1], atol=0.21)


@pytest.mark.parametrize('sizes', [[1] * 400, [7] * 60, [50, 1, 200, 3]])
def test_the_way_windows_come_in_changes_nothing(sizes: list[int]) -> None:
    windows = worker().windows()
    calibration = calibrated(windows)
    whole, detector = begins(windows, calibration), METHOD.open(calibration, SETTING)
    scores, first = [], 0
    for size in [*sizes, len(windows)]:
        part = windows[first : first + size]
        scores.append(detector.extend(part))
        first += len(part)
        known = sum(map(len, scores))
        assert known == max(0, first - detector.lag)
    scores.append(detector.finish())
    found = np.concatenate(scores) > 0
    assert ((windows.stamps[found] - windows.starts[0]) * 1e-9).tolist() == whole


@pytest.mark.parametrize('without', [c for n in (1, 2, 3) for c in combinations(SENSORS, n)])
def test_masked_sensors_are_done_without(without: Collection[str]) -> None:
    """Calibrated with all sensors, it segments with those that are left."""
    arm = worker()
    found = begins(arm.windows(without), calibrated(arm.windows()))
    assert len(found) <= 2 * len(arm.marks)
    if set(without) <= {'wrench', 'pose'}:
        assert len(found) >= len(arm.marks) - 2


def test_a_sensor_that_dies_for_a_while_makes_no_boundary() -> None:
    windows = worker().windows()
    calibration = calibrated(windows)
    present = windows.present.copy()
    present[30:40, 3] = False  # the gripper, while the arm is on its way
    values = windows.sensors['gripper'].copy()
    values[30:40] = 0
    dying = replace(windows, present=present, sensors={**windows.sensors, 'gripper': values})
    assert begins(dying, calibration) == begins(windows, calibration)


def test_streams_that_show_nothing_are_refused() -> None:
    arm = worker()
    with pytest.raises(DiscoveryError, match='no arm moves'):
        METHOD.calibrate([[arm.windows(SENSORS)]], SETTING)
    with pytest.raises(DiscoveryError, match='no arm moves'):
        METHOD.calibrate([[Arm().stand(5.0).windows(['wrench'])]], SETTING)
    with pytest.raises(DiscoveryError, match=r'1 frames .* expected at least 20'):
        METHOD.calibrate([[arm.windows()[:1]]], SETTING)
    with pytest.raises(DiscoveryError, match='0 frames'):
        METHOD.calibrate([], SETTING)


def test_options_are_checked() -> None:
    good = calibrated(worker().windows()).options
    for bad, said in (
        ({'fast': -1.0}, 'fast'),
        ({'cut': 'nothing'}, 'cut'),
        ({'free_force': ['x']}, 'free_force'),
        ({'speed': 1.0}, 'unknown entries speed'),
    ):
        with pytest.raises(ConfigError, match=said):
            METHOD.open(Calibration({**good, **bad}), SETTING)


def test_many_frames_are_looked_at_in_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = worker().windows()
    whole = calibrated(windows).options
    monkeypatch.setattr(events, 'MOST', 100)
    few = METHOD.calibrate([[windows[k : k + 10] for k in range(0, len(windows), 10)]], SETTING)
    assert few.options['cut'] == whole['cut']
    assert few.options['fast'] == pytest.approx(whole['fast'], rel=0.3)
