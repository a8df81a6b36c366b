# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heuristic primitives: each rule names what it is for, and nothing for long enough to be seen."""

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.discovery.method import Calibration
from m2r2_ros.discovery.primitives import (
    METHOD,
    PRIMITIVES,
    TOLD,
    PrimitiveRules,
    read_primitive_options,
)
from test.discovery.arm import SETTING, Arm, worker

CALIBRATION = METHOD.calibrate([[worker().windows()]], SETTING)


def names(arm: Arm, *without: str) -> list[str]:
    """Return the primitives in order, each once in a row."""
    rules = PrimitiveRules(read_primitive_options(CALIBRATION.options), SETTING)
    found = [name for name, _ in rules.extend(arm.windows(without))]
    return [n for k, n in enumerate(found) if n and (k == 0 or n != found[k - 1])]


def test_there_are_22_of_which_some_can_be_told() -> None:
    assert len(set(PRIMITIVES)) == 22
    assert set(TOLD) < set(PRIMITIVES)


def test_a_pick_is_reaching_grasping_and_lifting() -> None:
    assert names(Arm().stroke(1.5).stand(0.5).grip(0.012, 0.6).stroke(1.5, axis=2)) == [
        'reach', 'grasp', 'lift',
    ]  # fmt: skip


def test_what_is_held_is_pushed_in_and_let_go() -> None:
    held = Arm().grip(0.012, 0.6)
    # The arm moves along x, and is pushed along z: it slides over what it touches.
    assert names(held.stroke(1.0).push(1.0, 20.0).grip(0.04, 0.6)) == [
        'grasp', 'reach', 'wipe', 'open',
    ]  # fmt: skip


def test_a_hand_that_stands_holds_or_presses() -> None:
    assert names(Arm().grip(0.012, 0.6).stand(2.0)) == ['grasp', 'wrap']
    assert names(Arm().stroke(1.0).stand(2.0, force=20.0)) == ['reach', 'press']


def test_what_a_masked_sensor_would_tell_is_not_said() -> None:
    arm = Arm().stroke(1.5).stand(0.5).grip(0.012, 0.6).stroke(1.5, axis=2).stand(2.0, force=20.0)
    assert 'grasp' not in names(arm, 'gripper')
    assert not {'press', 'squeeze', 'insert'}.intersection(names(arm, 'wrench'))
    assert names(arm, *SENSORS) == []


@pytest.mark.parametrize('size', [1, 9, 50])
def test_pieces_change_nothing(size: int) -> None:
    windows = worker().windows()
    detector = METHOD.open(CALIBRATION, SETTING)
    whole = np.concatenate([detector.extend(windows), detector.finish()])
    assert len(whole) == len(windows)
    assert (whole > 0).sum() > 10
    parts = [detector.extend(windows[k : k + size]) for k in range(0, len(windows), size)]
    np.testing.assert_array_equal(np.concatenate([*parts, detector.finish()]), whole)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DiscoveryError, match='no arm moves'):
        METHOD.calibrate([[Arm().stand(5.0).windows(['wrench'])]], SETTING)
    with pytest.raises(ConfigError, match='unknown entries nothing'):
        METHOD.open(Calibration({**CALIBRATION.options, 'nothing': 1.0}), SETTING)
    with pytest.raises(ConfigError, match='free_force'):
        METHOD.open(Calibration({**CALIBRATION.options, 'free_force': ['a']}), SETTING)
