# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The check of content: what one sensor felt, another ought to have felt at the same time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.correlation import Peak, best_lag
from m2r2_ros.checks.recording.options import OffsetOptions
from m2r2_ros.checks.recording.readings import Readings, is_commanded
from m2r2_ros.checks.recording.signals import ForceChange, Loudness, Pieces, Signal, Speed
from m2r2_ros.core.samples import Samples, SoundSamples, VectorSamples
from m2r2_ros.core.text import listed

OFFSET: Final = 'time.content_offset'
#: Which sensors feel the same, and what: knocks are heard and felt, and motion is seen by all that
#: measure it. The fingers of a gripper are among the joints of the robot, by whatever name.
_PAIRS: Final = {
    ('sound', 'wrench'): 'knocks',
    ('pose', 'twist'): 'motion',
    ('pose', 'joints'): 'motion',
    ('twist', 'joints'): 'motion',
    ('gripper', 'joints'): 'the motion of the gripper',
}
_FELT: Final = {like for pair in _PAIRS for like in pair}
#: Columns of a sensor that go into its signal.
_ALL: Final = slice(None)
_COLUMNS: Final = {'pose': slice(0, 3), 'twist': slice(0, 3), 'gripper': slice(0, 1)}
#: Arm joints at most: positions come first.
_ARM: Final = 7

