# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a folder of text tables as a bag, with its ground truth."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import attrgetter, itemgetter
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.bags.labels.origin_marks import origin_entries
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.tables.spec import START_TIMES, ImportSpec, LabelsSpec, TableSpec, read_spec
from m2r2_ros.bags.tables.text import TextTable, find_table, number_blocks
from m2r2_ros.bags.templates import MessageTemplate, message_values
from m2r2_ros.bags.writing.writer import BagWriter, Raw
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import disk_errors
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.origin import LayerFacts, Origin

_Entry = tuple[int, str, Raw]
_by_start = attrgetter('start')
_by_end = attrgetter('end')


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import wrote.

    Attributes:
        out: The new bag.
        messages: Messages by topic, ground truth included.
        start: Stamp of the first sample, nanoseconds.
        end: Stamp of the last sample, nanoseconds.
        segments: Ground truth in order; empty without any.
        missing: Optional files that the trial lacks.
    """

    out: Path
    messages: dict[str, int]
    start: int
    end: int
    segments: tuple[Segment, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Truth:
    """Ground truth as the label file has it.

    Attributes:
        path: The label file.
        label_set: Its labels.
        segments: In order of their ends.
        open_phase: Label and start of a phase that lasts until the last sample.
    """

    path: Path
    label_set: LabelSet
    segments: list[Segment]
    open_phase: tuple[str, int] | None


def import_table(spec: Path, folder: Path, out: Path, *, overwrite: bool = False) -> ImportReport:
    """Import one trial: text tables become topics, the label file ground truth.

    Messages are written in order of their stamps, which are also the log times; NaN and infinity
    are passed on as they are. A block of lines of each table is in memory at a time.

    Args:
        spec: Import specification, see config/import.
        folder: The trial's folder; never changed.
        out: The rosbag2 folder to write.
        overwrite: Replace `out`.

    Raises:
        ConfigError: The specification is wrong, or a file is missing or does not fit it.
        BagError: `out` cannot be written.
    """
    plan = read_spec(spec)
    refuse_same(out, folder)
    absent = [t for t in plan.tables if t.optional and find_table(folder, t.file) is None]
    tables = [table for table in plan.tables if table not in absent]
    texts = [TextTable(_find(plan, folder, table.file), table.text) for table in tables]
    truth = _read_truth(plan, folder)
    streams = [
        _messages(table, text, plan.epoch) for table, text in zip(tables, texts, strict=True)
    ]
    merged = heapq.merge(*streams, key=itemgetter(0))
    first = next(merged, None)
    if first is None:
        msg = f'{folder}: the tables have no rows; nothing is imported'
        raise ConfigError(msg)
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        for table in tables:
            bag.add_topic(table.topic, table.type_name)
        entries = chain([first], merged)
        segments: list[Segment] = []
        if truth is None:
            end = _write(bag, entries)
        else:
            end, segments = _write_with_truth(bag, entries, truth, first[0])
        counts = bag.counts
    missing = [table.file for table in absent]
    if truth is None and plan.labels is not None:
        missing.append(plan.labels.file)
    return ImportReport(bag.path, counts, first[0], end, tuple(segments), tuple(missing))


def find_trials(spec: Path, folder: Path) -> list[Path]:
    """Return the trial that a folder is, or those that lie in it, in order of name.

    Raises:
        ConfigError: The specification is wrong.
    """
    files = [table.file for table in read_spec(spec).tables]

    def is_trial(place: Path) -> bool:
        return any(find_table(place, file) is not None for file in files)

    if is_trial(folder) or not folder.is_dir():
        return [folder]
    with disk_errors(folder):
        below = sorted(place for place in folder.iterdir() if place.is_dir() and is_trial(place))
    return below or [folder]


def _find(plan: ImportSpec, folder: Path, name: str) -> Path:
    path = find_table(folder, name)
    if path is None:
        msg = f'{folder} has no {name}, compressed or not, which {plan.path} asks for'
        raise ConfigError(msg)
    return path


def _messages(table: TableSpec, text: TextTable, epoch: int) -> Iterator[_Entry]:
    template = MessageTemplate(table)
    blocks = number_blocks(text, table.time, table.time_unit, table.columns, epoch)
    for stamps, cells in blocks:
        rows = template.fill(stamps, message_values(table, cells))
        for stamp, row in zip(stamps.tolist(), rows, strict=True):
            yield stamp, table.topic, row


def _write(bag: BagWriter, entries: Iterator[_Entry]) -> int:
    """Write messages; return the stamp of the last."""
    stamp = 0
    for stamp, topic, raw in entries:
        bag.write(topic, raw, stamp)
    return stamp


def _write_with_truth(
    bag: BagWriter, entries: Iterator[_Entry], truth: _Truth, start: int
) -> tuple[int, list[Segment]]:
    """Write messages and, each at its end, segments; return the last stamp and the segments."""
    tool = f'm2r2 import table {__version__}'
    bag.custom |= origin_entries(LayerFacts(Origin.IMPORTED, tool=tool))
    labels = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
    labels.write_label_set(truth.label_set, '', start)
    segments = [s for s in truth.segments if s.end > s.start]
    written = 0

    def messages() -> Iterator[_Entry]:
        nonlocal written
        for entry in entries:
            while written < len(segments) and segments[written].end < entry[0]:
                write_next()
            yield entry

    def write_next() -> None:
        nonlocal written
        segment = segments[written]
        labels.write_segment(segment, truth.label_set.id_of(segment.label), written, '')
        written += 1

    end = _write(bag, messages())
    if truth.open_phase is not None:
        label, began = truth.open_phase
        if began > end:
            msg = (
                f'{truth.path}: {label} starts {(began - end) / 1e9:g} s after the last sample '
                'of the tables: is its unit right, do the files belong together?'
            )
            raise ConfigError(msg)
        if began < end:
            segments.append(Segment(began, end, label))
    while written < len(segments):
        write_next()
    return end, segments


def _read_truth(plan: ImportSpec, folder: Path) -> _Truth | None:
    """Read the label file; None if none is asked for and there is none."""
    labels = plan.labels
    if labels is None or (labels.optional and find_table(folder, labels.file) is None):
        return None
    table = TextTable(_find(plan, folder, labels.file), labels.text)
    if labels.kind == START_TIMES:
        return _phases(table, labels, plan.epoch)
    return _listed(table, labels, plan.epoch)


def _phases(table: TextTable, labels: LabelsSpec, epoch: int) -> _Truth:
    """Read start times; phases at the end of the list may never have happened."""
    starts: list[int] = []
    for line, (cell,) in table.rows(labels.columns):
        if len(starts) == len(labels.names):
            table.refuse(line, f'a start time more than the phases {", ".join(labels.names)}')
        starts.append(table.nanoseconds(line, cell, labels.time_unit) + epoch)
        if starts[-1] < max(starts):
            table.refuse(line, f'start time {cell}, which is before that of the phase before')
    closed = [
        Segment(first, last, name)
        for name, (first, last) in zip(labels.names, pairwise(starts), strict=False)
    ]
    open_phase = (labels.names[len(starts) - 1], starts[-1]) if starts else None
    return _Truth(table.path, LabelSet.of(labels.names), closed, open_phase)


def _listed(table: TextTable, labels: LabelsSpec, epoch: int) -> _Truth:
    """Read segments with their labels."""
    segments = []
    for line, (first, last, label) in table.rows(labels.columns):
        start = table.nanoseconds(line, first, labels.time_unit) + epoch
        end = table.nanoseconds(line, last, labels.time_unit) + epoch
        if end < start:
            table.refuse(line, f'a segment from {first} to {last}, which ends before it starts')
        if labels.names and label not in labels.names:
            table.refuse(line, f'label {label!r}, expected one of {", ".join(labels.names)}')
        segments.append(Segment(start, end, label))
    names = labels.names or dict.fromkeys(s.label for s in sorted(segments, key=_by_start))
    return _Truth(table.path, LabelSet.of(names), sorted(segments, key=_by_end), None)
