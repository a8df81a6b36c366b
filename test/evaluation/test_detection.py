# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.detection import one_to_one_counts, published_counts
from m2r2_ros.evaluation.runs import change_points

Spell = Callable[[str], NDArray[np.int64]]

frames = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@given(frames, st.data(), st.integers(0, 12))
def test_equals_the_definition_boundary_by_boundary(
    labels: list[int], data: st.DataObject, t_e: int
) -> None:
    other = data.draw(st.lists(st.integers(0, 2), min_size=len(labels), max_size=len(labels)))
    truth, predicted = np.array(labels), np.array(other)
    found = change_points(predicted).tolist()
    used: set[int] = set()
    seen: set[int] = set()
    fp = fn = 0
    for g in change_points(truth).tolist():
        inside = [p for p in found if abs(p - g) <= t_e]
        seen.update(inside)
        if inside:
            used.add(min(inside, key=lambda p, g=g: abs(p - g)))  # type: ignore[misc]
            fp += len(inside) - 1
        else:
            fn += 1
    expected = Counts(len(used), fp + len(set(found) - seen), fn)
    assert published_counts(truth, predicted, t_e) == expected


def test_one_to_one_forgives_neighbours(ids: Spell) -> None:
    short = ids('A8 B8 A8 B8')
    assert one_to_one_counts(short, short) == Counts(3, 0, 0)
    truth, split = ids('no30 A40 B40 no30'), ids('no30 A10 B4 A26 B40 no30')
    assert one_to_one_counts(truth, split) == Counts(3, 2, 0)


def test_the_window_is_inclusive(ids: Spell) -> None:
    truth = ids('A30 B30')
    assert one_to_one_counts(truth, ids('A40 B20')) == Counts(1, 0, 0)
    assert one_to_one_counts(truth, ids('A41 B19')) == Counts(0, 1, 1)


@given(frames, st.integers(0, 12))
def test_a_perfect_prediction_is_perfect_one_to_one(labels: list[int], t_e: int) -> None:
    truth = np.array(labels)
    assert one_to_one_counts(truth, truth, t_e) == Counts(len(change_points(truth)), 0, 0)
