# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sensors that die, stutter, or report a wrong time or wrong values, when asked to."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CAMERAS: Final = ('external_camera', 'hand_camera')
SENSORS: Final = ('wrench', 'pose', 'twist', 'gripper', 'joints', 'tf')
DEVICES: Final = (*CAMERAS, 'microphone', *SENSORS)
#: What a fault of a sensor may name: a device, or both cameras together.
TARGETS: Final = ('camera', *DEVICES)
#: What stands for the finished file of the recording.
FILE: Final = 'file'

DURATION: Final = 5.0
#: Newtons of force per newton metre of torque at which a wrench sensor saturates.
LEVER: Final = 20.0
_DAY: Final = 86_400.0
_NUMBER: Final = re.compile(r'-?([0-9]+\.?[0-9]*|\.[0-9]+)')
_GRAMMAR: Final = (
    'expected DEVICE-KIND[=VALUE]@START[+DURATION], such as camera-dropout@12s+500ms, '
    'wrench-saturate=20@30s or microphone-offset=0.15@0s+end, or file-truncate=0.8 or file-flip@12s'
)


class FaultKind(NamedTuple):
    """A way to fail.

    Attributes:
        value: Severity by default; 0 where there are no degrees.
        low: Least value.
        high: Greatest value.
        unit: Of the value: 's', 'N' or ''.
        targets: What can fail in this way.
        starts: It has a beginning.
        lasts: It has a duration.
    """

    value: float
    low: float
    high: float
    unit: str = ''
    targets: tuple[str, ...] = TARGETS
    starts: bool = True
    lasts: bool = True


KINDS: Final = {
    'dropout': FaultKind(0.0, 0.0, 0.0),
    'lost': FaultKind(0.2, 0.0, 1.0),
    'late': FaultKind(0.3, 0.0, _DAY, 's'),
    'offset': FaultKind(0.1, -_DAY, _DAY, 's'),
    'shift': FaultKind(0.1, -_DAY, _DAY, 's'),
    'freeze': FaultKind(0.0, 0.0, 0.0),
    'nan': FaultKind(0.0, 0.0, 0.0, targets=SENSORS),
    'saturate': FaultKind(20.0, 0.0, 1e6, 'N', targets=('wrench',)),
    'truncate': FaultKind(0.8, 0.0, 1.0, targets=(FILE,), starts=False, lasts=False),
    'flip': FaultKind(0.0, 0.0, 0.0, targets=(FILE,), lasts=False),
}
#: What lasts to the end where nothing else is said: lags of sound cards and of drivers that buffer
#: stay the same.
_LASTING: Final = ('microphone-offset', *(f'{target}-shift' for target in TARGETS))


