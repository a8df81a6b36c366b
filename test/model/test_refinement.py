# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pieces between boundaries and their votes, by hand and by plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2r2_ros.model.refinement import pieces_between, vote


@pytest.mark.parametrize(
    ('boundaries', 'pieces'),
    [
        ([0.1, 0.9, 0.2, 0.1, 0.6, 0.1], [0, 1, 1, 1, 2, 2]),
        # Below the threshold a maximum cuts nothing, on it it does.
        ([0.1, 0.4, 0.2, 0.5, 0.1], [0, 0, 0, 1, 1]),
        # Above the threshold a rise or fall cuts nothing, a flat step in it included.
        ([0.6, 0.7, 0.7, 0.8, 0.75, 0.75, 0.6], [0, 0, 0, 1, 1, 1, 1]),
        # A flat top cuts once, at its first frame.
        ([0.0, 1.0, 1.0, 1.0, 0.0], [0, 1, 1, 1, 1]),
        # The ends have one neighbour alone.
        ([0.9, 0.1, 0.9], [0, 0, 0]),
        ([0.9, 0.9, 0.1, 0.9, 0.9], [0, 0, 0, 0, 0]),
        ([0.0, 0.9, 0.0, 0.9, 0.0], [0, 1, 1, 2, 2]),
        ([0.9], [0]),
        ([0.9, 0.1], [0, 0]),
    ],
)
def test_pieces_begin_at_peaks(boundaries: list[float], pieces: list[int]) -> None:
    assert pieces_between(np.array(boundaries, np.float32), 0.5).tolist() == pieces


@given(st.lists(st.integers(0, 9).map(lambda k: k / 9), min_size=1, max_size=40))
def test_pieces_are_those_of_a_plain_loop(values: list[float]) -> None:
    piece, expected = 0, []
    for t, value in enumerate(values):
        later = [x for x in values[t:] if x != value]
        falls = bool(later) and later[0] < value
        if t and values[t - 1] < value and falls and value >= 0.5:
            piece += 1
        expected.append(piece)
    assert pieces_between(np.array(values, np.float32), 0.5).tolist() == expected


def test_the_majority_wins_a_piece_whatever_the_probabilities() -> None:
    rows = [[0.4, 0.3, 0.3], [0.4, 0.3, 0.3], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    found = vote(np.array(rows, np.float32), np.array([0, 0, 0, 1]))
    assert found.argmax(axis=1).tolist() == [0, 0, 0, 2]
    mean = [0.8 / 3, 1.6 / 3, 0.6 / 3]
    expected = [(v + 0.5 * m) / 3.5 for v, m in zip([2, 1, 0], mean, strict=True)]
    assert found[0].tolist() == pytest.approx(expected)
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize('length', [1, 500, 5000])
def test_ties_go_to_the_larger_sum(length: int) -> None:
    rows = np.tile(np.array([[0.6, 0.4], [0.35, 0.65]], np.float32), (length, 1))
    pieces = np.zeros(2 * length, np.int64)
    assert set(vote(rows, pieces).argmax(axis=1).tolist()) == {1}
    assert set(vote(rows[:, ::-1], pieces).argmax(axis=1).tolist()) == {0}


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 60), classes=st.integers(1, 5))
def test_votes_are_those_of_a_plain_loop(seed: int, n: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    begins = rng.uniform(size=n) > 0.8
    begins[0] = False
    pieces = np.cumsum(begins, dtype=np.int64)
    expected = []
    for piece in pieces.tolist():
        frames = [p[t].tolist() for t in range(n) if pieces[t] == piece]
        labels = [row.index(max(row)) for row in frames]
        expected.append(
            max(range(classes), key=lambda c: (labels.count(c), sum(row[c] for row in frames)))
        )
    found = vote(p, pieces)
    assert found.argmax(axis=1).tolist() == expected
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