_Kept = Loudness | ForceChange | Speed


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sensors that were held against each other.

    Attributes:
        names: Their names.
        peak: Where they fit best; None where there was nothing to compare.
        felt: What both felt.
    """

    names: tuple[str, str]
    peak: Peak | None
    felt: str


class ContentOffsetObserver(Observer):
    """Keeps what sensors felt."""

    checks = (OFFSET,)

    def __init__(self, recording: Recording, readings: Readings, options: OffsetOptions) -> None:
        """Begin; see recording_observers."""
        self._options = options
        self._span = recording.start, recording.end
        self._grid = Pieces(recording.start, recording.end, options.step)
        self._topics = {n: spec.topic for n, spec in readings.specs.items()}
        self._kept: dict[str, _Kept] = {}
        self._like: dict[str, str] = {}
        for name, spec in readings.specs.items():
            like = 'sound' if spec.kind == 'sound' else spec.convention
            # What is commanded runs ahead of what is measured, and rightly so.
            if like in _FELT and not is_commanded(spec.topic):
                self._kept[name], self._like[name] = self._new(like), like

    def samples(self, name: str, samples: Samples) -> None:
        """Take what a sensor felt."""
        kept = self._kept.get(name)
        if isinstance(kept, Loudness):
            if isinstance(samples, SoundSamples):
                kept.add(samples)
        elif kept is not None and isinstance(samples, VectorSamples) and len(samples.values):
            finite = np.isfinite(samples.values).all(1)
            if not finite.all():
                samples = VectorSamples(
                    samples.stamps[finite], samples.arrival[finite], samples.values[finite]
                )
            if len(samples.values):
                kept.add(samples)

    def finish(self) -> Iterable[Result]:
        """Yield the sensors that felt the same at another time than others."""
        pairs = self._pairs()
        if not pairs:
            yield NotRun(
                OFFSET,
                'no two sensors that feel the same: sound and wrench, or two of pose, twist and '
                'joint states',
            )
            return
        clear = {pair.names: pair for pair in pairs if self._is_clear(pair.peak)}
        vague = [' and '.join(pair.names) for pair in pairs if pair.names not in clear]
        if vague:
            yield NotRun(OFFSET, f'no clear peak between {listed(vague)}')
        yield from self._judge(list(clear.values()))

    def _new(self, like: str) -> _Kept:
        if like == 'sound':
            return Loudness(self._grid)
        if like == 'wrench':
            return ForceChange(self._grid)
        return Speed(self._grid, _COLUMNS.get(like, _ALL), rates=like == 'twist')

    def _pairs(self) -> list[_Pair]:
        """Hold against each other what feels the same; each with what it fits best."""
        names: dict[str, list[str]] = defaultdict(list)
        for name, like in self._like.items():
            names[like].append(name)
        signals = {name: self._signals(name) for name in self._kept}
        found = []
        for (one, other), felt in _PAIRS.items():
            column = 'columns' if (one, other) == ('gripper', 'joints') else 'whole'
            for first in names[one]:
                tried = []
                for second in names[other]:
                    peak = self._best(signals[first], signals[second], column)
                    tried.append(_Pair((first, second), peak, felt))
                if tried:
                    found.append(max(tried, key=_height))
        return found

    def _signals(self, name: str) -> Mapping[str, Sequence[Signal]]:
        kept = self._kept[name]
        if not isinstance(kept, Speed) or self._like[name] != 'joints':
            return {'whole': [kept.signal()], 'columns': [kept.signal()]}
        columns = kept.columns()
        arm = np.sqrt(np.square(columns[:_ARM]).sum(0))
        return {'whole': [arm], 'columns': list(columns)}

    def _best(
        self,
        first: Mapping[str, Sequence[Signal]],
        second: Mapping[str, Sequence[Signal]],
        which: str,
    ) -> Peak | None:
        most = round(self._options.lag / self._options.step)
        (one,) = first['whole']
        peaks = [best_lag(one, other, most) for other in second[which]]
        known = [peak for peak in peaks if peak is not None]
        return max(known, key=lambda peak: peak.height, default=None)

    def _is_clear(self, peak: Peak | None) -> bool:
        o = self._options
        if peak is None or peak.steps * o.step < o.moving or peak.height < o.least:
            return False
        return peak.height >= o.correlation or peak.height >= o.twice * peak.second

    def _judge(self, pairs: Sequence[_Pair]) -> Iterator[Result]:
        """Yield who is off: the one that differs from all others, where there are others."""
        lags: dict[str, list[tuple[float, _Pair]]] = defaultdict(list)
        for pair in pairs:
            assert pair.peak is not None
            lag = pair.peak.lag * self._options.step
            lags[pair.names[0]].append((-lag, pair))
            lags[pair.names[1]].append((lag, pair))
        told: set[tuple[str, str]] = set()
        # Who differs from all, and from most: it is to blame where two differ.
        order = sorted(lags, key=lambda name: (self._good(lags[name]), -len(lags[name])))
        for name in order:
            off = [(lag, pair) for lag, pair in lags[name] if abs(lag) >= self._options.warning]
            off = [(lag, pair) for lag, pair in off if pair.names not in told]
            if off:
                told |= {pair.names for _, pair in off}
                alone = len(lags[name]) == 1 and self._alone(lags, off[0][1])
                yield self._finding(name, off, unsure=alone)

    def _good(self, found: Sequence[tuple[float, _Pair]]) -> int:
        return sum(abs(lag) < self._options.warning for lag, _ in found)

    def _alone(self, lags: Mapping[str, Sequence[object]], pair: _Pair) -> bool:
        """Return whether nothing else says which of two is off."""
        return all(len(lags[name]) == 1 for name in pair.names)

    def _finding(self, name: str, off: Sequence[tuple[float, _Pair]], *, unsure: bool) -> Finding:
        options = self._options
        lag, best = max(off, key=lambda entry: _height(entry[1]))
        severe = abs(lag) > options.error
        others = listed(sorted({n for _, pair in off for n in pair.names if n != name}))
        peak = best.peak
        assert peak is not None
        side = 'later' if lag > 0 else 'earlier'
        doubt = '; either may be off' if unsure else ''
        return Finding(
            OFFSET, Severity.ERROR if severe else Severity.WARNING,
            f'{name} says {best.felt} {1000 * abs(lag):.0f} ms {side} than {others} '
            f'(correlation {peak.height:.2f}, the next best {peak.second:.2f}){doubt}',
            self._topics[name], *self._span, measured=lag,
            threshold=options.error if severe else options.warning, unit='s',
        )  # fmt: skip


def _height(pair: _Pair) -> float:
    return pair.peak.height if pair.peak else -1.0
