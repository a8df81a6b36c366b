# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where events lie about the edges of labels, and by how much they have to be moved to fit.

Of each class, the events of each kind about its edges are a point process whose rate the reference
shows. The distance at which the events of other labels fit best is that of the highest likelihood.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND

Array = NDArray[np.float64]

#: Seconds about an edge whose events say where it is, and that labels may be moved by.
AROUND, FARTHEST = 2.0, 10.0
#: Seconds of a step, and by how much what is usual is spread, s.
STEP, _SPREAD = 0.02, 0.05
#: Edges so near to the ends of a recording are those of the recording, nanoseconds.
_ENDS: Final = SECOND // 2
#: Share of events that come at any time, and how many edges with such events are thought to have
#: been seen before any was, so that few edges do not say much.
_ANY, _DOUBT = 0.1, 5.0
#: Without a reference: seconds from an edge that an event belongs to it, the share of edges that
#: have one, and how much more likely each is then, as a logarithm.
_NEAR, _MOST_EDGES, _EACH = 0.1, 0.6, 3.0
_HALF: Final = round(AROUND / STEP)
_MOVE: Final = round(FARTHEST / STEP)
_WIDE: Final = _HALF + _MOVE
#: Distances that labels may have, s, and how far from the best one others are no part of its peak.
DISTANCES: Final = np.arange(-_MOVE, _MOVE + 1) * STEP
PEAK: Final = 0.15


class LabelEdge(NamedTuple):
    """Which edge of which label.

    Attributes:
        label: Of the segment.
        end: Whether it is where the segment ends.
    """

    label: str
    end: bool


@dataclass(frozen=True, slots=True)
class Offsets:
    """Where the events of a recording lie about the edges of its labels.

    Attributes:
        counts: How many edges there are of each.
        steps: int16 (n,) for each edge and kind of event, steps from the edge to the event.
        rates: SensedEvents of each kind in a step.
    """

    counts: Mapping[LabelEdge, int]
    steps: Mapping[tuple[LabelEdge, str], NDArray[np.int16]]
    rates: Mapping[str, float]


def offsets_of(
    segments: Sequence[Segment], events: SensedEvents, span: tuple[int, int], *, moved: bool = False
) -> Offsets:
    """Return where events lie about the edges of labels, up to AROUND.

    Args:
        segments: With labels.
        events: What happened.
        span: When the recording began and ended, nanoseconds.
        moved: Go further, by FARTHEST, for labels that may have to be moved.
    """
    reach = AROUND + (FARTHEST if moved else 0.0)
    edges: dict[LabelEdge, list[int]] = {}
    for s in segments:
        for end, time in ((False, s.start), (True, s.end)):
            if span[0] + _ENDS < time < span[1] - _ENDS:
                edges.setdefault(LabelEdge(s.label, end), []).append(time)
    steps = {
        (edge, kind): _steps(np.array(times, np.int64), found, reach)
        for edge, times in edges.items()
        for kind, found in events.times.items()
    }
    length = max((span[1] - span[0]) / SECOND / STEP, 1.0)
    rates = {kind: len(times) / length for kind, times in events.times.items()}
    return Offsets({edge: len(times) for edge, times in edges.items()}, steps, rates)


class Fit:
    """How well events fit at each distance.

    Attributes:
        edges: How many edges were compared.
        likelihood: (distances,), logarithms, of events that belong there over any.
    """

    def __init__(self, edges: int = 0, likelihood: Array | None = None) -> None:
        """Begin with nothing compared."""
        self.edges = edges
        self.likelihood = np.zeros(len(DISTANCES)) if likelihood is None else likelihood

    def __add__(self, other: 'Fit') -> 'Fit':
        return Fit(self.edges + other.edges, self.likelihood + other.likelihood)

    @property
    def distance(self) -> float:
        """How much later than usual the labels are, s."""
        best = int(np.argmax(self.likelihood))
        if not 0 < best < len(DISTANCES) - 1:
            return float(DISTANCES[best])
        before, top, after = self.likelihood[best - 1 : best + 2].tolist()
        bend = before - 2 * top + after  # of the parabola through the three
        return float(DISTANCES[best] + (STEP * (before - after) / (2 * bend) if bend else 0.0))

    @property
    def second(self) -> float:
        """The best distance that is no part of the highest peak, s."""
        return float(DISTANCES[int(np.argmax(np.where(self._far, self.likelihood, -np.inf)))])

    @property
    def margin(self) -> float:
        """By how much the best distance is better than the second."""
        return float(self.likelihood.max() - self.likelihood[self._far].max())

    @property
    def _far(self) -> NDArray[np.bool_]:
        far: NDArray[np.bool_] = np.abs(DISTANCES - self.distance) > PEAK
        return far


