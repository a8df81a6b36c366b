# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Waypoints are as few as an exhaustive search finds, and no sample is further off than allowed."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.discovery.waypoints import quaternions, waypoints

Turns = NDArray[np.float64] | None
NEAR = 1e-6


def turned(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotation matrices of rotation vectors (Rodrigues)."""
    angle = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None, None]
    cross = np.cross(vectors[:, None], np.eye(3)).transpose(0, 2, 1) / angle
    rotations: NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross
    return rotations + (1 - np.cos(angle)) * cross @ cross


def rotation_vector(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation vector of a matrix, whose angle is below pi."""
    skew = (rotation - rotation.T)[[2, 0, 1], [1, 2, 0]] / 2
    sine = float(np.linalg.norm(skew))
    angle = np.arctan2(sine, (np.trace(rotation) - 1) / 2)
    vector: NDArray[np.float64] = skew * (angle / sine if sine > 1e-12 else 1.0)
    return vector


def error(positions: NDArray[np.float64], turns: Turns) -> float:
    """Return the largest error of a segment from the first to the last sample."""
    a, chord = positions[0], positions[-1] - positions[0]
    worst = 0.0
    for k in range(1, len(positions) - 1):
        square = chord @ chord
        share = float(np.clip((positions[k] - a) @ chord / square, 0, 1)) if square > 0 else 0.0
        here = float(np.linalg.norm(positions[k] - a - share * chord))
        if turns is not None:
            passed = k / (len(positions) - 1)
            between = turns[0] @ turned(passed * rotation_vector(turns[0].T @ turns[-1])[None])[0]
            here += float(np.linalg.norm(rotation_vector(between.T @ turns[k])))
        worst = max(worst, here)
    return worst


def fewest(positions: NDArray[np.float64], turns: Turns, tolerance: float) -> int:
    """Return the number of segments by trying all."""
    counts = [0]
    for j in range(1, len(positions)):
        parts = [(i, None if turns is None else turns[i : j + 1]) for i in range(j)]
        fit = [i for i, t in parts if error(positions[i : j + 1], t) <= tolerance]
        counts.append(1 + min(counts[i] for i in fit))
    return counts[-1]


def check(positions: NDArray[np.float64], turns: Turns, tolerance: float) -> None:
    found = waypoints(positions, turns, [], tolerance).tolist()
    assert found == sorted(set(found))
    assert found[-1] == len(positions) - 1
    for i, j in pairwise([0, *found]):
        part = None if turns is None else turns[i : j + 1]
        assert error(positions[i : j + 1], part) <= tolerance * (1 + NEAR) + NEAR
    assert len(found) <= fewest(positions, turns, tolerance * (1 - NEAR) - NEAR)
    assert len(found) >= fewest(positions, turns, tolerance * (1 + NEAR) + NEAR)


def walk(seed: int, n: int, kind: str) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    step = rng.normal(size=(n, 3))
    if kind == 'line':  # there and back, over itself
        step[:, 1:] = 0
    elif kind == 'grid':  # ties
        step = np.round(step)
    elif kind == 'waits':
        step[rng.random(n) < 0.6] = 0
    elif kind == 'smooth':
        step = step.cumsum(axis=0) / 5
    path: NDArray[np.float64] = step.cumsum(axis=0)
    return path


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 30),
    kind=st.sampled_from(['walk', 'line', 'grid', 'waits', 'smooth']),
    tolerance=st.sampled_from([0.3, 1.01, 2.3]),
)
def test_no_search_finds_fewer(seed: int, n: int, kind: str, tolerance: float) -> None:
    check(walk(seed, n, kind), None, tolerance)


@pytest.mark.parametrize('kind', ['walk', 'line', 'waits', 'smooth'])
@pytest.mark.parametrize('spread', [0.2, 2.0])
def test_rotations_count_as_well(kind: str, spread: float) -> None:
    for seed in range(3):
        vectors = spread * walk(seed + 50, 16, 'smooth' if seed else 'walk') / 3
        turns = turned(vectors)
        check(0.3 * walk(seed, 16, kind), turns, 0.5)


@pytest.mark.parametrize('kind', ['walk', 'smooth'])
def test_long_segments_are_searched_as_well(kind: str) -> None:
    check(0.05 * walk(0, 60, kind), None, 0.3)


def test_a_robot_that_comes_back_needs_no_waypoint_beyond() -> None:
    # From 0 to 2, back to 1 and on to 4: no end before the last but one is feasible on the way.
    x = np.array([0, 1, 2, 1.5, 1, 1.5, 2, 3, 4.0])
    positions = np.stack([x, 0 * x, 0 * x], axis=1)
    assert waypoints(positions, None, [], 0.1).tolist() == [8]
    assert waypoints(positions[:5], None, [], 0.1).tolist() in ([2, 4], [3, 4])


@pytest.mark.parametrize(
    ('forced', 'expected'), [([], [9]), ([4], [4, 9]), ([0, 4, 4, 9, 12, -3], [4, 9])]
)
def test_forced_and_last_samples_are_waypoints(
    forced: Sequence[int], expected: Sequence[int]
) -> None:
    line = np.linspace(0, 1, 10)[:, None] * np.ones(3)
    turns = np.broadcast_to(np.eye(3), (10, 3, 3))
    assert waypoints(line, None, forced, 0.01).tolist() == expected
    assert waypoints(line, turns, forced, 0.01).tolist() == expected


@pytest.mark.parametrize('n', [0, 1])
def test_hardly_any_samples(n: int) -> None:
    assert waypoints(np.zeros((n, 3)), None, [], 0.01).tolist() == list(range(n))


def test_a_corner_is_found() -> None:
    leg = np.linspace(0, 1, 51)
    zero = np.zeros(51)
    positions = np.concatenate(
        [np.stack([leg, zero, zero], axis=1), np.stack([zero + 1, leg, zero], axis=1)[1:]]
    )
    assert waypoints(positions, None, [], 1e-3).tolist() == [50, 100]


def test_quaternions_of_every_half_turn() -> None:
    vectors = np.concatenate([np.pi * np.eye(3), np.random.default_rng(0).normal(size=(50, 3)) * 2])
    rotations = turned(vectors)
    w, x, y, z = quaternions(rotations).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    again = np.array(rows).transpose(2, 0, 1)
    np.testing.assert_allclose(again, rotations, atol=1e-12)
