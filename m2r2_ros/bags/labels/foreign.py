# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels in files of other tools: annotations of ATLAS (JSON) and of ELAN (.eaf)."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.labels.clock import SET_CLOCK, RecordingClock
from m2r2_ros.bags.labels.reader import Truth
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.extras import needed
from m2r2_ros.core.labels import LabelSet, Segment, expect_labels
from m2r2_ros.core.numbers import LATEST, parse_nanoseconds
from m2r2_ros.core.reading import check_file, naming, read_text, reading
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.core.time import SECOND

ATLAS, ELAN = '.json', '.eaf'
FOREIGN: Final = (ATLAS, ELAN)
#: What is looked for in a folder, which may hold other files of JSON.
PATTERNS: Final = (f'*_annotations{ATLAS}', f'*{ELAN}')
_MOST_BYTES: Final = 16 << 20
_MOST_SEGMENTS: Final = 1_000_000
_MILLISECOND: Final = 10**6
_EXPECTED_ATLAS: Final = 'annotations of ATLAS: by recording, then by number, start, end and label'
_EXPECTED_ELAN: Final = 'an ELAN file (.eaf)'
#: What ends the name of a tier that holds what overlaps with the tier before.
_FURTHER: Final = re.compile(r' [0-9]+$')


def recordings_in(path: Path) -> list[str]:
    """Return the names of the recordings that a file has labels of.

    Raises:
        LabelError: It cannot be read.
    """
    return list(_atlas(path)) if path.suffix == ATLAS else [path.stem]


def read_foreign(path: Path, name: str, clock: RecordingClock) -> Truth:
    """Read the labels of a recording.

    Args:
        path: The file.
        name: Of the recording.
        clock: Of the recording, from whose start the times count.

    Raises:
        ConfigError: A library is missing.
        LabelError: The file cannot be read, or a label is damaged.
    """
    truth = _read_atlas(path, name, clock) if path.suffix == ATLAS else _read_elan(path, clock)
    if len(truth.segments) > _MOST_SEGMENTS:
        msg = f'{path}: has more than {_MOST_SEGMENTS} segments of {name}'
        raise LabelError(msg)
    with naming(path, LabelError):
        expect_labels({segment.label for segment in truth.segments})
    return truth


def _atlas(path: Path) -> Mapping[str, Any]:
    """Return what a file of ATLAS holds, by recording."""
    text = read_text(path, _EXPECTED_ATLAS, LabelError, most=_MOST_BYTES)
    with reading(path, _EXPECTED_ATLAS, LabelError):
        # Numbers stay text: those of JSON are exact, and may be of any size.
        content = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        msg = f'{path}: expected {_EXPECTED_ATLAS}'
        raise LabelError(msg)
    return content


def _read_atlas(path: Path, name: str, clock: RecordingClock) -> Truth:
    found = _atlas(path)
    if name not in found:
        msg = f'{path}: no annotations of {name}, but of {listed(list(found)) or "none"}'
        raise LabelError(msg)
    segments = []
    for number, one in found[name].items():
        place = f'{path}: annotation {excerpt(str(number))} of {name}'
        if not isinstance(one, dict):
            msg = f'{place}: expected start, end and label'
            raise LabelError(msg)
        label, success = one.get('label', one.get('text')), one.get('success')
        if not isinstance(label, str) or not (success is None or isinstance(success, bool)):
            msg = f'{place}: expected a label, and a success of true, false or null'
            raise LabelError(msg)
        if not label:
            continue
        with reading(place, 'a label', LabelError):
            label.encode()  # JSON may name halves of letters, which cannot be written
        times = [_seconds(place, key, one.get(key)) for key in ('start', 'end')]
        segments.append(_segment(place, times, label, success, clock))
    note = 'annotations of ATLAS, times from the start of the recording'
    return Truth(sorted(segments, key=lambda s: (s.start, s.end)), None, note)


def _seconds(place: str, key: str, value: object) -> int:
    """Return seconds as nanoseconds."""
    try:
        return parse_nanoseconds(value if isinstance(value, str) else '', SECOND)
    except ValueError as error:
        msg = f'{place}: {key} is {excerpt(str(value))}, {error}'
        raise LabelError(msg) from error


def _segment(
    place: str, times: list[int], label: str, success: bool | None, clock: RecordingClock
) -> Segment:
    """Return a segment on the clock of its recording; times since 1970 are on it already."""
    start, end = (time if time >= SET_CLOCK else time + clock.start for time in times)
    if not 0 <= start <= end < LATEST:
        msg = f'{place}: expected an end after the start, before 2038'
        raise LabelError(msg)
    return Segment(start, end, label, success=success)


def _read_elan(path: Path, clock: RecordingClock) -> Truth:
    """Read the one tier of an ELAN file that is no parent of others, and what overlaps with it."""
    check_file(path, _EXPECTED_ELAN, LabelError, most=_MOST_BYTES)
    elan = needed('pympi.Elan', 'elan', f'{path}: reading it')
    with reading(path, _EXPECTED_ELAN, LabelError):
        file = elan.Eaf(str(path), suppress_version_warning=True)
        parents = {name: tier[2].get('PARENT_REF') for name, tier in file.tiers.items()}
    aligned = [name for name, tier in file.tiers.items() if tier[0]]
    above = {parents[name] for name in aligned}
    fine = [name for name in aligned if name not in above]
    first = [
        name for name in fine if _FURTHER.sub('', name) not in fine or not _FURTHER.search(name)
    ]
    if len(first) > 1:
        msg = (
            f'{path}: has the tiers {listed(first)}, expected one: export it again with one layer, '
            'or remove the others in ELAN'
        )
        raise LabelError(msg)
    segments: list[Segment] = []
    coarse: dict[str, str] = {}
    for name in fine:
        upper = list(_annotations(path, file, parents[name])) if parents[name] in aligned else []
        for start, end, label in _annotations(path, file, name):
            times = [start * _MILLISECOND, end * _MILLISECOND]
            segments.append(_segment(f'{path}: tier {name}', times, label, None, clock))
            own = next((p for low, high, p in upper if low <= start and end <= high), '')
            coarse.setdefault(label, own)
    segments.sort(key=lambda s: (s.start, s.end))
    label_set = LabelSet(tuple(coarse), tuple(coarse.values())) if any(coarse.values()) else None
    return Truth(segments, label_set, 'an ELAN file, milliseconds from the start of the recording')


def _annotations(path: Path, file: Any, tier: str) -> Iterator[tuple[int, int, str]]:  # noqa: ANN401
    """Yield start and end, milliseconds, and text of the annotations of a tier that have one."""
    for start, end, value, _ in file.tiers[tier][0].values():
        low, high = file.timeslots.get(start), file.timeslots.get(end)
        if low is None or high is None:
            msg = f'{path}: an annotation of tier {tier} has no time'
            raise LabelError(msg)
        if value:
            yield low, high, value
