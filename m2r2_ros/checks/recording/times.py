# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of times: gaps, losses, order, and what stamps say against log times."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.baseline import Baseline, TopicBaseline
from m2r2_ros.checks.recording.options import TimeOptions
from m2r2_ros.checks.recording.passing import Pass, stamp_places
from m2r2_ros.checks.recording.rates import Rated, gaps, losses, missing
from m2r2_ros.checks.recording.readings import Readings, is_commanded
from m2r2_ros.checks.recording.skew import skews
from m2r2_ros.checks.recording.topic_times import TimeGrid, TopicTimes
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.core.samples import Samples, SoundSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.guessing import MODALITY_TYPES, never_guessed

GAP: Final = 'time.gap'
LOSS: Final = 'time.loss'
ORDER: Final = 'time.order'
SKEW: Final = 'time.header_skew'
#: What no clock goes wrong by, but that of a simulation that takes longer than what it simulates.
_PACE: Final = 0.03
#: Packages of types that hold what nodes tell of themselves.
_LOGS: Final = ('rcl_interfaces/', 'diagnostic_msgs/')


class TimesObserver(Observer):
    """Keeps the times of all topics."""

    checks = (GAP, LOSS, ORDER, SKEW)

    def __init__(
        self,
        recording: Recording,
        readings: Readings,
        options: TimeOptions,
        *,
        wanted: Collection[str],
        baseline: Baseline | None,
        outcome: Pass,
    ) -> None:
        """Begin.

        Args:
            recording: What is read.
            readings: Its sensors.
            options: Thresholds.
            wanted: Ids of checks; others of this observer give no results.
            baseline: What a good recording is like, if one was given.
            outcome: What could not be read, known once all was.
        """
        self._recording, self._options, self._wanted = recording, options, wanted
        self._baseline, self._outcome = baseline, outcome
        self._grid = TimeGrid(recording.start, recording.end, options.window)
        self.times: dict[str, TopicTimes] = {}
        self._ages = _ages(recording, readings)
        self._sounds = {n: spec.topic for n, spec in readings.specs.items() if spec.kind == 'sound'}
        self._chunks: dict[str, tuple[int, float]] = {}
        self._places = stamp_places(recording, recording.readable)

    def messages(self, block: MessageBlock, stamps: NDArray[np.int64] | None) -> None:
        """Take the times of messages."""
        if block.topic not in self.times:
            self.times[block.topic] = TopicTimes(self._grid)
        self.times[block.topic].add(block.log_times, stamps)

    def finish(self) -> Iterable[Result]:
        """Yield what is wrong with the times."""
        if GAP in self._wanted or LOSS in self._wanted:
            yield from self._rates()
        if ORDER in self._wanted:
            yield from self._order()
        if SKEW in self._wanted:
            chunks = {self._sounds[n]: s / k for n, (k, s) in self._chunks.items() if k}
            known = {n: t for n, t in self.times.items() if self._is_sensed(n, t)}
            shared = [n for n in known if not self._places[n].single]
            for name in shared:
                why = 'its publishers have times of their own: transforms may be of the future'
                yield NotRun(SKEW, why, name)
                del known[name]
            yield from skews(known, self._grid, self._options, chunks)

    def _rates(self) -> Iterator[Result]:
        exempt: dict[str, list[str]] = defaultdict(list)
        for name, times in sorted(self.times.items()):
            good = self._baseline.topics.get(name) if self._baseline else None
            if reason := self._exempt(name, times, good):
                exempt[reason].append(name)
                continue
            rated = Rated(name, times, self._ages.get(name), good)
            found = gaps(rated, self._recording, self._options, self._outcome.unread)
            if GAP in self._wanted:
                yield from found
            if LOSS in self._wanted and abs(times.pace - 1) > _PACE:
                yield NotRun(LOSS, 'its stamps go at another pace, as those of a simulation', name)
            elif LOSS in self._wanted:
                yield from losses(rated, self._grid, self._options, self._outcome.unread)
        for reason, names in exempt.items():
            for check in (GAP, LOSS):
                if check in self._wanted:
                    yield from (NotRun(check, reason, name) for name in names)
        if self._baseline and LOSS in self._wanted:
            yield from missing(self._baseline, self._recording, self._options)

    def _exempt(self, name: str, times: TopicTimes, good: TopicBaseline | None) -> str:
        """Return why nobody can say when a message of a topic is missing; '' where one can."""
        if _is_told_once(name):
            return 'labels, or what is told once'
        if self._recording.topics[name].type_name.startswith(_LOGS):
            return 'logs, in which all nodes write when something happens'
        if is_commanded(name):
            return 'commands, which come when something is commanded'
        if good and good.is_steady(self._options):
            return ''
        if times.count < self._options.least:
            return f'fewer than {self._options.least} messages'
        low, high = times.intervals.quantile(0.25), times.intervals.quantile(0.75)
        if high > self._options.irregular * low:
            return 'messages come when something happens, at no steady rate'
        return ''

    def _is_no_sensor(self, name: str) -> bool:
        logs = self._recording.topics[name].type_name.startswith(_LOGS)
        return logs or _is_told_once(name)

    def _is_sensed(self, name: str, times: TopicTimes) -> bool:
        """Return whether the stamps of a topic are those of a sensor."""
        return times.stamped >= self._options.least and not self._is_no_sensor(name)

    def _order(self) -> Iterator[Result]:
        unstamped = []
        for name, times in sorted(self.times.items()):
            place = self._places.get(name)
            if place is None or not times.stamped:
                unstamped.append(name)
            elif place.single and times.steps and not self._is_no_sensor(name):
                step = times.step / SECOND
                many = f'{times.steps} stamps step' if times.steps > 1 else 'a stamp steps'
                yield Finding(
                    ORDER, Severity.ERROR, f'{many} back, by up to {step:.6g} s', name,
                    *times.step_span, measured=step, threshold=0.0, unit='s',
                )  # fmt: skip
        if unstamped:
            why = 'messages do not say when they are from'
            yield from (NotRun(ORDER, why, name) for name in unstamped)


class SkewTimesObserver(TimesObserver):
    """Keeps how long chunks of sound are, too: they are sent when they are full."""

    def samples(self, name: str, samples: Samples) -> None:
        """Take the length of chunks."""
        if isinstance(samples, SoundSamples) and name in self._sounds and samples.rate:
            count, seconds = self._chunks.get(name, (0, 0.0))
            more = sum(map(len, samples.chunks)) / samples.rate
            self._chunks[name] = count + len(samples.chunks), seconds + more


def _is_told_once(topic: str) -> bool:
    return topic.endswith('_static') or never_guessed(topic) == 'labels'


def _ages(recording: Recording, readings: Readings) -> dict[str, float]:
    """Return the age, s, from which on a sensor is masked, by its topic."""
    images = [n for n, t in recording.topics.items() if t.type_name in MODALITY_TYPES['image']]
    ages = dict.fromkeys(images, BUILTIN['image'].max_age)
    return ages | {spec.topic: readings.modality(n).max_age for n, spec in readings.specs.items()}
