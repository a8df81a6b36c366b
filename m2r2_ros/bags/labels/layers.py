# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotation layers: what people said of a recording, each save beside the ones before it.

The layers of the recording NAME lie in NAME_annotations beside it. Each is a bag of ground truth,
and a table of the same segments for people. A layer is never changed: the next save is another one.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.folder import folders_in
from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.rosbag2 import ANNOTATIONS, INFORMATION, METADATA
from m2r2_ros.bags.writing.replacing import REPLACED
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.files import PARTIAL, atomic_write, disk_errors
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.numbers import parse_number
from m2r2_ros.core.options import Section
from m2r2_ros.core.origin import Origin
from m2r2_ros.core.text import excerpt, listed

#: Most layers of one recording that are looked at, the newest ones.
MOST: Final = 1000
#: In front of the entries of custom_data in a layer's metadata.yaml.
_PREFIX: Final = 'm2r2_ros.annotation.'
#: What layers from before do not say.
_OLDER: Final = {'origin': ''}
#: What may stand in the name of a layer, and how much of an annotator's name does.
_PLAIN: Final = re.compile(r'[^A-Za-z0-9-]+')
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a layer comes from.

    Attributes:
        annotator: Who made it.
        time: When, UTC, as 2026-11-27T15:30:12.345Z.
        tool: With what, and which version of it.
        corrected_from: What it began with: a layer, label bag or the recording's own truth; ''
            where it began with nothing.
        done: The annotator was done with the recording.
        edits: Operations that it took.
        seconds: Of work that it took.
        origin: Who or what made it; where it is not said, a person, who corrected something or
            began with nothing.
    """

    annotator: str
    time: str
    tool: str
    corrected_from: str = ''
    done: bool = False
    edits: int = 0
    seconds: float = 0.0
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if self.origin is None:
            derived = Origin.CORRECTED if self.corrected_from else Origin.MANUAL
            object.__setattr__(self, 'origin', derived)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer on disk.

    Attributes:
        path: The bag.
        provenance: Where it comes from.
    """

    path: Path
    provenance: Provenance

    @property
    def name(self) -> str:
        """What it is called."""
        return self.path.name

    def __str__(self) -> str:
        """Return what a log says of it."""
        p = self.provenance
        return f'layer {self.name} of {p.annotator or "nobody"}{"" if p.done else ", not done yet"}'


def annotations_of(recording: Path) -> Path:
    """Return the folder with the layers of a recording, which need not be there."""
    path = recording.absolute()
    return path.with_name(recording_name(path) + ANNOTATIONS)


def layers_of(recording: Path, annotator: str = '') -> list[Layer]:
    """Return the layers of a recording, oldest first.

    What is no layer, or a damaged one, is passed over: others are still good.

    Args:
        recording: Of which.
        annotator: Whose; '' for those of all.
    """
    return layers_in(annotations_of(recording), annotator)


def layers_in(folder: Path, annotator: str = '') -> list[Layer]:
    """Return the layers in a folder of annotations, oldest first; see `layers_of`."""
    try:
        # What is being written has another name until it is whole.
        names = sorted(n for n in folders_in(folder) if not n.endswith((PARTIAL, REPLACED)))
    except OSError:
        return []
    found = []
    for name in names[-MOST:]:
        with suppress(M2R2Error):
            found.append(read_layer(folder / name))
    return [layer for layer in found if annotator in ('', layer.provenance.annotator)]


def read_layer(path: Path) -> Layer:
    """Read where a layer comes from.

    Raises:
        LabelError: It is no layer.
    """
    expected = 'the metadata of an annotation layer'
    content = Section.read(path / METADATA, expected, LabelError)
    custom = content.section(INFORMATION).get('custom_data', (dict,), expected=expected)
    # Layers from before do not say their origin: a person made all of them.
    entries = {f.name: custom.get(_PREFIX + f.name, _OLDER.get(f.name)) for f in fields(Provenance)}
    if not all(isinstance(value, str) for value in entries.values()):
        msg = f'{path / METADATA}: expected {expected}'
        raise LabelError(msg)
    return Layer(path, _provenance(path, entries))


def write_layer(
    recording: Path, segments: Sequence[Segment], label_set: LabelSet, provenance: Provenance
) -> Layer:
    """Write a layer beside a recording; none is ever replaced.

    Args:
        recording: Of which; never changed.
        segments: In order of start; a confidence under 1 says that nobody has looked at one.
        label_set: Names and parents of their labels, and of others that were to choose from.
        provenance: Where it comes from; without a time, it is made now.

    Raises:
        M2R2Error: It cannot be written; nothing of it is left then.
    """
    clock = clock_of(open_recording(recording))
    made = replace(provenance, time=provenance.time or _now())
    table = _reserve(annotations_of(recording), made)
    path = table.with_suffix('')
    try:
        with BagWriter(path, fsync=True, discard_failed=True) as bag:
            bag.custom |= {_PREFIX + f.name: _text(getattr(made, f.name)) for f in fields(made)}
            writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
            writer.write_label_set(label_set, '', clock.start)
            for index, segment in enumerate(segments):
                writer.write_segment(segment, label_set.id_of(segment.label), index, '')
        with atomic_write(table) as draft:
            write_segments_csv(draft, segments, clock.start, _columns(made))
    except BaseException:
        if not path.exists():
            table.unlink(missing_ok=True)
        raise
    return Layer(path, made)


def _reserve(folder: Path, provenance: Provenance) -> Path:
    """Make an empty table of a name that no other layer has, whoever else is saving."""
    who = _PLAIN.sub('-', provenance.annotator)[:_LONGEST].strip('-') or 'nobody'
    stem = f'{provenance.time.replace(":", "").replace(".", "-")}_{who}'
    number = 1
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = folder / (f'{stem}.csv' if number == 1 else f'{stem}_{number}.csv')
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                number += 1
                continue
            return path


def _columns(provenance: Provenance) -> dict[str, str]:
    """Return what each row of a layer's table says of the layer."""
    return {
        'annotator': provenance.annotator,
        'annotated_at': provenance.time,
        'tool': provenance.tool,
        'corrected_from': provenance.corrected_from,
        'origin': _text(provenance.origin),
    }


def _provenance(path: Path, entries: dict[str, Any]) -> Provenance:
    try:
        edits, seconds = (parse_number(entries.pop(name)) for name in ('edits', 'seconds'))
    except ValueError as error:
        msg = f'{path / METADATA}: edits and seconds, {error}'
        raise LabelError(msg) from error
    done, origin = entries.pop('done') == 'true', entries.pop('origin')
    if origin and origin not in [known.value for known in Origin]:
        msg = f'{path / METADATA}: origin is {excerpt(origin)}, expected {listed(list(Origin))}'
        raise LabelError(msg)
    texts = {name: excerpt(value, 256) for name, value in entries.items()}
    stated = Origin(origin) if origin else None
    return Provenance(**texts, done=done, edits=int(edits), seconds=seconds, origin=stated)


def _text(value: object) -> str:
    if isinstance(value, Origin):
        return value.value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _now() -> str:
    return datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3] + 'Z'
