# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The run of a fleet: who gets what, what is tried again, and what is given up."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from m2r2_ros.fleet.executor import Answer, FleetExecutor
from m2r2_ros.fleet.items import Ended, Item, State

#: Seconds until a recording is looked at again that another run was at.
_BUSY_S: Final = 2.0
#: Seconds between two looks at the progress.
_TICK_S: Final = 0.25


class FleetRun:
    """Items on their way through an executor."""

    def __init__(self, items: Sequence[Item], executor: FleetExecutor, tries: int) -> None:
        """Begin with all items undone.

        Args:
            items: Recordings, in the order in which they are begun.
            executor: What does them.
            tries: How many workers may be lost with a recording until it counts as failed.
        """
        self._executor, self._tries = executor, tries
        self._waiting = deque(items)
        self._busy: deque[tuple[float, Item]] = deque()
        self._lost: Counter[str] = Counter()
        self._given = 0

    def ended(self, tick: Callable[[], None] = lambda: None) -> Iterator[Ended]:
        """Yield what becomes of each item, as soon as it is known.

        Args:
            tick: Called several times a second.

        Raises:
            ConfigError: No worker can do this work at all.
        """
        while self._waiting or self._busy or self._given:
            self._give()
            for answer in self._executor.answers(_TICK_S):
                self._given -= 1
                ended = self._judge(answer)
                if ended is not None:
                    yield ended
            tick()

    def _give(self) -> None:
        while self._busy and self._busy[0][0] <= time.monotonic():
            self._waiting.append(self._busy.popleft()[1])
        while self._waiting and self._executor.room > 0:
            self._executor.give(self._waiting.popleft())
            self._given += 1

    def _judge(self, answer: Answer) -> Ended | None:
        """Return what became of an item; None where it is to be done again."""
        item, ended = answer.item, answer.ended
        tries = self._lost[item.source] + 1
        if ended is None:
            self._lost[item.source] += 1
            if tries >= self._tries:
                error = f'{item.source}: given up after {_times(tries)}: {answer.lost}'
                return Ended(item, State.FAILED, error=error, tries=tries)
            # Behind all others: should it take down whoever works on it, they come first.
            self._waiting.append(item)
            return None
        if ended.state is State.BUSY:
            self._busy.append((time.monotonic() + _BUSY_S, item))
            return None
        return replace(ended, tries=tries)


def _times(tries: int) -> str:
    return f'{tries} tries' if tries > 1 else 'one try'
