# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Items come in order, one ahead and no more, and errors come in their place."""

import threading
from collections.abc import Iterator

import pytest

from m2r2_ros.core.errors import BagError
from m2r2_ros.replay.ahead import one_ahead


def test_all_items_come_in_order() -> None:
    assert list(one_ahead(range(1000))) == list(range(1000))
    assert list(one_ahead([])) == []
    assert list(one_ahead([None, 0, []])) == [None, 0, []]


def test_the_next_item_is_made_while_the_last_one_is_worked_on() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        made.set()
        yield 1

    for item in one_ahead(items()):
        assert made.wait(20), f'nothing was made while item {item} was worked on'


def test_no_more_than_one_item_waits() -> None:
    begun = 0

    def items() -> Iterator[int]:
        nonlocal begun
        for k in range(100):
            begun += 1
            yield k

    for k in one_ahead(items()):
        assert begun <= k + 2


def test_errors_come_after_the_items_before_them() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        msg = 'corrupt'
        raise BagError(msg)

    found = []
    with pytest.raises(BagError, match='corrupt'):
        for item in one_ahead(items()):
            found.append(item)  # noqa: PERF402 - what came before the error counts
    assert found == [0, 1, 2]


def test_who_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    items = one_ahead(range(1000))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined] # a generator
    assert threading.active_count() == before
