# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels that are dropped, renamed, split, swapped or shifted, when asked to."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND, to_ns

#: In front of the kind, where faults of devices have the device.
LABEL: Final = 'label'
_GRAMMAR: Final = (
    'expected label-KIND=VALUE[@START[+DURATION]], such as label-shift=0.4, label-drop=0.1@30s or '
    'label-swap=0.2@0s+60s'
)
_SHAPE: Final = re.compile(
    r'label-(?P<kind>[a-z]+)=(?P<value>-?[0-9.]+)(?P<unit>ms|s)?'
    r'(@(?P<start>[0-9.]+)(?P<start_unit>ms|s)?(\+(end|(?P<duration>[0-9.]+)'
    r'(?P<duration_unit>ms|s)?))?)?'
)
#: Seconds that labels may be shifted by.
_FARTHEST: Final = 3600.0
#: Where a label may be split, as shares of its length.
_SPLIT: Final = (0.3, 0.7)


@dataclass(frozen=True, slots=True)
class LabelFault:
    """What goes wrong with labels, and when.

    Attributes:
        kind: 'drop', 'rename', 'split', 'swap' (with the label that follows) or 'shift'.
        value: Share of the labels, over 0 and up to 1; of 'shift', seconds by which all are later.
        start: Seconds from the start of the recording.
        duration: Seconds; infinite for a fault that lasts to the end.

    Raises:
        ConfigError: Such a fault is not possible.
    """

    kind: str
    value: float
    start: float = 0.0
    duration: float = math.inf

    def __post_init__(self) -> None:
        if self.kind not in _FAULTS:
            msg = f'{self.kind!r} is no fault of labels, known are {", ".join(_FAULTS)}'
        elif self.kind == 'shift' and not 0 < abs(self.value) <= _FARTHEST:
            msg = f'shift takes seconds up to {_FARTHEST:g} and other than 0, not {self.value}'
        elif self.kind != 'shift' and not 0 < self.value <= 1:
            msg = f'{self.kind} takes a share of the labels over 0 and up to 1, not {self.value}'
        elif not (0 <= self.start < math.inf and self.duration > 0):
            msg = f'a fault cannot start at {self.start} s and last {self.duration} s'
        else:
            return
        raise ConfigError(msg)

    def __str__(self) -> str:
        """Return the text that `parse_label_fault` reads."""
        start, value = (np.format_float_positional(x, trim='-') for x in (self.start, self.value))
        duration = np.format_float_positional(self.duration, trim='-')
        lasts = 'end' if math.isinf(self.duration) else f'{duration}s'
        return f'{LABEL}-{self.kind}={value}@{start}s+{lasts}'


class FaultyLabel(NamedTuple):
    """What was done to a label.

    Attributes:
        kind: Of the fault.
        before: The segment as it was.
        after: What became of it: none, one or two segments.
    """

    kind: str
    before: Segment
    after: tuple[Segment, ...]


def is_label_fault(text: str) -> bool:
    """Return whether a fault is written as one of labels, and not of a device."""
    return text.strip().startswith(f'{LABEL}-')


def parse_label_fault(text: str) -> LabelFault:
    """Return the fault that is written as label-KIND=VALUE[@START[+DURATION]].

    Times are in s, or in ms with that unit; a duration may be `end`, and is so by default.

    Raises:
        ConfigError: The text is not a fault, or one that is not possible.
    """
    found = _SHAPE.fullmatch(text.strip())
    try:
        if found is None:
            msg = 'it is not written as one of labels'
            raise ConfigError(msg)
        if found['unit'] and found['kind'] != 'shift':
            msg = f'{found["kind"]} takes a share of the labels, not a time'
            raise ConfigError(msg)
        start, duration = found['start'], found['duration']
        return LabelFault(
            found['kind'],
            _number(found['value'], found['unit']),
            _number(start, found['start_unit']) if start else 0.0,
            _number(duration, found['duration_unit']) if duration else math.inf,
        )
    except ConfigError as error:
        msg = f'fault {text!r}: {error}; {_GRAMMAR}'
        raise ConfigError(msg) from None