@dataclass(frozen=True, slots=True)
class Packets:
    """Messages of one topic before they are serialised.

    Attributes:
        times: (n,), when they were sensed, true seconds from the start of the episode.
        stamps: (n,), header stamps, nanoseconds.
        log_times: (n,), when they were recorded, nanoseconds.
        values: (n, d), their content, in SI units; of images and sound, (n, 1), which of the
            packets of the healthy device has it.
        index: (n,), which of the packets of the healthy device these are.
    """

    times: Array
    stamps: Integers
    log_times: Integers
    values: Array
    index: Integers

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, which: slice | NDArray[np.bool_]) -> 'Packets':
        return Packets(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a device, and when.

    Attributes:
        device: One of TARGETS, or FILE.
        kind: One of KINDS.
        value: Severity; see FaultKind.
        start: Seconds from the start of the episode; 0 for a kind that does not start.
        duration: Seconds; infinite for a fault that lasts to the end, or a kind that does not last.

    Raises:
        ConfigError: Such a fault is not possible.
    """

    device: str
    kind: str
    value: float
    start: float
    duration: float

    def __post_init__(self) -> None:
        kind = _kind_of(self.device, self.kind)
        if not kind.low <= self.value <= kind.high:
            span = f'{_plain(kind.low)} to {_plain(kind.high)} {kind.unit}'.rstrip()
            msg = f'{self.kind} takes {span}, not {self.value}'
        elif not 0 <= self.start < math.inf:
            msg = f'a fault cannot start at {self.start} s, but from 0 s on'
        elif not self.duration > 0:
            msg = f'a fault cannot last {self.duration} s, but longer than 0 s'
        else:
            return
        raise ConfigError(msg)

    def __str__(self) -> str:
        kind = KINDS[self.kind]
        value = f'={_plain(self.value)}' if _takes_value(kind) else ''
        start = f'@{_plain(self.start)}s' if kind.starts else ''
        end = 'end' if self.duration == math.inf else f'{_plain(self.duration)}s'
        return f'{self.device}-{self.kind}{value}{start}{f"+{end}" if kind.lasts else ""}'

    def strikes(self, device: str) -> bool:
        """Return whether a device, one of DEVICES, has this fault."""
        return device == self.device or (self.device == 'camera' and device in CAMERAS)

    def covers(self, times: Array) -> NDArray[np.bool_]:
        """Return which of `times`, (n,) seconds, it covers, (n,)."""
        return (times >= self.start) & (times < self.start + self.duration)


def parse_fault(text: str, *, of_file: bool = False) -> Fault:
    """Return the fault that is written as DEVICE-KIND[=VALUE]@START[+DURATION].

    Times are in s, or in ms with that unit; a duration may be `end`. str(fault) is such text.

    Args:
        text: The fault.
        of_file: There is a file that can be damaged, as file-truncate=0.8 and file-flip@12s do.

    Raises:
        ConfigError: The text is not a fault, or one that is not possible.
    """
    try:
        fault = _parse(text.strip())
        if fault.device == FILE and not of_file:
            msg = 'there is no file here that could be damaged'
            raise ConfigError(msg)
        return fault
    except ConfigError as error:
        msg = f'fault {text!r}: {error}; {_GRAMMAR}'
        raise ConfigError(msg) from None


class FaultInjector:
    """Applies the faults of a device to its packets, block by block.

    Each fault draws from a generator of its own, one number per healthy packet: packets come out
    the same however they are cut into blocks, and whatever faults are listed after it.
    """

    def __init__(self, faults: Sequence[Fault], device: str, rng: np.random.Generator) -> None:
        """Take from `faults` those of `device`, one of DEVICES, in their order."""
        _check_known('device', device, DEVICES)
        self._faults = [fault for fault in faults if fault.strikes(device)]
        self._rngs = rng.spawn(len(self._faults))
        #: What each device went on to say before it froze, (1, d); empty before it said anything.
        self._last: list[Array] = [np.empty((0, 0)) for _ in self._faults]

    def apply(self, packets: Packets) -> Packets:
        """Return what becomes of the packets, which follow those of the previous call.

        Packets stay in the order in which they were sent: where some are late, log times do not
        ascend. By the sum of their delays, a later block may hold what was recorded earlier.
        """
        kept = np.ones(len(packets), np.bool_)
        stamps, log_times = packets.stamps.copy(), packets.log_times.copy()
        values = packets.values.copy()
        for k, (fault, rng) in enumerate(zip(self._faults, self._rngs, strict=True)):
            chance = rng.random(len(packets))
            on = fault.covers(packets.times)
            match fault.kind:
                case 'dropout':
                    kept &= ~on
                case 'lost':
                    kept &= ~on | (chance >= fault.value)
                case 'late':
                    log_times[on] += np.round(chance[on] * fault.value * 1e9).astype(np.int64)
                case 'offset':
                    stamps[on] += round(fault.value * 1e9)
                case 'shift':
                    stamps[on] += round(fault.value * 1e9)
                    log_times[on] += round(fault.value * 1e9)
                case 'freeze':
                    self._last[k] = _freeze(values, on, self._last[k])
                case 'nan':
                    values[on] = np.nan
                case 'saturate':
                    limit = fault.value / np.repeat([1.0, LEVER], 3)
                    values[on] = np.clip(values[on], -limit, limit)
        return Packets(packets.times, stamps, log_times, values, packets.index)[kept]


def _freeze(values: Array, on: NDArray[np.bool_], last: Array) -> Array:
    """Let values (n, d) stay what the one before was where `on`; returns the last, (1, d)."""
    if not len(values):
        return last
    source = np.where(on, -1, np.arange(len(values)))
    source = np.maximum.accumulate(source)
    if not len(last):  # it froze with the first thing that it said
        last = values[:1].copy()
    values[:] = np.where(source[:, None] < 0, last, values[source])
    return values[-1:].copy()


def _parse(text: str) -> Fault:
    what, at, when = text.partition('@')
    name, equals, value = what.partition('=')
    start, plus, duration = when.partition('+')
    device, _, kind_name = name.partition('-')
    kind = _kind_of(device, kind_name)
    _check_parts(kind_name, kind, value=bool(equals), starts=bool(at), lasts=bool(plus))
    if not plus:
        lasting = name in _LASTING or not kind.lasts
        duration = 'end' if lasting else str(DURATION)
    return Fault(
        device,
        kind_name,
        _number(value, timed=kind.unit == 's') if equals else kind.value,
        _number(start, timed=True) if at else 0.0,
        math.inf if duration == 'end' else _number(duration, timed=True),
    )


def _check_parts(name: str, kind: FaultKind, *, value: bool, starts: bool, lasts: bool) -> None:
    """Refuse text that says what a kind has not, or leaves out when it starts."""
    if value and not _takes_value(kind):
        msg = f'{name} takes no value: leave out what follows ='
    elif kind.starts and not starts:
        msg = 'it does not say when it starts'
    elif starts and not kind.starts:
        msg = f'{name} has no time: leave out what follows @'
    elif lasts and not kind.lasts:
        msg = f'{name} does not last: leave out what follows +'
    else:
        return
    raise ConfigError(msg)


def _number(text: str, *, timed: bool) -> float:
    """Return a finite number; where it is a time, seconds."""
    unit = next((u for u in ('ms', 's') if timed and text.endswith(u)), '')
    digits = text.removesuffix(unit)
    number = float(digits) if _NUMBER.fullmatch(digits) else math.inf
    if math.isinf(number):
        msg = f'{text!r} is no {"time, such as 12, 1.5s or 500ms" if timed else "number"}'
        raise ConfigError(msg)
    return number / 1000 if unit == 'ms' else number


def _kind_of(device: str, name: str) -> FaultKind:
    _check_known('device', device, (*TARGETS, FILE))
    _check_known(f'fault of {device}', name, [n for n, k in KINDS.items() if device in k.targets])
    return KINDS[name]


def _check_known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        msg = f'{name!r} is no {what}, known are {", ".join(known)}'
        raise ConfigError(msg)


def _takes_value(kind: FaultKind) -> bool:
    return kind.low < kind.high


def _plain(number: float) -> str:
    """Write a number that reads back as the same; without exponent, whose sign looks like +."""
    return np.format_float_positional(number, trim='-')
