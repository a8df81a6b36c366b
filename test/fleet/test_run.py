# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import time
from collections.abc import Sequence

from m2r2_ros.fleet.counts import FleetCounts
from m2r2_ros.fleet.executor import Answer
from m2r2_ros.fleet.items import Ended, Item, State
from m2r2_ros.fleet.run import FleetRun
from test.fleet.jobs import items_of, states


class Here:
    """An executor without workers: what becomes of an item is in a table, try by try."""

    workers = 1

    def __init__(self, fates: dict[str, list[State | None]], room: int = 2) -> None:
        self.fates, self.most = fates, room
        self.given: list[str] = []
        self.now: list[Item] = []

    @property
    def room(self) -> int:
        return self.most - len(self.now)

    def give(self, item: Item) -> None:
        assert self.room > 0
        self.given.append(item.name)
        self.now.append(item)

    def answers(self, seconds: float) -> Sequence[Answer]:
        if not self.now:
            time.sleep(seconds)
            return []
        item = self.now.pop(0)
        fate = self.fates.get(item.name, [State.DONE])
        state = fate.pop(0) if len(fate) > 1 else fate[0]
        return [Answer(item, lost='the machine was lost') if state is None else _ended(item, state)]

    def __enter__(self) -> 'Here':
        return self

    def __exit__(self, *_: object) -> None:
        return


def _ended(item: Item, state: State) -> Answer:
    return Answer(item, Ended(item, state, recorded_s=3600.0 if state is State.DONE else 0.0))


def test_what_was_lost_is_done_again_after_all_others() -> None:
    executor = Here({'a': [None, State.DONE]})
    ended = list(FleetRun(items_of('abcd'), executor, tries=3).ended())
    assert executor.given == ['a', 'b', 'c', 'd', 'a']
    assert [(one.item.name, one.tries) for one in ended][-1] == ('a', 2)
    assert states(ended) == dict.fromkeys('abcd', 'done')


def test_what_is_lost_again_and_again_is_given_up() -> None:
    executor = Here({'a': [None]})
    ended = list(FleetRun(items_of('ab'), executor, tries=3).ended())
    assert states(ended) == {'a': 'failed', 'b': 'done'}
    (failed,) = (one for one in ended if one.state is State.FAILED)
    assert failed.error == '/recordings/a: given up after 3 tries: the machine was lost'
    assert executor.given.count('a') == 3


def test_what_another_run_is_at_is_waited_for() -> None:
    executor = Here({'a': [State.BUSY, State.KEPT]})
    ticks = []
    run = FleetRun(items_of('ab'), executor, tries=1)
    assert states(run.ended(lambda: ticks.append(1))) == {'a': 'kept', 'b': 'done'}
    assert executor.given == ['a', 'b', 'a']
    assert len(ticks) < 30  # it was not asked for all the time


def test_counts_tell_pace_and_what_is_left() -> None:
    counts = FleetCounts(4, began=time.monotonic() - 1800.0)
    assert str(counts) == '0 done, 0 failed, 4 left'
    for item, state in zip(items_of('abc'), (State.DONE, State.FAILED, State.KEPT), strict=True):
        answer = _ended(item, state).ended
        assert answer is not None
        counts.add(answer)
    assert str(counts) == (
        '1 done, 1 failed, 1 kept, 1 left; 2 h of recording an hour; about 10 min to go'
    )