def apply_label_faults(
    segments: Sequence[Segment],
    faults: Sequence[LabelFault],
    rng: np.random.Generator,
    names: Sequence[str] = (),
    start: int | None = None,
) -> tuple[list[Segment], list[FaultyLabel]]:
    """Return labels with faults, in order of start, and what was changed.

    Each fault draws from a generator of its own, so that it does the same whatever comes after it.

    Args:
        segments: In order of start.
        faults: Applied one after the other.
        rng: Decides which labels have them.
        names: Labels that others may be renamed to; the ones that are used by default.
        start: When the recording began, nanoseconds; None for the start of the first label.
    """
    labels = list(segments)
    names = list(dict.fromkeys(names or (s.label for s in segments)))
    origin = start if start is not None else min((s.start for s in segments), default=0)
    changes: list[FaultyLabel] = []
    for fault, own in zip(faults, rng.spawn(len(faults)), strict=True):
        seconds = [(s.start - origin) / SECOND for s in labels]
        covered = [k for k, t in enumerate(seconds) if 0 <= t - fault.start < fault.duration]
        if covered:
            found = _FAULTS[fault.kind](labels, covered, fault.value, own, names)
            changes += found
            labels = _changed(labels, found)
    return labels, changes


def _changed(labels: Sequence[Segment], changes: Sequence[FaultyLabel]) -> list[Segment]:
    """Return segments in which some have become others."""
    after = {id(change.before): change.after for change in changes}
    made = [new for s in labels for new in after.get(id(s), (s,))]
    return sorted(made, key=lambda s: (s.start, s.end))


Faulty = Callable[
    [Sequence[Segment], Sequence[int], float, np.random.Generator, Sequence[str]],
    list[FaultyLabel],
]


def _chosen(covered: Sequence[int], share: float, rng: np.random.Generator) -> list[int]:
    """Return so large a share of places, one at least, in order."""
    count = max(1, round(share * len(covered)))
    return sorted(rng.choice(covered, size=count, replace=False).tolist())


def _drop(
    labels: Sequence[Segment],
    covered: Sequence[int],
    value: float,
    rng: np.random.Generator,
    _: Sequence[str],
) -> list[FaultyLabel]:
    return [FaultyLabel('drop', labels[k], ()) for k in _chosen(covered, value, rng)]


def _rename(
    labels: Sequence[Segment],
    covered: Sequence[int],
    value: float,
    rng: np.random.Generator,
    names: Sequence[str],
) -> list[FaultyLabel]:
    changes = []
    for k in _chosen(covered, value, rng):
        if others := [name for name in names if name != labels[k].label]:
            new = replace(labels[k], label=str(rng.choice(others)))
            changes.append(FaultyLabel('rename', labels[k], (new,)))
    return changes


def _split(
    labels: Sequence[Segment],
    covered: Sequence[int],
    value: float,
    rng: np.random.Generator,
    _: Sequence[str],
) -> list[FaultyLabel]:
    changes = []
    for k in _chosen(covered, value, rng):
        s = labels[k]
        middle = s.start + round((s.end - s.start) * float(rng.uniform(*_SPLIT)))
        parts = (replace(s, end=middle), replace(s, start=middle))
        changes.append(FaultyLabel('split', s, parts))
    return changes


def _swap(
    labels: Sequence[Segment],
    covered: Sequence[int],
    value: float,
    rng: np.random.Generator,
    _: Sequence[str],
) -> list[FaultyLabel]:
    """Exchange labels with the one that follows, where it is another and neither was exchanged."""
    changes: list[FaultyLabel] = []
    last = -1
    able = [k for k in covered if k + 1 < len(labels) and labels[k].label != labels[k + 1].label]
    for k in _chosen(able, value / 2, rng) if able else ():
        if k > last:
            first, second = labels[k], labels[k + 1]
            changes.append(FaultyLabel('swap', first, (replace(first, label=second.label),)))
            changes.append(FaultyLabel('swap', second, (replace(second, label=first.label),)))
            last = k + 1
    return changes


def _shift(
    labels: Sequence[Segment],
    covered: Sequence[int],
    value: float,
    _: np.random.Generator,
    __: Sequence[str],
) -> list[FaultyLabel]:
    by = to_ns(value)
    moved = [
        replace(labels[k], start=labels[k].start + by, end=labels[k].end + by) for k in covered
    ]
    return [FaultyLabel('shift', labels[k], (m,)) for k, m in zip(covered, moved, strict=True)]


_FAULTS: Final[dict[str, Faulty]] = {
    'drop': _drop, 'rename': _rename, 'split': _split, 'swap': _swap, 'shift': _shift,
}  # fmt: skip


def _number(text: str, unit: str | None) -> float:
    """Return a number; where it is a time, seconds."""
    try:
        number = float(text)
    except ValueError:
        msg = f'{text!r} is no number'
        raise ConfigError(msg) from None
    return number / 1000 if unit == 'ms' else number
