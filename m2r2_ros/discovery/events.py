# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The method `events`: grippers, contacts, stops and pauses, by thresholds that the data show."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import DiscoveryError
from m2r2_ros.core.options import Section, read_options
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.event_rule import (
    CONTACT,
    DEPART,
    GRIP,
    STROKE,
    EventOptions,
    EventRule,
)
from m2r2_ros.discovery.method import Calibration, Recordings, Setting
from m2r2_ros.discovery.observations import Observed

#: Frames that it takes to tell what is fast, free or a blow.
ENOUGH: Final = 20
#: Frames that are looked at, at most; beyond, every second one is, and so on.
MOST: Final = 200_000
#: Speeds under this are those of a robot that stands, m/s.
_STANDS: Final = 1e-4
#: Widths that differ by less than this share of their level, or by less than _WIDTH, never change.
_SAME, _WIDTH = 1e-3, 1e-6


class EventDetector:
    """Applies EventRule to windows; keeps the protocol of a detector."""

    def __init__(self, options: EventOptions, setting: Setting) -> None:
        """Begin before the first frame."""
        self._options, self._setting = options, setting
        self.reset()

    @property
    def lag(self) -> int:
        """Frames that a score waits for."""
        return self._rule.lag

    def reset(self) -> None:
        """Forget all frames."""
        self._rule = EventRule(self._options, self._setting.frame_rate)
        self._frames = 0
        self._pending: deque[float] = deque()

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""
        seen = Observed.of(windows, self._setting.modalities)
        for row in range(len(seen)):
            self._pending.append(0.0)
            self._frames += 1
            first = self._frames - len(self._pending)
            for frame in self._rule.step(seen, row):
                if frame >= first:
                    self._pending[frame - first] = 1.0
        return self._release(len(self._pending) - self.lag)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the frames that are still pending, and reset."""
        scores = self._release(len(self._pending))
        self.reset()
        return scores

    def _release(self, count: int) -> NDArray[np.float32]:
        return np.array([self._pending.popleft() for _ in range(max(count, 0))], np.float32)


class EventsMethod:
    """Finds the thresholds of EventRule in recordings."""

    causal: Final = True
    grid: Final[Mapping[str, Sequence[float]]] = {
        'blow': (0.5, 0.75, 1.5),
        'slow': (0.5, 1.5),
        'pause': (2.0,),
    }

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find what is fast, a step of the gripper, a blow of contact, and force at rest.

        Raises:
            DiscoveryError: No arm, gripper or wrench moves in any recording.
        """
        return Calibration(asdict(options_of(observe(recordings, setting))))

    def open(self, calibration: Calibration, setting: Setting) -> EventDetector:
        """Return the detector; see Method."""
        section = Section(calibration.options, 'events')
        free = tuple(section.get('free_force', (list, tuple), (), expected='a list of numbers'))
        options = read_options(EventOptions, {**section.entries, 'free_force': free}, 'events')
        return EventDetector(options, setting)


METHOD: Final = EventsMethod()


def observe(recordings: Recordings, setting: Setting) -> Observed:
    """Observe recordings, in a sample that is spread evenly where there are very many frames.

    Raises:
        DiscoveryError: There are too few frames.
    """
    parts: list[Observed] = []
    step, kept, frames = 1, 0, 0
    for windows in recordings:
        for part in windows:
            parts.append(Observed.of(part, setting.modalities)[::step])
            frames, kept = frames + len(part), kept + len(parts[-1])
            if kept > MOST:
                parts = [Observed.join(parts)[::2]]
                step, kept = 2 * step, len(parts[0])
    if frames < ENOUGH:
        msg = f'{frames} frames in all recordings, expected at least {ENOUGH}'
        raise DiscoveryError(msg)
    return Observed.join(parts)


def options_of(seen: Observed) -> EventOptions:
    """Return the thresholds that observations of robots at work show.

    Raises:
        DiscoveryError: Nothing moves in them.
    """
    speed = _known(seen.speed)
    fast = float(np.percentile(speed, 95)) if len(speed) else 0.0
    step = max((_step(_known(widths)) for widths in seen.gripper.T), default=0.0)
    activity = _known(seen.activity)
    blow = float(np.percentile(activity, 95)) if len(activity) else 0.0
    if fast < _STANDS and not step and not blow:
        msg = (
            'events: no arm moves, no gripper opens or closes and no force changes in any '
            'recording: expected a twist, a pose, joints, a gripper or a wrench that does'
        )
        raise DiscoveryError(msg)
    free, away = _free(seen, fast)
    return EventOptions(
        cut=_cut(seen, step, blow, fast, free, away),
        fast=max(fast, _STANDS),
        gripper_step=step,
        blow=blow,
        calm=2.5 * float(np.percentile(activity, 20)) if len(activity) else 0.0,
        free_force=free,
        free_range=away,
    )


def _cut(
    seen: Observed, step: float, blow: float, fast: float, free: tuple[float, ...], away: float
) -> str:
    """Return what begins a segment of such a robot."""
    moves = fast >= _STANDS
    if moves and step:
        return DEPART
    if blow:
        known = np.isfinite(seen.force).all(axis=1)
        touches = np.linalg.norm(seen.force[known] - np.array(free), axis=1) > away
        return DEPART if moves and touches.mean() < 0.5 else CONTACT
    return STROKE if moves else GRIP


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _step(widths: NDArray[np.float64]) -> float:
    """Return the change of a width that counts; 0 of one that never changes."""
    if not len(widths):
        return 0.0
    low, high = np.percentile(widths, (2, 98))
    changes = high - low > max(_SAME * abs(high), _WIDTH)
    return 0.15 * float(high - low) if changes else 0.0


def _free(seen: Observed, fast: float) -> tuple[tuple[float, ...], float]:
    """Return mean and range of the force while nothing is touched.

    That is while arms move fast; of these frames the half with smaller forces, since some move fast
    while they push.
    """
    known = np.isfinite(seen.force).all(axis=1)
    if not seen.force.shape[1] or not known.any():
        return (), 0.0
    strokes = known & (seen.speed > fast / 2)
    force = seen.force[strokes if strokes.sum() >= ENOUGH else known]
    sizes = np.linalg.norm(force, axis=1)
    force = force[sizes <= np.median(sizes)]
    level = np.median(force, axis=0)
    away = float(np.median(np.linalg.norm(force - level, axis=1)))
    return tuple(level.tolist()), 6 * away
