# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One recording looked at: its files, its messages on a single pass, and its labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.recording import Recording, open_recording, recording_name
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import DRIFT, LABEL_CHECKS, MISSING
from m2r2_ros.checks.labels.event_observer import EventObserver
from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.gathering import labels_of
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.checks.recording.baseline import Baseline
from m2r2_ros.checks.recording.catalogue import RECORDING_CHECKS
from m2r2_ros.checks.recording.files import CHECKS as FILE_CHECKS
from m2r2_ros.checks.recording.files import file_results
from m2r2_ros.checks.recording.passing import Pass, read_once
from m2r2_ros.checks.recording.readings import Readings
from m2r2_ros.checks.recording.watch import recording_observers
from m2r2_ros.checks.thresholds import Thresholds
from m2r2_ros.core.errors import M2R2Error, NoTruthError
from m2r2_ros.core.taxonomy import Taxonomy
from m2r2_ros.readers.topics import TopicSpec

#: Checks of labels that want to know what happened.
_OF_EVENTS: Final = (DRIFT, MISSING)
#: Share of the work that reading the files is, beside reading the messages.
_FILES: Final = 0.3


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How recordings are checked.

    Attributes:
        wanted: Ids of the checks to run.
        thresholds: From when on something is wrong.
        topics: Topics that are not to be guessed, by modality.
        baseline: What a good recording is like; None judges each by itself.
        taxonomy: What labels there may be; None goes by the label set beside the labels.
        ignored: Checks of single topics, or labels, whose findings nobody wants.
    """

    wanted: tuple[str, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    topics: Mapping[str, TopicSpec] = field(default_factory=dict)
    baseline: Baseline | None = None
    taxonomy: Taxonomy | None = None
    ignored: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a recording.

    Attributes:
        path: Where it is.
        name: What it is called.
        start: Its first log time, nanoseconds; 0 where it cannot be opened.
        end: Its last log time, nanoseconds; 0 where it cannot be opened.
        results: Of the checks of the recording itself.
        labels: Its labels; None without.
        events: What happened in it; None where no check wants to know.
        no_labels: Why there are no labels.
        seconds: What it took.
    """

    path: Path
    name: str
    start: int
    end: int
    results: tuple[Result, ...]
    labels: LabelsUnderCheck | None
    events: SensedEvents | None
    no_labels: str
    seconds: float


def look(
    path: Path,
    options: CheckOptions,
    sources: Sequence[TruthSource] = (),
    progress: Callable[[float], None] = lambda share: None,
) -> Looked:
    """Look at a recording, which may be damaged.

    Args:
        path: The recording.
        options: How.
        sources: Where its labels are, and other layers to compare them with; without, its newest
            annotation layer counts, or its own truth.
        progress: Called with the share that is done.

    Raises:
        M2R2Error: A topic that was given cannot be read.
    """
    began = perf_counter()
    results = file_results(
        path, options.thresholds.file, options.wanted, lambda share: progress(_FILES * share)
    )
    try:
        recording = open_recording(path)
    except M2R2Error as error:
        rest = [c for c in options.wanted if c not in FILE_CHECKS and not c.startswith('set.')]
        results += [NotRun(check, f'the recording cannot be opened: {error}') for check in rest]
        name, seconds = recording_name(path), perf_counter() - began
        return Looked(path, name, 0, 0, tuple(results), None, None, '', seconds)
    labels, damaged, no_labels = _labels(recording, options, sources)
    found, events = _read(recording, options, labels, progress)
    return Looked(
        path,
        recording.name,
        recording.start,
        recording.end,
        (*results, *found, *damaged),
        labels,
        events,
        no_labels,
        perf_counter() - began,
    )


def events_of(recording: Recording, topics: Mapping[str, TopicSpec]) -> SensedEvents:
    """Return what happened in a recording."""
    observer = _event_observer(recording, topics)
    read_once(recording, [observer], topics)
    return observer.events()


def _read(
    recording: Recording,
    options: CheckOptions,
    labels: LabelsUnderCheck | None,
    progress: Callable[[float], None],
) -> tuple[list[Result], SensedEvents | None]:
    """Read the messages once, for all checks that want to see them."""
    outcome = Pass()
    observers = recording_observers(
        recording,
        options.thresholds.recording,
        topics=options.topics,
        wanted=options.wanted,
        baseline=options.baseline,
        outcome=outcome,
    )
    happened = None
    if labels is not None and set(_OF_EVENTS) & set(options.wanted):
        happened = _event_observer(recording, options.topics)
    looking = [*observers, *([happened] if happened else [])]
    if looking:
        read_once(
            recording,
            looking,
            options.topics,
            lambda share: progress(_FILES + (1 - _FILES) * share),
            outcome,
        )
    results = [result for observer in observers for result in observer.finish()]
    wanted = [facts.id for facts in RECORDING_CHECKS if facts.id in options.wanted]
    why = outcome.stopped and f'the rest of the recording could not be read: {outcome.stopped}'
    if not recording.message_count and not why:
        results = [result for result in results if isinstance(result, Finding)]
        why = 'there are no messages in it'
    if why:
        results += [NotRun(check, why) for check in wanted if check not in FILE_CHECKS]
    return results, happened.events() if happened else None


def _event_observer(recording: Recording, topics: Mapping[str, TopicSpec]) -> EventObserver:
    specs = Readings(recording, topics).specs
    return EventObserver({name: spec.convention for name, spec in specs.items()})


def _labels(
    recording: Recording, options: CheckOptions, sources: Sequence[TruthSource]
) -> tuple[LabelsUnderCheck | None, list[Result], str]:
    """Return the labels of a recording; what is wrong where they cannot be read; why without."""
    wanted = [facts.id for facts in LABEL_CHECKS if facts.id in options.wanted]
    if not wanted:
        return None, [], 'no check of labels is wanted'
    source = sources[0] if sources else None
    try:
        found = labels_of(recording.path, source, options.taxonomy, sources[1:])
    except NoTruthError:
        return None, [], 'it has no labels: --labels says where they are'
    except M2R2Error as error:
        why = f'its labels cannot be read: {error}'
        return None, [Finding(wanted[0], Severity.ERROR, why)], why
    return found, [], ''
