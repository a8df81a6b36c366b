# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who does the work: workers on this machine or on many, behind one protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from m2r2_ros.fleet.items import Ended, Item


@dataclass(frozen=True, slots=True)
class Answer:
    """What an executor says of an item that was given to it.

    Attributes:
        item: The item.
        ended: What the worker says; None where it was lost.
        lost: How it was lost, as part of a sentence about it; '' where it was not.
    """

    item: Item
    ended: Ended | None = None
    lost: str = ''


class FleetExecutor(Protocol):
    """Workers that do items, in any order; it is closed as a context manager.

    Each item that is given comes back as one answer. Whether it is tried again is not its
    business.
    """

    @property
    def workers(self) -> int:
        """How many workers there are at this moment."""
        ...  # pragma: no cover

    @property
    def room(self) -> int:
        """How many more items it wants at this moment."""
        ...  # pragma: no cover

    def give(self, item: Item) -> None:
        """Give it an item."""
        ...  # pragma: no cover

    def answers(self, seconds: float) -> Sequence[Answer]:
        """Return what has come back, waiting for the first of it at most so many seconds.

        Raises:
            ConfigError: No worker can do this work at all.
        """
        ...  # pragma: no cover

    def __enter__(self) -> 'FleetExecutor': ...

    def __exit__(self, *_: object) -> None:
        """Stop the workers; what they have begun is given up."""
        ...  # pragma: no cover
