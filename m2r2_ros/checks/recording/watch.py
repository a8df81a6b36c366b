# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All observers of a recording itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.baseline import Baseline
from m2r2_ros.checks.recording.catalogue import RECORDING_CHECKS
from m2r2_ros.checks.recording.content import ContentOffsetObserver
from m2r2_ros.checks.recording.options import OffsetOptions, TimeOptions, ValueOptions
from m2r2_ros.checks.recording.passing import Pass
from m2r2_ros.checks.recording.reach import ReachObserver
from m2r2_ros.checks.recording.readings import Readings
from m2r2_ros.checks.recording.times import SKEW, SkewTimesObserver, TimesObserver
from m2r2_ros.checks.recording.values import FROZEN, FrozenValuesObserver, ValuesObserver
from m2r2_ros.readers.topics import TopicSpec

ALL = tuple(facts.id for facts in RECORDING_CHECKS)


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """Thresholds of all observers.

    Attributes:
        time: Of gaps, losses, order and skew.
        offset: Of offsets between contents.
        value: Of values.
    """

    time: TimeOptions = field(default_factory=TimeOptions)
    offset: OffsetOptions = field(default_factory=OffsetOptions)
    value: ValueOptions = field(default_factory=ValueOptions)


def recording_observers(
    recording: Recording,
    options: RecordingOptions,
    *,
    topics: Mapping[str, TopicSpec] | None = None,
    wanted: Collection[str] = ALL,
    baseline: Baseline | None = None,
    outcome: Pass | None = None,
) -> list[Observer]:
    """Return the observers of the checks that are wanted, for passing.read_once.

    Args:
        recording: What is to be read.
        options: Thresholds.
        topics: Topics of sensors by name; what is not given is guessed.
        wanted: Ids of checks.
        baseline: What a good recording is like, if one was given.
        outcome: What read_once is given, so that gaps of what could not be read are not told twice.

    Raises:
        ConfigError: A topic that was given is of another type.
        MessageError: A topic that was given cannot be read.
    """
    outcome = Pass() if outcome is None else outcome
    readings = Readings(recording, topics)
    wanted = set(wanted)
    observers: list[Observer] = []
    if wanted & set(ReachObserver.checks):
        observers.append(ReachObserver(recording, outcome))
    if wanted & set(TimesObserver.checks):
        kind = SkewTimesObserver if SKEW in wanted else TimesObserver
        times = kind(
            recording, readings, options.time, wanted=wanted, baseline=baseline, outcome=outcome
        )
        observers.append(times)
    if wanted & set(ContentOffsetObserver.checks):
        observers.append(ContentOffsetObserver(recording, readings, options.offset))
    if wanted & set(ValuesObserver.checks):
        seen = FrozenValuesObserver if FROZEN in wanted else ValuesObserver
        values = seen(recording, readings, options.value, wanted=wanted, baseline=baseline)
        observers.append(values)
    return observers
