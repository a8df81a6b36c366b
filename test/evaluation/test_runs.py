# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.evaluation.runs import change_points, held, runs_of

Spell = Callable[[str], NDArray[np.int64]]


def test_runs(ids: Spell) -> None:
    runs = runs_of(ids('A3 background2 B1'), (0,))
    assert runs.starts.tolist() == [0, 5]
    assert runs.ends.tolist() == [3, 6]
    assert runs.ids.tolist() == [2, 3]


def test_empty() -> None:
    assert len(runs_of(np.zeros(0, np.int64))) == 0


@given(st.lists(st.integers(0, 2), min_size=1, max_size=50))
def test_runs_spell_out_the_sequence(labels: list[int]) -> None:
    runs = runs_of(np.array(labels, np.int64))
    assert np.repeat(runs.ids, runs.ends - runs.starts).tolist() == labels
    assert runs.starts[1:].tolist() == change_points(np.array(labels)).tolist()


def test_unknown_frames_hold_the_label_before(ids: Spell) -> None:
    unknown = 4  # C
    assert held(ids('C2 A2 C3 A1 C1 B2 C1'), unknown).tolist() == ids('A8 A1 B3').tolist()
    assert held(ids('A2 B1'), unknown).tolist() == ids('A2 B1').tolist()
    assert change_points(held(ids('C3'), unknown)).tolist() == []
    assert held(ids('C0'), unknown).tolist() == []
