# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Descriptions: what differs between segments is in them, what is missing does no harm."""

import numpy as np
import pytest

from m2r2_ros.discovery.descriptor import SegmentReference, describe_segment, widths_of
from m2r2_ros.discovery.observations import Observed
from test.discovery.arm import SETTING, Arm

GRIPS = SegmentReference(0.004, (0.0, 0.0, 0.0), 4.0)


def seen(arm: Arm, *without: str) -> Observed:
    return Observed.of(arm.windows(without), SETTING.modalities)


def test_widths_place_and_force_are_in_it() -> None:
    arm = Arm().stroke(1.0).stand(0.5).push(0.5, 20.0).grip(0.012).stroke(1.0, axis=2)
    found = describe_segment(seen(arm), GRIPS)
    first, last, least, _ = found[:4]
    assert first == pytest.approx(0.04, abs=1e-3)
    assert last == pytest.approx(0.012, abs=1e-3)
    assert least == pytest.approx(0.012, abs=1e-3)
    # Where the fingers closed: after the first stroke and the push, before the second stroke.
    place = 1.0 * 0.4 * 2 / np.pi + 0.5 * 0.03
    assert found[4:7] == pytest.approx([place, 0, 0], abs=0.03)
    peak = np.exp(found[7]) - 0.3
    assert peak > 15
    assert np.exp(found[10]) == pytest.approx(len(seen(arm)))


def test_a_part_of_another_size_is_described_otherwise() -> None:
    small = Arm().stroke(1.0).stand(0.5).grip(0.012).stroke(1.0, axis=2)
    large = Arm().stroke(1.0).stand(0.5).grip(0.02).stroke(1.0, axis=2)
    a, b = (describe_segment(seen(arm), GRIPS) for arm in (small, large))
    assert np.abs(a - b)[1] > 0.007


def test_what_is_held_counts_more_than_where_it_is_moved() -> None:
    widths = widths_of(seen(Arm().stand(1.0)), GRIPS)
    assert widths[:4].min() > widths[4:].max()


def test_without_a_gripper_the_way_counts() -> None:
    plain = SegmentReference(0.0, (0.0, 0.0, 0.0), 4.0)
    one, two = (describe_segment(seen(Arm().stroke(1.0, axis=k), 'gripper'), plain) for k in (0, 1))
    assert len(one) == len(widths_of(seen(Arm().stand(1.0), 'gripper'), plain))
    assert not np.allclose(one[np.isfinite(one)], two[np.isfinite(two)], atol=0.05)


@pytest.mark.parametrize('without', [(), ('wrench',), ('pose',), ('gripper',), ('twist',)])
@pytest.mark.parametrize('frames', [1, 2, 5, 13])
def test_any_length_with_any_sensor_missing(without: tuple[str, ...], frames: int) -> None:
    part = seen(Arm().stroke(2.0).grip(0.012), *without)[:frames]
    found = describe_segment(part, GRIPS)
    assert found.shape == widths_of(part, GRIPS).shape
    missing = {'wrench': [7, 8, 9], 'pose': [4, 5, 6], 'gripper': [0, 1, 2, 3]}
    gone = [k for name in without for k in missing.get(name, [])]
    assert np.isnan(found[gone]).all()
    assert np.isfinite(np.delete(found, gone)).all()
