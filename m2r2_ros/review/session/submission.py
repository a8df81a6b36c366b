# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page sends to be saved, which may be anything until it has been looked at."""

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import MAX_LABELS, UNKNOWN, LabelSet, Segment
from m2r2_ros.core.options import Section, is_kind, shown
from m2r2_ros.core.text import printable
from m2r2_ros.core.time import SECOND

#: Segments of a recording.
MOST_SEGMENTS: Final = 100_000
#: Characters of an annotator's name and of the id of a lane.
_LONGEST: Final = 200
#: A page may round the end of a recording, nanoseconds.
_ROUNDING: Final = 10**6
#: Edits, and seconds of work.
_FARTHEST: Final = 10**9


@dataclass(frozen=True, slots=True)
class Submission:
    """Segments that a person has made.

    Attributes:
        annotator: Who; '' where the page does not know.
        label_set: Labels that there were to choose from.
        segments: In order of start; on the clock of the recording.
        lane: Id of the lane that it began with; '' for none.
        done: The annotator is done with the recording.
        edits: Operations that it took.
        seconds: Of work that it took.
    """

    annotator: str
    label_set: LabelSet
    segments: list[Segment]
    lane: str
    done: bool
    edits: int
    seconds: float


def read_submission(body: bytes, start: int, allowed: tuple[int, int]) -> Submission:
    """Read the body of a request.

    Args:
        body: JSON.
        start: When the recording began, nanoseconds.
        allowed: Where segments may begin and end, nanoseconds from the start.

    Raises:
        LabelError: Something in it is not as it has to be.
    """
    root = Section(_parse(body), expected='a JSON object', error=LabelError)
    label_set = _label_set(root)
    low, high = allowed[0] - _ROUNDING, allowed[1] + _ROUNDING
    seconds = root.number('seconds')
    if not 0 <= seconds <= _FARTHEST:
        root.refuse('seconds', f'0 to {_FARTHEST}', seconds)
    return Submission(
        printable(_text(root, 'annotator').strip()),
        label_set,
        _segments(root, label_set, start, low, high),
        _text(root, 'from'),
        root.flag('done'),
        _edits(root),
        float(seconds),
    )


def _parse(body: bytes) -> object:
    try:
        return json.loads(body.decode('utf-8'), parse_constant=_refuse_constant)
    except RecursionError as error:
        msg = 'the JSON is nested too deep'
        raise LabelError(msg) from error
    except ValueError as error:
        msg = f'no JSON that can be read: {error}'
        raise LabelError(msg) from error


def _refuse_constant(name: str) -> NoReturn:
    msg = f'{name} is no number of JSON'
    raise ValueError(msg)


def _text(section: Section, key: str) -> str:
    text = section.text(key)
    if len(text) > _LONGEST:
        section.refuse(key, f'at most {_LONGEST} characters', text)
    _expect_unicode(text, key)
    return text


def _expect_unicode(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        msg = f'{what}: {shown(text)} is no valid Unicode'
        raise LabelError(msg) from error


def _edits(section: Section) -> int:
    edits: int = section.get('edits', (int,))
    if not 0 <= edits <= _FARTHEST:
        section.refuse('edits', f'0 to {_FARTHEST}', edits)
    return edits


def _label_set(root: Section) -> LabelSet:
    entries = root.get('labels', (list,))
    if len(entries) > MAX_LABELS:
        root.refuse('labels', f'at most {MAX_LABELS} labels', len(entries))
    names, parents = [], []
    for k, entry in enumerate(entries):
        section = root.part(f'labels[{k}]', entry)
        names.append(section.text('name'))
        parents.append(section.text('parent', ''))
        for text in (names[-1], parents[-1]):
            _expect_unicode(text, f'labels[{k}]')
    return LabelSet(tuple(names), tuple(parents))


def _segments(root: Section, label_set: LabelSet, start: int, low: int, high: int) -> list[Segment]:
    rows = root.get('segments', (list,))
    if len(rows) > MOST_SEGMENTS:
        root.refuse('segments', f'at most {MOST_SEGMENTS} segments', len(rows))
    segments: list[Segment] = []
    before = low
    for k, row in enumerate(rows):
        place = f'segments[{k}]'
        if not isinstance(row, list) or len(row) != len(_ROW):
            _refuse(place, f'a list of {", ".join(_ROW)}', row)
        begin, end, label, confidence, accepted = row
        if not is_kind(begin, int) or not is_kind(end, int):
            _refuse(place, 'times in whole nanoseconds', row)
        if not low <= begin < end <= high:
            span = f'{low / SECOND:.3f} to {high / SECOND:.3f} s'
            _refuse(place, f'a segment that ends after its start, within {span}', row)
        if begin < before:
            _refuse(place, f'segments in order of start, none before {before}', row)
        if not is_kind(label, int) or not UNKNOWN <= label < len(label_set.names):
            _refuse(place, f'a label from {UNKNOWN} to {len(label_set.names) - 1}', row)
        sure = 0.0 if confidence is None else confidence
        if not is_kind(sure, float) or not 0 <= sure <= 1:
            _refuse(place, 'a confidence from 0 to 1', row)
        if not isinstance(accepted, bool):
            _refuse(place, 'accepted to be true or false', row)
        before = begin
        # Where a person says nothing there is no segment.
        if label != UNKNOWN:
            name = label_set.names[label]
            segments.append(
                Segment(start + begin, start + end, name, 1.0 if accepted else float(sure))
            )
    return segments


_ROW: Final = ('start', 'end', 'label', 'confidence', 'accepted')


def _refuse(place: str, expected: str, value: Any) -> NoReturn:  # noqa: ANN401 - any JSON
    msg = f'{place}: expected {expected}, found {shown(value)}'
    raise LabelError(msg)
