# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations: of any robot, whatever it senses itself with; NaN where it does not."""

from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.modalities import BUILTIN, Modality, declared
from m2r2_ros.discovery.observations import LEVER, Observed
from test.discovery.arm import SETTING, Arm


def test_speed_force_and_width_in_their_units() -> None:
    arm = Arm().stroke(2.0, peak=0.4).stand(1.0, force=5.0).grip(0.01, 0.5)
    seen = Observed.of(arm.windows(), SETTING.modalities)
    assert seen.speed[:20].max() == pytest.approx(0.4, abs=0.01)
    assert seen.slowest[0] == pytest.approx(0, abs=0.01)
    assert seen.force[25, 2] == pytest.approx(5.0, abs=0.1)
    assert seen.gripper[-1, 0] == pytest.approx(0.01, abs=0.003)
    assert seen.activity[10] < 0.3 / LEVER
    assert seen.position.shape == (len(seen), 3)


def test_rotation_and_torque_count_by_the_lever() -> None:
    windows = Arm().stand(2.0).windows()
    twist, wrench = (windows.sensors[n].copy() for n in ('twist', 'wrench'))
    twist[:, :, 3] = 1.0
    wrench[:, ::2, 4] = 2.0
    turned = replace(windows, sensors={**windows.sensors, 'twist': twist, 'wrench': wrench})
    seen = Observed.of(turned, SETTING.modalities)
    np.testing.assert_allclose(seen.speed, LEVER)
    assert (np.abs(seen.activity - 2.0 / LEVER) < 0.5 / LEVER).all()


@pytest.mark.parametrize(
    ('masked', 'gone'),
    [
        (['wrench'], ('force', 'activity')),
        (['pose'], ('position',)),
        (['twist'], ()),  # the pose shows the speed
        (['twist', 'pose'], ('speed', 'slowest', 'position')),
        (['gripper'], ('gripper',)),
    ],
)
def test_what_is_masked_is_nan_and_nothing_else(masked: list[str], gone: tuple[str, ...]) -> None:
    seen = Observed.of(Arm().stroke(2.0).windows(masked), SETTING.modalities)
    for column in Observed.__slots__:
        values = getattr(seen, column)
        assert np.isnan(values).all() if column in gone else np.isfinite(values).all()


def test_a_robot_that_tells_joints_alone_moves_too() -> None:
    joints = replace(BUILTIN['joints'], dims=2)
    modalities = {'joints': joints}
    windows = Arm().stroke(2.0).stand(1.0).windows()
    angles = windows.sensors['pose'][..., :2]
    only = replace(
        windows,
        sensors={'joints': angles},
        present=np.ones((len(windows), 1), np.bool_),
        modalities=modalities,
    )
    seen = Observed.of(only, modalities)
    plain = Observed.of(windows, SETTING.modalities)
    np.testing.assert_allclose(seen.speed, plain.speed, atol=0.02)
    assert seen.position.shape == (len(windows), 2)
    assert seen.gripper.shape == (len(windows), 0)


def test_poses_show_the_speed_where_no_twist_does() -> None:
    arm = Arm().stroke(2.0).stand(1.0)
    with_twist, without = (Observed.of(arm.windows(w), SETTING.modalities) for w in ([], ['twist']))
    np.testing.assert_allclose(without.speed, with_twist.speed, atol=0.02)


def test_two_arms_are_as_fast_as_the_faster_one() -> None:
    modalities = {**declared(['twist']), 'left_twist': Modality('left_twist', 'vector', 'twist', 6)}
    slow, fast = (Arm().stroke(2.0, peak=p).windows() for p in (0.1, 0.4))
    both = replace(
        slow,
        sensors={'twist': slow.sensors['twist'], 'left_twist': fast.sensors['twist']},
        present=np.ones((len(slow), 2), np.bool_),
        modalities=modalities,
    )
    seen = Observed.of(both, modalities)
    np.testing.assert_allclose(seen.speed, Observed.of(fast, SETTING.modalities).speed)
