# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Suggestions without flicker."""

from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.pages.tidy import shortest, tidied

RATE, SECOND = 10, 10**9


def track(ids: list[int], probabilities: NDArray[np.float32] | None = None) -> LabelTrack:
    """Return a track of three labels; by default its own label has 0.8 in each frame."""
    n, names = len(ids), ('a', 'b', 'c')
    if probabilities is None:
        probabilities = np.full((n, 3), 0.1, np.float32)
        for row, k in enumerate(ids):
            probabilities[row] = 0.1 if k >= 0 else 0.0
            probabilities[row, max(k, 0)] = 0.8 if k >= 0 else 0.0
    zeros = np.zeros(n, np.float32)
    return LabelTrack(
        'r',
        np.arange(n) * (SECOND // RATE),
        np.array(ids),
        [names[k] if k >= 0 else 'unknown' for k in ids],
        zeros + np.float32(0.8),
        probabilities,
        zeros,
        np.zeros(n, np.int64),
        zeros,
        np.zeros(n, np.uint32),
        'm',
        LabelSet.of(names),
        reasons=['' if k >= 0 else 'unsure' for k in ids],
    )


def runs(found: LabelTrack) -> list[tuple[int, int]]:
    return [(k, len(list(group))) for k, group in groupby(found.label_ids.tolist())]


def test_a_short_run_goes_to_the_likelier_neighbour() -> None:
    ids = [0] * 20 + [1] * 3 + [2] * 20
    p = np.full((43, 3), 0.1, np.float32)
    p[20:23] = (0.1, 0.5, 0.4)
    found = tidied(track(ids, p), 1.0)
    assert runs(found) == [(0, 20), (2, 23)]
    assert found.labels[21] == 'c'
    assert found.confidences[21] == pytest.approx(0.4)
    assert found.confidences[5] == pytest.approx(0.8)


def test_flicker_between_two_labels_becomes_one_segment() -> None:
    ids = [0] * 20 + [1, 0] * 5 + [0] * 20
    assert runs(tidied(track(ids), 1.0)) == [(0, 50)]


def test_nothing_shorter_is_left_and_nothing_longer_is_moved() -> None:
    rng = np.random.default_rng(0)
    ids: list[int] = []
    while len(ids) < 3000:
        ids += [int(rng.integers(-1, 3))] * int(rng.choice([1, 2, 3, 40]))
    found = tidied(track(ids), 1.0)
    assert min(length for _, length in runs(found)) >= 10
    long = [(k, length) for k, length in runs(track(ids)) if length >= 20]
    assert sum(length for _, length in long) <= sum(
        int(a == b) for a, b in zip(ids, found.label_ids.tolist(), strict=True)
    )


def test_unknown_that_is_long_stays_and_has_its_reason() -> None:
    found = tidied(track([0] * 20 + [-1] * 20 + [1] * 2 + [-1] * 10), 1.0)
    assert runs(found) == [(0, 20), (-1, 32)]
    assert found.reasons[25] == 'unsure'


@pytest.mark.parametrize('ids', [[0], [0, 1], [-1] * 5, []])
def test_the_last_run_stays_however_short(ids: list[int]) -> None:
    found = tidied(track(ids), 5.0)
    assert len(runs(found)) <= 1 or len(ids) < 2


def test_without_a_least_length_all_stays() -> None:
    one = track([0, 1, 0, 1])
    assert tidied(one, 0.0) is one


def test_the_shortest_is_half_as_long_as_most_segments() -> None:
    made = [Segment(0, (k + 1) * SECOND, 'a') for k in range(21)]
    assert shortest(made) == pytest.approx(1.0)
    assert shortest([]) == 0.0
