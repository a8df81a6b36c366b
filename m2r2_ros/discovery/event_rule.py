# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where segments begin by what happens: a causal rule over the observations of one frame at a time.

An arm moves in strokes, between which it slows down. What is done to the world happens in between:
fingers close or open, something is touched. A skill therefore ends after the stroke in which the
arm departs from there, as a pick ends with the lift. Of an arm that is in touch most of the time, a
segment begins with each blow of contact; where nothing is known of fingers and forces, between two
strokes; and where nothing is known of motion, with each move of the fingers. Standing idle, without
any force, is a segment by itself.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import above, between, check_options, is_kind, one_of, shown
from m2r2_ros.discovery.observations import Observed

DEPART, CONTACT, STROKE, GRIP = CUTS = ('depart', 'contact', 'stroke', 'grip')
#: A blow of contact is over once activity was under this share of the threshold for _CALM.
_OVER: Final = 0.4
#: Seconds: of calm between two blows; that the beginning of a blow is looked back for; over which
#: the width of a gripper is compared.
_CALM, _LOOK_BACK, _STEP = 0.4, 0.2, 0.3


@dataclass(frozen=True, slots=True)
class EventOptions:
    """Parameters of the rule, found in recordings by `discovery.events`.

    Attributes:
        cut: What begins a segment: 'depart', 'contact', 'stroke' or 'grip'; see the module.
        fast: Speed of a fast stroke, as of Observed.
        slow: A stroke is faster than this share of `fast`; between strokes it is slower.
        still: An arm that stands is slower than this share of `fast`.
        gripper_step: Change of a width that counts, in its unit; 0 without a gripper.
        blow: Activity of a contact, N; 0 without a wrench.
        calm: Activity while nothing is touched, N.
        free_force: Mean force while nothing is touched, N, of each wrench.
        free_range: How far from it force may be then, N.
        pause: Seconds of standing idle that are a segment.
        near: Seconds about a boundary in which events belong to it.
        min_duration: Shortest segment, s.
    """

    cut: str = one_of(STROKE, CUTS)
    fast: float = above(0.1, 0, 1e6)
    slow: float = between(0.2, 0.01, 0.9)
    still: float = between(0.03, 1e-4, 0.5)
    gripper_step: float = between(0.0, 0, 1e6)
    blow: float = between(0.0, 0, 1e9)
    calm: float = between(0.0, 0, 1e9)
    free_force: tuple[float, ...] = ()
    free_range: float = between(0.0, 0, 1e9)
    pause: float = between(0.5, 0.1, 60)
    near: float = between(0.5, 0, 60)
    min_duration: float = between(0.3, 0, 60)

    def __post_init__(self) -> None:
        if not all(is_kind(value, float) for value in self.free_force):
            msg = f'events.free_force: expected numbers, found {shown(self.free_force)}'
            raise ConfigError(msg)
        check_options(self, 'events')


