# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Columns behave as lists do, in bounded memory."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.windows.buffer import ColumnBuffer


def capacity(columns: ColumnBuffer) -> int:
    return max(len(a) for a in columns._arrays.values())


@given(st.lists(st.one_of(st.tuples(st.just('append'), st.integers(0, 300)),
                          st.tuples(st.just('trim'), st.integers(0, 300)),
                          st.tuples(st.just('clear'), st.just(0))), max_size=40))  # fmt: skip
def test_columns_hold_what_a_list_would(steps: list[tuple[str, int]]) -> None:
    columns = ColumnBuffer(a=(np.int64, ()), b=(np.float64, (2,)), c=(object, ()))
    model: list[int] = []
    most = count = 0
    for step, n in steps:
        if step == 'append':
            new = list(range(count, count + n))
            count += n
            model += new
            texts = np.array([str(k) for k in new], object)
            columns.append(
                a=np.array(new, np.int64), b=np.outer(np.array(new, float), [1, 2]), c=texts
            )
        elif step == 'trim':
            n = min(n, len(model))
            del model[:n]
            columns.trim(n)
        else:
            model.clear()
            columns.clear()
        most = max(most, len(model))
        assert len(columns) == len(model)
        assert columns['a'].tolist() == model
        assert columns['b'][:, 1].tolist() == [2.0 * k for k in model]
        assert columns['c'].tolist() == [str(k) for k in model]
        assert capacity(columns) <= max(64, 2 * most)


def test_memory_does_not_grow_with_the_length_of_the_stream() -> None:
    columns = ColumnBuffer(a=(np.int64, ()))
    for k in range(20_000):
        columns.append(a=np.arange(k * 7, k * 7 + 7))
        if len(columns) > 600:
            columns.trim(7)
    assert columns['a'][-1] == 20_000 * 7 - 1
    assert len(columns) <= 607
    assert capacity(columns) <= 2 * 607


def test_growing_moves_each_row_a_few_times_at_most() -> None:
    columns = ColumnBuffer(a=(np.int64, ()))
    arrays = set()
    for k in range(20_000):
        columns.append(a=np.array([k]))
        arrays.add(capacity(columns))
    assert len(arrays) < 12


def test_what_was_trimmed_makes_room() -> None:
    columns = ColumnBuffer(a=(np.int64, ()))
    columns.append(a=np.arange(64))
    columns.trim(60)
    columns.append(a=np.arange(30))
    assert columns['a'].tolist() == [60, 61, 62, 63, *range(30)]
    assert capacity(columns) <= 128
