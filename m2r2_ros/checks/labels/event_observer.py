# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events of a recording, gathered while it is read for all checks."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.labels.events import (
    SensedEvents,
    Times,
    force_events,
    gripper_events,
    motion_events,
)
from m2r2_ros.checks.labels.means import Means
from m2r2_ros.checks.observer import Observer
from m2r2_ros.core.samples import Samples, VectorSamples
from m2r2_ros.core.time import SECOND

#: Numbers that are looked at of a sensor that is like a built-in one.
_COLUMNS: Final = {'gripper': 1, 'wrench': 3, 'twist': 6, 'pose': 3}
#: What events of such a sensor are called by.
_CALLED: Final = {'gripper': 'gripper', 'wrench': 'force', 'twist': 'arm', 'pose': 'arm'}
#: Seconds over which a place is compared for a speed.
_STEP: Final = 0.06


class EventObserver(Observer):
    """Keeps means of grippers, forces and motion, of which there are few, and finds events in them.

    It gives no results itself: the events are for `label_results`.
    """

    def __init__(self, conventions: Mapping[str, str] | None = None) -> None:
        """Begin before the first sample.

        Args:
            conventions: The built-in modality that each sensor is like, by its name; a sensor that
                is not in it is like the built-in one of its name, if there is one.
        """
        self._conventions = dict(conventions or {})
        self._means: dict[str, Means] = {}

    def samples(self, name: str, samples: Samples) -> None:
        """Take the next samples of a sensor; see Observer."""
        like = self._like(name)
        columns = _COLUMNS.get(like, 0)
        if not columns or not isinstance(samples, VectorSamples) or not len(samples.stamps):
            return
        if samples.values.ndim != 2 or samples.values.shape[1] < columns:
            return
        if name not in self._means:
            self._means[name] = Means(columns)
        self._means[name].add(samples.stamps, samples.values[:, :columns])

    def events(self) -> SensedEvents:
        """Return what happened in what was seen so far."""
        found: dict[str, Times] = {}
        for name in sorted(self._means, key=self._order):
            for kind, times in self._found(name):
                found.setdefault(kind, times)
        return SensedEvents(found)

    def _like(self, name: str) -> str:
        return self._conventions.get(name, name)

    def _order(self, name: str) -> tuple[bool, str]:
        """Return what sorts twists before the poses that they go with."""
        return self._like(name) == 'pose', name

    def _found(self, name: str) -> Iterator[tuple[str, Times]]:
        means, like = self._means[name], self._like(name)
        values = means.means()
        called = name.replace(like, _CALLED[like]).replace('_', ' ')
        called = called if _CALLED[like] in called else f'{called} {_CALLED[like]}'
        place = (means.origin + means.width // 2, means.width)
        if like == 'gripper':
            yield from gripper_events(called, values[:, 0], *place)
        elif like == 'wrench':
            yield from force_events(called, values, *place)
        else:
            speed = _speed(values, means.width) if like == 'pose' else _fastest(values)
            yield from motion_events(called, speed, *place)


def _fastest(twist: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the speed of an arm, m/s; of one that only turns, rad/s."""
    moves, turns = (np.linalg.norm(twist[:, k : k + 3], axis=1) for k in (0, 3))
    still = not (np.nan_to_num(moves) > 1e-3).any()
    fastest: NDArray[np.float64] = turns if still else moves
    return fastest


def _speed(places: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return how fast a place changes, m/s."""
    there = np.isfinite(places).all(axis=1)
    if there.sum() < 2:
        return np.full(len(places), np.nan)
    index = np.arange(len(places))
    held = np.stack([np.interp(index, index[there], column[there]) for column in places.T], axis=1)
    half = max(1, round(_STEP * SECOND / width / 2))
    before, after = np.maximum(index - half, 0), np.minimum(index + half, len(index) - 1)
    seconds = np.maximum(after - before, 1) * (width / SECOND)
    speed: NDArray[np.float64] = np.linalg.norm(held[after] - held[before], axis=1) / seconds
    return speed
