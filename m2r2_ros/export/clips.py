# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips: which there are, what they are called, and the table of all of them."""

import csv
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.reading import read_text, reading
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.export.choosing import OutcomeKind, SegmentChoice
from m2r2_ros.export.labelled import Labelled
from m2r2_ros.export.timed import write_json

MANIFEST: Final = 'clips'
#: Bytes of the names of a recording and of a label in that of a clip.
_MOST_NAME, _MOST_LABEL = 120, 60
#: What stands in names of files as it is; letters of all languages are among it.
_UNSAFE: Final = re.compile(r'[^\w.-]+')
#: Bytes of a manifest that is read.
_MOST_BYTES: Final = 64 << 20
#: What a spreadsheet would take for a formula.
_FORMULA: Final = ('=', '+', '-', '@')


@dataclass(frozen=True, slots=True)
class Clip:
    """A segment to be cut out.

    Attributes:
        name: What it is called.
        recording: Name of the recording.
        number: Of the segment, among all of the recording, from 0.
        segment: The segment.
        parent: Its coarse label; '' without one.
        since: Where the clip begins, on the clock of the labels, nanoseconds.
        until: Where it ends, not part of it.
    """

    name: str
    recording: str
    number: int
    segment: Segment
    parent: str
    since: int
    until: int

    def facts(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {
            'clip': self.name,
            'recording': self.recording,
            'number': self.number,
            'label': self.segment.label,
            'parent': self.parent,
            'outcome': OutcomeKind.of(self.segment).value,
            'confidence': float(f'{self.segment.confidence:.6g}'),
            'seconds': (self.segment.end - self.segment.start) / SECOND,
            'start_ns': self.segment.start,
            'end_ns': self.segment.end,
            'since_ns': self.since,
            'until_ns': self.until,
        }


@dataclass(slots=True)
class ClipsCut:
    """What came of cutting a recording.

    Attributes:
        made: Paths below the folder of clips, and the clips that they are of.
        failed: Why others are not there.
    """

    made: dict[str, Clip] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of a manifest."""
        return [{'path': path, **clip.facts()} for path, clip in self.made.items()]


def other_clip(path: Path) -> OutputError:
    """Return the error that says that something else is where a clip would be."""
    return OutputError(
        f'{path} exists and is no clip of this span and label: choose another --out, or replace it '
        'with --overwrite'
    )


def clips_of(labelled: Labelled, choice: SegmentChoice, pad: float) -> list[Clip]:
    """Return the clips of a recording, in order of start.

    Args:
        labelled: The recording and its labels.
        choice: Which segments are cut out.
        pad: Seconds before and after each segment that belong to its clip.

    Raises:
        LabelError: A label is not in the recording's label set.
    """
    margin = to_ns(pad)
    return [
        Clip(
            clip_name(labelled.name, number, segment.label),
            labelled.name,
            number,
            segment,
            labelled.parent_of(segment.label),
            max(segment.start - margin, 0),
            segment.end + margin,
        )
        for number, segment in choice.of(labelled)
    ]


def clip_name(recording: str, number: int, label: str) -> str:
    """Return the name of a clip, such as NAME_0012_insert, which any file system takes."""
    safe = _UNSAFE.sub('-', label).strip('-.') or 'segment'
    return f'{_short(recording, _MOST_NAME)}_{number:04d}_{_short(safe, _MOST_LABEL)}'


def _short(text: str, most: int) -> str:
    """Return a text of at most so many bytes; one that is cut stays different from others."""
    raw = text.encode(errors='surrogateescape')
    if len(raw) <= most:
        return text
    mark = hashlib.sha256(raw).hexdigest()[:8]
    return f'{raw[: most - 9].decode(errors="ignore")}-{mark}'


def write_manifest(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what clips there are, as clips.csv and clips.json.

    Those of earlier runs that are still there stay in it.

    Args:
        folder: Where the clips are.
        rows: One for each clip of this run: its facts, and its file or folder as `path`.

    Raises:
        OutputError: A file cannot be written, or clips.json is something else.
    """
    path = folder / f'{MANIFEST}.json'
    new = {row['path'] for row in rows}
    older = [r for r in _read(path) if r['path'] not in new and (folder / r['path']).exists()]
    every = sorted([*older, *rows], key=lambda row: str(row['path']))
    columns = list(dict.fromkeys(key for row in every for key in row))
    with (
        atomic_write(folder / f'{MANIFEST}.csv') as draft,
        draft.open('w', newline='', encoding='utf-8') as file,
    ):
        table = csv.DictWriter(file, columns, restval='')
        table.writeheader()
        table.writerows({key: _cell(value) for key, value in row.items()} for row in every)
    write_json(path, every)


def _read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a manifest that is there already."""
    if not path.exists():
        return []
    expected = 'a manifest of clips'
    text = read_text(path, expected, OutputError, most=_MOST_BYTES)
    with reading(path, expected, OutputError):
        rows = json.loads(text)
        plain = all(Path(row['path']).name == row['path'] for row in rows)
    if not plain:
        msg = f'{path}: expected {expected}; choose another folder'
        raise OutputError(msg)
    return list(rows)


def _cell(value: Any) -> Any:  # noqa: ANN401 - of a row
    """Return a value that a spreadsheet does not run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
