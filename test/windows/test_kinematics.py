# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses without jumps, and twists made from them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.kinematics import TwistFromPose, continuous_pose, rotations

T = 1_700_000_000 * SECOND
MS = 1_000_000
AGE = 200 * MS
HALF = np.sqrt(0.5)


def random_poses(n: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(n, 7))


@pytest.mark.parametrize(
    ('quaternion', 'x_axis', 'y_axis'),
    [
        ((0, 0, 0, 1), (1, 0, 0), (0, 1, 0)),
        ((HALF, 0, 0, HALF), (1, 0, 0), (0, 0, 1)),
        ((0, HALF, 0, HALF), (0, 0, -1), (0, 1, 0)),
        ((0, 0, HALF, HALF), (0, 1, 0), (-1, 0, 0)),
        ((0, 0, 2, 0), (-1, 0, 0), (0, -1, 0)),
    ],
)
def test_columns_are_where_the_axes_went(
    quaternion: tuple[float, ...], x_axis: tuple[float, ...], y_axis: tuple[float, ...]
) -> None:
    pose = continuous_pose(np.array([[1.0, 2.0, 3.0, *quaternion]]))
    np.testing.assert_allclose(pose, [[1, 2, 3, *x_axis, *y_axis]], atol=1e-12)


def test_rotations_are_those_of_scipy() -> None:
    spatial = pytest.importorskip('scipy.spatial.transform')
    poses = random_poses(200)
    expected = spatial.Rotation.from_quat(poses[:, 3:]).as_matrix()
    np.testing.assert_allclose(rotations(continuous_pose(poses)), expected, atol=1e-12)


def test_rotations_are_orthonormal_and_right_handed() -> None:
    matrices = rotations(continuous_pose(random_poses(100)))
    identity = np.broadcast_to(np.eye(3), matrices.shape)
    np.testing.assert_allclose(matrices @ matrices.transpose(0, 2, 1), identity, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrices), 1)


def test_the_sign_and_the_length_of_a_quaternion_do_not_matter() -> None:
    poses = random_poses(50)
    for factor in (-1.0, 0.01, -30.0):
        other = poses * np.array([1, 1, 1, *[factor] * 4])
        np.testing.assert_allclose(continuous_pose(other), continuous_pose(poses), atol=1e-12)


def test_a_quaternion_of_zero_is_not_an_orientation() -> None:
    poses = random_poses(3)
    poses[1, 3:] = 0
    finite = np.isfinite(continuous_pose(poses)).all(axis=1)
    assert finite.tolist() == [True, False, True]


def moving(
    seconds: NDArray[np.float64], linear: NDArray[np.float64], axis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Make poses that move at `linear`, m/s, and turn about `axis` at its length, rad/s."""
    speed = np.linalg.norm(axis)
    half = seconds[:, None] * speed / 2
    quaternions = np.column_stack([axis / speed * np.sin(half), np.cos(half)])
    return continuous_pose(np.column_stack([seconds[:, None] * linear, quaternions]))


@given(
    st.lists(st.floats(-2, 2), min_size=3, max_size=3),
    st.lists(st.floats(-6, 6), min_size=3, max_size=3).filter(lambda a: np.linalg.norm(a) > 0.01),
    st.sampled_from([15.0, 60.0, 250.0, 1000.0]),
)
def test_steady_motion_has_its_own_twist(
    linear: list[float], axis: list[float], rate: float
) -> None:
    stamps = T + np.round(np.arange(60) / rate * SECOND).astype(np.int64)
    seconds = np.asarray((stamps - T) * 1e-9, np.float64)
    poses = moving(seconds, np.array(linear), np.array(axis))
    known, twists = TwistFromPose(AGE)(stamps, poses)
    assert known.tolist() == (seconds >= max(1 / rate, 0.02) - 1e-9).tolist()
    expected = np.broadcast_to([*linear, *axis], (int(known.sum()), 6))
    np.testing.assert_allclose(twists[known], expected, atol=1e-5)


def test_a_swing_has_the_twist_of_its_derivative() -> None:
    stamps = T + np.arange(0, 2 * SECOND, 4 * MS)
    seconds = (stamps - T) * 1e-9
    poses = continuous_pose(np.tile([0.0, 0, 0, 0, 0, 0, 1], (len(stamps), 1)))
    poses[:, 2] = 0.1 * np.sin(3 * seconds)
    known, twists = TwistFromPose(AGE)(stamps, poses)
    # The difference over 20 ms is the speed in the middle of them.
    expected = 0.3 * np.cos(3 * (seconds - 0.01))
    np.testing.assert_allclose(twists[known, 2], expected[known], atol=1e-4)
    np.testing.assert_allclose(np.delete(twists, 2, axis=1), 0, atol=1e-9)


def test_flips_of_sign_make_no_twist() -> None:
    poses = np.tile(random_poses(1), (50, 1))
    poses[1::2, 3:] *= -1
    _, twists = TwistFromPose(AGE)(T + np.arange(50) * 5 * MS, continuous_pose(poses))
    np.testing.assert_allclose(twists, 0, atol=1e-9)


def test_there_is_no_twist_across_a_gap() -> None:
    stamps = T + np.concatenate([np.arange(10), 10 + 21 + np.arange(10)]) * 10 * MS
    poses = continuous_pose(random_poses(20))
    known, _ = TwistFromPose(AGE)(stamps, poses)
    # Two poses to look back 20 ms at the start. After 220 ms the newest pose that is 20 ms old is
    # the one before the gap, until the poses after it have aged.
    assert np.flatnonzero(~known).tolist() == [0, 1, 10, 11]


def test_a_gap_of_just_the_greatest_age_is_bridged() -> None:
    stamps = np.array([T, T + AGE])
    known, twists = TwistFromPose(AGE)(stamps, continuous_pose(random_poses(2)))
    assert known.tolist() == [False, True]
    assert np.isfinite(twists).all()


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=80),
    st.lists(st.integers(0, 80), max_size=12),
)
def test_grouping_does_not_change_a_twist(gaps: list[int], cuts: list[int]) -> None:
    stamps = T + np.cumsum(gaps) * MS
    poses = continuous_pose(random_poses(len(stamps)))
    known, twists = TwistFromPose(AGE)(stamps, poses)
    pieces = TwistFromPose(AGE)
    edges = sorted({0, len(stamps), *(c for c in cuts if c < len(stamps))})
    parts = [pieces(stamps[a:b], poses[a:b]) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate([k for k, _ in parts]), known)
    assert np.array_equal(np.concatenate([t for _, t in parts])[known], twists[known])


def test_it_remembers_a_moment_and_no_more() -> None:
    twist = TwistFromPose(AGE)
    for k in range(50):
        twist(T + (k * 100 + np.arange(100)) * MS, continuous_pose(random_poses(100)))
        assert len(twist._stamps) <= 22
    twist.reset()
    known, _ = twist(np.array([T]), continuous_pose(random_poses(1)))
    assert not known.any()


def test_no_poses_give_no_twists() -> None:
    known, twists = TwistFromPose(AGE)(np.empty(0, np.int64), np.empty((0, 9)))
    assert known.shape == (0,)
    assert twists.shape == (0, 6)
