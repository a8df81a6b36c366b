# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make the next item while the last one is worked on."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar('T')


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield items in order, while a thread makes the one after.

    Decompressing and the network both leave Python's lock to others most of the time, so that two
    cores do both at a time. No more than one item waits.

    Args:
        items: Iterated over in the thread alone, whatever it raises is raised in its place.
    """
    iterator = iter(items)

    def take() -> list[T]:
        return list(islice(iterator, 1))

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(take)
        while item := coming.result():
            coming = thread.submit(take)
            yield item[0]