class Fitter:
    """Compares events with those of a reference."""

    def __init__(
        self, reference: Sequence[Offsets], parents: Mapping[str, str], least: int
    ) -> None:
        """Take a reference.

        Args:
            reference: Of its recordings.
            parents: Coarse label of each name, for classes that it has too few of.
            least: Edges of a class that it takes.
        """
        self._reference, self._parents, self._least = reference, parents, least

    def fits(self, offsets: Offsets) -> Iterator[tuple[str, Fit]]:
        """Yield how well the events about the edges of each class fit."""
        for edge, count in offsets.counts.items():
            total = Fit()
            for kind in offsets.rates:
                usual = self._usual(edge, kind)
                if usual is not None:
                    # At each distance, an event counts as it would at the edge that is so far off.
                    about = sliding_window_view(
                        np.pad(usual, _WIDE + _MOVE - _HALF), len(DISTANCES)
                    )
                    events = offsets.steps[edge, kind].astype(np.int64) + _WIDE
                    total += Fit(count, about[events].sum(axis=0))
            if total.edges:
                yield edge.label, Fit(count, total.likelihood)

    def _usual(self, edge: LabelEdge, kind: str) -> Array | None:
        """Return the logarithm of how much likelier an event of a kind is at each step."""
        own = self._pooled({edge.label}, edge.end, kind)
        parent = self._parents.get(edge.label, '')
        if own is not None or not parent:
            return own
        family = {name for name, other in self._parents.items() if other == parent}
        return self._pooled(family, edge.end, kind)

    def _pooled(self, labels: set[str], end: bool, kind: str) -> Array | None:
        edges = [LabelEdge(label, end) for label in sorted(labels)]
        told = [one for one in self._reference if kind in one.rates]
        count = sum(one.counts.get(edge, 0) for one in told for edge in edges)
        if count < self._least:
            return None
        found = [one.steps[edge, kind] for one in told for edge in edges if edge in one.counts]
        steps = np.concatenate(found).astype(np.int64) + _HALF
        seen = np.bincount(steps, minlength=2 * _HALF + 1)
        anywhere = max(float(np.mean([one.rates[kind] for one in told])), 1e-6)
        seen_so = np.convolve(seen, _BELL, 'same') / anywhere
        likelier = (seen_so + _DOUBT) / (count + _DOUBT)
        usual: Array = np.log((1 - _ANY) * likelier + _ANY)
        return usual


def plain_fit(offsets: Offsets) -> Fit:
    """Return how well one kind of event fits edges that it ought to lie at, without a reference.

    That is only known where most edges have one within _NEAR of them, and few have one elsewhere;
    the likelihood is a rough one.
    """
    best = Fit()
    edges = sum(offsets.counts.values())
    for kind in offsets.rates:
        found = [steps for (_, other), steps in offsets.steps.items() if other == kind]
        steps = np.concatenate(found).astype(np.int64) + _WIDE if found else np.zeros(0, np.int64)
        seen = np.bincount(steps, minlength=2 * _WIDE + 1)
        near = np.convolve(seen, _ROOF, 'same')[_HALF:-_HALF][::-1]
        fit = Fit(edges, _EACH * near)
        clear = near.max() >= _MOST_EDGES * edges and 2 * fit.margin >= fit.likelihood.max()
        if clear and fit.likelihood.max() > best.likelihood.max():
            best = fit
    return best


def _steps(edges: NDArray[np.int64], times: NDArray[np.int64], seconds: float) -> NDArray[np.int16]:
    """Return steps from edges to the events about them."""
    width, reach = round(STEP * SECOND), round(seconds * SECOND)
    first, last = np.searchsorted(times, edges - reach), np.searchsorted(times, edges + reach)
    found = [
        np.round((times[a:b] - edge) / width) for edge, a, b in zip(edges, first, last, strict=True)
    ]
    return np.concatenate(found).astype(np.int16)


def _bell() -> Array:
    steps = np.arange(-round(4 * _SPREAD / STEP), round(4 * _SPREAD / STEP) + 1)
    bell = np.exp(-0.5 * (steps * STEP / _SPREAD) ** 2)
    shares: Array = bell / bell.sum()
    return shares


_BELL: Final = _bell()
_ROOF: Final = np.maximum(1 - np.abs(np.arange(-_MOVE, _MOVE + 1)) * STEP / _NEAR, 0)
