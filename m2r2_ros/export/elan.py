# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as ELAN files, by whole milliseconds; needs the extra `elan`."""

import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.extras import needed
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.text import excerpt
from m2r2_ros.export.timed import TimedLabels
from m2r2_ros.export.xml_text import expect_xml

_MILLISECOND: Final = 10**6
#: ELAN's name for a tier whose annotations lie within those of another tier.
_WITHIN: Final = 'Included_In'
_FINE, _COARSE, _ALONE = 'fine labels', 'coarse labels', 'labels'
_VOCABULARY: Final = 'label set'
_LANGUAGE: Final = 'und'


class ElanSpan(NamedTuple):
    """An annotation: milliseconds from the start of the recording, and its text."""

    start: int
    end: int
    label: str
    parent: str


def expect_pympi() -> None:
    """Refuse to go on where ELAN files cannot be made.

    Raises:
        ConfigError: The extra `elan` is missing.
    """
    needed('pympi', 'elan')


def write_elan(path: Path, layers: Mapping[str, TimedLabels], media: Sequence[str] = ()) -> None:
    """Write an ELAN file with a tier for each layer, below one of coarse labels if there are any.

    Annotations of a tier cannot overlap: those that do lie in further tiers, called NAME 2 and so
    on. None is shorter than a millisecond.

    Args:
        path: File to write.
        layers: Labels of one recording, by the names of their tiers.
        media: Paths or URLs of its videos, relative ones from the file's folder.

    Raises:
        ConfigError: The extra `elan` is missing.
        LabelError: A segment ends before the recording begins, or a label cannot stand in XML.
        OutputError: The file cannot be written.
    """
    expect_pympi()
    for one in layers.values():
        expect_xml(one.labelled)
    file = import_module('pympi.Elan').Eaf(author='m2r2_ros')
    for place in media:
        _link(file, place)
    names = [name for one in layers.values() for name in one.labelled.label_set.names]
    _add_vocabulary(file, names)
    for name, one in layers.items():
        rows = _rows(_spans(one))
        for number, row in enumerate(rows or [[]], 1):
            _add_tiers(file, name if number == 1 else f'{name} {number}', row)
    file.remove_tier('default')
    file.remove_linguistic_type('default-lt')
    with atomic_write(path) as draft:
        file.to_file(str(draft))


def _link(file: Any, place: str) -> None:  # noqa: ANN401 - pympi's
    """Link a video."""
    kind = mimetypes.guess_type(place)[0] or 'video/mp4'
    if '://' in place:
        file.add_linked_file(place, mimetype=kind)
    elif Path(place).is_absolute():
        file.add_linked_file(f'file://{place}', mimetype=kind)
    else:
        file.add_linked_file(f'./{place}', f'./{place}', kind)


def _spans(one: TimedLabels) -> list[ElanSpan]:
    """Return segments by milliseconds, those that begin before the recording from its start on."""
    spans = []
    for segment in one.labelled.segments:
        start, end = (round((t - one.start) / _MILLISECOND) for t in (segment.start, segment.end))
        if end < 0:
            msg = (
                f'{one.labelled.source}: a segment ({excerpt(segment.label)}) ends '
                f'{-end / 1000:.3f} s before the recording begins, which ELAN has no place for'
            )
            raise LabelError(msg)
        start = max(start, 0)
        parent = one.labelled.parent_of(segment.label)
        spans.append(ElanSpan(start, max(end, start + 1), segment.label, parent))
    return sorted(spans)


def _rows(spans: Iterable[ElanSpan]) -> list[list[ElanSpan]]:
    """Return spans in as few rows as it takes for none to overlap within one."""
    rows: list[list[ElanSpan]] = []
    for span in spans:
        row = next((row for row in rows if row[-1].end <= span.start), None)
        if row is None:
            rows.append([span])
        else:
            row.append(span)
    return rows


def _add_tiers(file: Any, name: str, spans: Sequence[ElanSpan]) -> None:  # noqa: ANN401 - pympi's
    """Add a tier, and that of its coarse labels, which it lies within, where there are any."""
    if not any(span.parent for span in spans):
        file.add_tier(name, _ALONE)
    else:
        above = f'{name} coarse'
        file.add_tier(above, _COARSE)
        for span in _joined(spans):
            file.add_annotation(above, span.start, span.end, span.label)
        file.add_tier(name, _FINE, parent=above)
    for span in spans:
        file.add_annotation(name, span.start, span.end, span.label)


def _joined(spans: Sequence[ElanSpan]) -> list[ElanSpan]:
    """Return coarse labels; a label without a parent is its own."""
    joined: list[ElanSpan] = []
    for span in spans:
        coarse = span.parent or span.label
        if joined and joined[-1].label == coarse and joined[-1].end == span.start:
            joined[-1] = joined[-1]._replace(end=span.end)
        else:
            joined.append(ElanSpan(span.start, span.end, coarse, ''))
    return joined


def _add_vocabulary(file: Any, labels: Sequence[str]) -> None:  # noqa: ANN401 - pympi's
    """Add types of tiers whose annotations are chosen from the label set."""
    file.add_language(_LANGUAGE, 'http://cdb.iso.org/lg/CDB-00130975-001', 'undetermined (und)')
    file.add_controlled_vocabulary(_VOCABULARY)
    for number, label in enumerate(dict.fromkeys(labels)):
        entry = [(label, _LANGUAGE, None)]
        file.add_cv_entry(_VOCABULARY, f'cveid{number}', entry)
    for name, constraint in ((_FINE, _WITHIN), (_COARSE, None), (_ALONE, None)):
        file.add_linguistic_type(name, constraint)
        if name != _COARSE:
            file.linguistic_types[name]['CONTROLLED_VOCABULARY_REF'] = _VOCABULARY
