# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.evaluation.edit import edit_score, levenshtein

Spell = Callable[[str], NDArray[np.int64]]

symbols = st.lists(st.integers(0, 3), max_size=12)


def textbook(a: list[int], b: list[int]) -> int:
    """The full table, one cell at a time."""
    table = [[max(i, j) for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            swap = table[i - 1][j - 1] + (x != y)
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, swap)
    return table[-1][-1]


@given(symbols, symbols)
def test_levenshtein_equals_the_textbook(a: list[int], b: list[int]) -> None:
    assert levenshtein(np.array(a, np.int64), np.array(b, np.int64)) == textbook(a, b)


def test_both_empty_is_perfect(ids: Spell) -> None:
    assert edit_score(ids('background9'), ids('background9'), (0,)) == 100


def test_background_is_skipped_but_not_merged_over(ids: Spell) -> None:
    # A, background, A stays two segments of A.
    truth, predicted = ids('A9 background9 A9'), ids('A27')
    assert edit_score(truth, predicted, (0,)) == pytest.approx(50)
    assert edit_score(truth, predicted) == pytest.approx(100 / 3)


def test_a_long_flickering_prediction_is_scored() -> None:
    predicted = np.tile(np.array([1, 2, 3, 2], np.int64), 25_000)
    truth = np.repeat(np.array([1, 2, 3, 2], np.int64), 25_000)
    assert edit_score(truth, predicted) == pytest.approx(100 * 4 / 100_000)