class EventRule:
    """Applies the rule, frame by frame, in constant time and memory."""

    def __init__(self, options: EventOptions, frame_rate: float) -> None:
        """Begin before the first frame."""
        self._o = options
        self._pause = max(2, round(options.pause * frame_rate))
        self._near = round(options.near * frame_rate)
        self._least = max(1, round(options.min_duration * frame_rate))
        self._step = max(1, round(_STEP * frame_rate))
        self._rearm = max(1, round(_CALM * frame_rate))
        self._back = round(_LOOK_BACK * frame_rate)
        self._frame = -1
        self._last = 0
        self._widths: deque[NDArray[np.float64]] = deque(maxlen=self._step + 1)
        self._activity: deque[float] = deque(maxlen=self._back + 2)
        self._before = (np.inf, np.inf)  # mean and lowest speed of the frame before
        self._stroke = _Stroke()
        self._grips = False
        self._armed, self._calm = True, 0
        self._idle, self._paused = 0, False

    @property
    def lag(self) -> int:
        """Frames after which it is known whether a segment begins at one."""
        return max(self._pause, self._step, self._back + 1) + 1

    def step(self, seen: Observed, row: int) -> list[int]:
        """Take the next frame; return where segments begin, by number of frame, up to `lag` before.

        Args:
            seen: Observations.
            row: The frame among them.
        """
        self._frame += 1
        speed, slowest = seen.speed[row] / self._o.fast, seen.slowest[row] / self._o.fast
        activity = float(np.nan_to_num(seen.activity[row]))
        self._activity.append(activity)
        grips = self._moves_gripper(seen.gripper[row])
        cuts = self._blow(activity, speed) + self._grip(grips=grips)
        cuts += self._depart(speed, slowest)
        idle = speed < self._o.still and not grips and self._is_free(seen.force[row], activity)
        cuts += self._pauses(speed, idle=bool(idle))
        self._before = (speed, slowest)
        return cuts

    def _cut(self, frame: int) -> list[int]:
        """Begin a segment, unless the one before would be too short."""
        if frame - self._last < self._least:
            return []
        self._last = frame
        self._stroke = _Stroke()
        return [frame]

    def _event(self, frame: int) -> None:
        """Note that something happened to the world, unless it belongs to the last boundary."""
        if frame - self._last >= self._near and not self._paused and not self._stroke.due:
            self._stroke = _Stroke(due=True)

    def _moves_gripper(self, widths: NDArray[np.float64]) -> bool:
        """Return whether fingers have opened or closed by a step just now."""
        if self._widths:  # what is masked stays where it was
            widths = np.where(np.isfinite(widths), widths, self._widths[-1])
        self._widths.append(widths)
        change = np.abs(widths - self._widths[0])
        return self._o.gripper_step > 0 and bool((change > self._o.gripper_step).any())

    def _grip(self, *, grips: bool) -> list[int]:
        begins, self._grips = grips and not self._grips, grips
        if not begins:
            return []
        start = self._frame - self._step + 1
        if self._o.cut == GRIP:
            return self._cut(start)
        self._event(start)
        return []

    def _blow(self, activity: float, speed: float) -> list[int]:
        """Take note of contact; a blow begins where activity begins to rise."""
        blow = self._o.blow > 0 and activity > self._o.blow
        first = blow and self._armed
        self._calm = 0 if activity >= _OVER * self._o.blow else self._calm + 1
        self._armed = not blow and (self._armed or self._calm >= self._rearm)
        if self._o.cut != CONTACT:
            if blow and speed < self._o.slow:
                self._event(self._frame)
            return []
        return self._cut(self._rises_at()) if first else []

    def _rises_at(self) -> int:
        recent = list(self._activity)
        k = len(recent) - 1
        while k > 1 and recent[k - 1] >= _OVER * self._o.blow:
            k -= 1
        return self._frame - (len(recent) - 1 - k)

    def _depart(self, speed: float, slowest: float) -> list[int]:
        """Follow the arm from where something happened to the end of its next stroke."""
        if not (self._stroke.due or self._o.cut == STROKE) or self._o.cut in (CONTACT, GRIP):
            return []
        before, low = self._before[1], self._o.slow
        if self._stroke.risen and before <= low and slowest >= before:
            # The window before is the slowest; the arm came to its stop at its beginning.
            cuts = self._cut(self._frame - 2)
            self._stroke.stood = True
            return cuts
        self._stroke.follow(speed, slowest, low)
        return []

    def _is_free(self, force: NDArray[np.float64], activity: float) -> bool:
        if not self._o.free_force or not np.isfinite(force).all():
            return True
        away = force - np.array(self._o.free_force)
        return activity < self._o.calm and bool(np.linalg.norm(away) < self._o.free_range)

    def _pauses(self, speed: float, *, idle: bool) -> list[int]:
        """Begin a segment where an arm comes to stand idle, and where it moves again.

        An arm that has done nothing since the last boundary was only on its way to stand there.
        """
        if idle:
            self._idle += 1
            if self._idle == self._pause:
                cuts = self._cut(self._frame - self._pause + 1) if self._stroke.due else []
                self._paused = True
                return cuts
            return []
        if self._paused and speed > self._o.still:
            self._paused, self._idle = False, 0
            return self._cut(self._frame - 1)
        if not self._paused:
            self._idle = 0
        return []


@dataclass(slots=True)
class _Stroke:
    """How far an arm is on its way from something that happened.

    Attributes:
        due: Something happened, so that the next stroke ends the segment.
        stood: The arm has been slow since.
        risen: It has been in a stroke since.
    """

    due: bool = False
    stood: bool = False
    risen: bool = False

    def follow(self, speed: float, slowest: float, slow: float) -> None:
        if not self.stood:
            self.stood = slowest <= slow
        elif speed > slow and slowest > slow:
            self.risen = True
