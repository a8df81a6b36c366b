# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of the steps of an episode as ground truth of its recording."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import ALWAYS, FilePart, Span
from m2r2_ros.bags.steps.stream import loaded_run, step_topic
from m2r2_ros.bags.writing.kept import KeptMessages
from m2r2_ros.core.labels import MAX_LABEL, MAX_LABELS, UNKNOWN_LABEL, LabelSet, Segment
from m2r2_ros.core.text import excerpt

#: The step has no label.
NO_LABEL: Final = -1
#: Where tasks stand that have subtasks.
COARSE: Final = '/coarse'


@dataclass(frozen=True, slots=True)
class StepLabels:
    """What is said of the steps of an episode.

    Attributes:
        segments: In order of start.
        label_set: Their labels, and others of the dataset.
        notes: What was changed or left out, and why.
    """

    segments: tuple[Segment, ...]
    label_set: LabelSet
    notes: tuple[str, ...] = ()


def step_labels(
    codes: NDArray[np.int64],
    texts: Mapping[int, str],
    edges: NDArray[np.int64],
    parents: Mapping[str, str] | None = None,
) -> StepLabels:
    """Return the segments of steps that follow each other with one label.

    Args:
        codes: int64 (n,), label of each step; negative for none.
        texts: Labels by code.
        edges: int64 (n + 1,), where steps begin, and where the last one ends, nanoseconds.
        parents: Coarse labels by label, the same in all episodes of the dataset.
    """
    changes = np.flatnonzero(np.diff(codes)) + 1
    starts, ends = np.append(0, changes), np.append(changes, len(codes))
    segments: list[Segment] = []
    lost: set[int] = set()
    for low, high in zip(starts.tolist(), ends.tolist(), strict=True):
        code = int(codes[low])
        if code < 0:
            continue
        label = texts.get(code, '')[:MAX_LABEL].replace('\0', ' ')
        if label == UNKNOWN_LABEL:  # which is none
            continue
        if not label.strip():
            lost.add(code)
            continue
        segments.append(Segment(int(edges[low]), int(edges[high]), label))
    notes = [f'labels {sorted(lost)[:5]} have no text: their steps have none'] if lost else []
    notes += [
        f'label {excerpt(text)} is cut after {MAX_LABEL} characters'
        for code, text in texts.items()
        if len(text) > MAX_LABEL and code in codes
    ]
    names = _names(segments, texts)
    above = tuple((parents or {}).get(name, '')[:MAX_LABEL] for name in names)
    return StepLabels(tuple(segments), LabelSet(names, above), tuple(notes))


def _names(segments: Sequence[Segment], texts: Mapping[int, str]) -> tuple[str, ...]:
    """Return the label set of a dataset, so that all its episodes have the same one."""
    every = [texts[code][:MAX_LABEL].replace('\0', ' ') for code in sorted(texts)]
    known = dict.fromkeys(text for text in every if text.strip() and text != UNKNOWN_LABEL)
    used = dict.fromkeys(segment.label for segment in segments)
    return tuple(known if len(known) <= MAX_LABELS else used)[:MAX_LABELS]


def with_outcomes(
    labels: StepLabels, succeeded: NDArray[np.bool_], stamps: NDArray[np.int64]
) -> StepLabels:
    """Return labels whose segments say whether the attempt succeeded.

    A segment did within which a step says so; the last one failed where none of the episode does.

    Args:
        labels: The segments.
        succeeded: bool (n,), of each step.
        stamps: int64 (n,), of the steps, nanoseconds.
    """
    if not labels.segments:
        return labels
    times = stamps[succeeded]
    told = [
        replace(s, success=True)
        if s.success is None and ((times >= s.start) & (times < s.end)).any()
        else s
        for s in labels.segments
    ]
    if not len(times) and told[-1].success is None:
        told[-1] = replace(told[-1], success=False)
    return replace(labels, segments=tuple(told))


class TruthTopics:
    """The topics of ground truth of an episode; see StepStream."""

    def __init__(self, path: Path, labels: StepLabels, start: int, below: str = '') -> None:
        """Make the messages.

        Args:
            path: Where the labels come from.
            labels: The segments.
            start: Log time of the label set, nanoseconds.
            below: Behind the name that topics of ground truth begin with; COARSE for tasks.
        """
        # Labels are read from recordings, of which this is one kind.
        from m2r2_ros.bags.labels.topics import GROUND_TRUTH
        from m2r2_ros.bags.labels.writer import LabelWriter

        kept = KeptMessages()
        writer = LabelWriter(kept, GROUND_TRUTH + below, frame_labels=False)
        writer.write_label_set(labels.label_set, '', start)
        for k, segment in enumerate(labels.segments):
            writer.write_segment(segment, labels.label_set.id_of(segment.label), k, '')
        self.path = path
        self._messages = kept.messages
        self.topics = tuple(
            step_topic(name, type_name, len(kept.messages[name]), qos)
            for name, (type_name, qos) in kept.topics.items()
        )
        times = [time for messages in kept.messages.values() for time, _ in messages]
        self.start, self.end = min(times), max(times)
        self.notes = labels.notes

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield the messages of each topic as one part."""
        filled = [(m[0][0], name, m) for name, m in self._messages.items() if m and name in topics]
        for time, name, messages in sorted(filled):
            yield FilePart(time, 0, partial(loaded_run, name, messages))
