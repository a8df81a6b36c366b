# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The method `primitives`: rules on force, contact and motion, as annotation tools suggest them.

The names are the 22 motor primitives of T-Rex that the tool TLabel annotates tactile data with.
Eleven can be told by a robot's own signals and have a rule here; the others (fold, cut, peel,
pour, assemble, ...) need the object to be seen and are never given.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.options import (
    Section,
    above,
    between,
    check_options,
    is_kind,
    read_options,
    shown,
)
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.event_rule import EventOptions
from m2r2_ros.discovery.events import observe, options_of
from m2r2_ros.discovery.method import Calibration, Recordings, Setting
from m2r2_ros.discovery.observations import LEVER, Observed
from m2r2_ros.discovery.signals import frame_means, like

#: All 22; '' stands for none.
PRIMITIVES: Final = (
    'wrap', 'lift', 'grasp', 'fold', 'cut', 'insert', 'press', 'wipe', 'peel', 'assemble',
    'extract', 'twist', 'shake', 'dispense', 'disassemble', 'squeeze', 'pour', 'open', 'close',
    'screw', 'unscrew', 'reach',
)  # fmt: skip
#: Those that have a rule.
TOLD: Final = (
    'reach', 'grasp', 'open', 'lift', 'insert', 'extract', 'press', 'squeeze', 'wrap', 'wipe',
    'twist',
)  # fmt: skip
NONE: Final = ''
#: Cosine between motion and force from which one goes against the other, or along with it.
_ALONG: Final = 0.5
#: Seconds over which a width or a force changes.
_STEP: Final = 0.3


@dataclass(frozen=True, slots=True)
class PrimitiveOptions:
    """Thresholds of the rules, found as those of the method `events`.

    Attributes:
        fast: Speed of a fast stroke, m/s.
        still: An arm that stands is slower than this share of it.
        gripper_step: Change of a width that counts, m; 0 without a gripper.
        calm: Activity while nothing is touched, N.
        free_force: Mean force while nothing is touched, N.
        free_range: How far from it force may be then, N.
        min_duration: Shortest primitive, s.
    """

    fast: float = above(0.1, 0, 1e6)
    still: float = between(0.05, 1e-4, 0.5)
    gripper_step: float = between(0.0, 0, 1e6)
    calm: float = between(0.0, 0, 1e9)
    free_force: tuple[float, ...] = ()
    free_range: float = between(0.0, 0, 1e9)
    min_duration: float = above(0.3, 0, 60)

    def __post_init__(self) -> None:
        if not all(is_kind(value, float) for value in self.free_force):
            msg = f'primitives.free_force: expected numbers, found {shown(self.free_force)}'
            raise ConfigError(msg)
        check_options(self, 'primitives')


@dataclass(frozen=True, slots=True)
class _Motion:
    """What frames show besides Observed: mean linear and angular velocity of the first arm."""

    linear: NDArray[np.float64]
    angular: NDArray[np.float64]

    @classmethod
    def of(cls, windows: FrameWindows, modalities: Modalities) -> '_Motion':
        twists = like(modalities, 'twist')
        twist = frame_means(windows, twists[0]) if twists else np.full((len(windows), 6), np.nan)
        return cls(twist[:, :3], twist[:, 3:])


class PrimitiveRules:
    """Names a primitive for each frame, in order, in constant time and memory."""

    def __init__(self, options: PrimitiveOptions, setting: Setting) -> None:
        """Begin before the first frame."""
        self._o, self._setting = options, setting
        self._step = max(1, round(_STEP * setting.frame_rate))
        self._least = max(1, round(options.min_duration * setting.frame_rate))
        self._widths: deque[float] = deque(maxlen=self._step + 1)
        self._forces: deque[float] = deque(maxlen=self._step + 1)
        self._holds = False
        self._now, self._rival, self._run = NONE, NONE, 0

    @property
    def lag(self) -> int:
        """Frames after which a primitive that begins is known."""
        return self._least - 1

    def extend(self, windows: FrameWindows) -> list[tuple[str, int]]:
        """Return the primitive of each frame, and how many frames before it has begun.

        The number is 0 while a primitive goes on, and counts from 1 in the frame in which it is
        clear that another has begun.
        """
        seen = Observed.of(windows, self._setting.modalities)
        motion = _Motion.of(windows, self._setting.modalities)
        return [self._hold(self._name(seen, motion, row)) for row in range(len(seen))]

    def _hold(self, name: str) -> tuple[str, int]:
        """Keep a primitive until another was seen for long enough."""
        if name == self._now:
            self._rival, self._run = name, 0
            return self._now, 0
        self._run = self._run + 1 if name == self._rival else 1
        self._rival = name
        if self._run < self._least:
            return self._now, 0
        self._now, run, self._run = name, self._run, 0
        return name, run

    def _name(self, seen: Observed, motion: _Motion, row: int) -> str:
        change = self._change(seen.gripper[row])
        if abs(change) > self._o.gripper_step > 0:
            self._holds = change < 0
            return 'grasp' if change < 0 else 'open'
        force = seen.force[row][:3] - np.array(self._o.free_force[:3] or 0.0)
        strength = float(np.linalg.norm(force)) if force.size else 0.0
        rising = self._rises(strength)
        moves = bool(seen.speed[row] > self._o.still * self._o.fast)
        if strength > self._o.free_range > 0 or seen.activity[row] > 2 * self._o.calm > 0:
            return self._touching(force, motion, row, moves=moves, rising=rising)
        if not moves:
            return 'wrap' if self._holds else NONE
        rises = self._holds and _cosine(motion.linear[row], np.array([0.0, 0.0, 1.0])) > _ALONG
        return 'lift' if rises else 'reach'

    def _touching(
        self, force: NDArray[np.float64], motion: _Motion, row: int, *, moves: bool, rising: bool
    ) -> str:
        """Name what an arm does that touches something."""
        if not moves:
            return 'squeeze' if self._holds and rising else 'press'
        linear, angular = motion.linear[row], motion.angular[row]
        if LEVER * np.linalg.norm(angular) > np.linalg.norm(linear):
            return 'twist'
        along = _cosine(linear, force)
        if along < -_ALONG:
            return 'insert' if self._holds else 'press'
        if along > _ALONG:
            return 'extract' if self._holds else 'lift'
        return 'wipe'

    def _change(self, widths: NDArray[np.float64]) -> float:
        """Return by how much the gripper that moves most has opened of late."""
        width = float(np.nansum(widths)) if np.isfinite(widths).any() else np.nan
        if np.isnan(width):
            width = self._widths[-1] if self._widths else 0.0
        self._widths.append(width)
        return width - self._widths[0]

    def _rises(self, strength: float) -> bool:
        self._forces.append(strength if np.isfinite(strength) else 0.0)
        return self._forces[-1] - self._forces[0] > self._o.free_range / 2


class PrimitiveDetector:
    """A segment begins with each primitive; keeps the protocol of a detector."""

    def __init__(self, options: PrimitiveOptions, setting: Setting) -> None:
        """Begin before the first frame."""
        self._options, self._setting = options, setting
        self.reset()

    @property
    def lag(self) -> int:
        """Frames that a score waits for."""
        return self._rules.lag

    def reset(self) -> None:
        """Forget all frames."""
        self._rules = PrimitiveRules(self._options, self._setting)
        self._pending: deque[float] = deque()

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""
        found = []
        for _, run in self._rules.extend(windows):
            self._pending.append(0.0)
            if run:
                self._pending[-min(run, len(self._pending))] = 1.0
            if len(self._pending) > self.lag:
                found.append(self._pending.popleft())
        return np.array(found, np.float32)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the frames that are still pending, and reset."""
        scores = np.array(self._pending, np.float32)
        self.reset()
        return scores


class PrimitivesMethod:
    """Finds the thresholds of the rules in recordings."""

    causal: Final = True
    grid: Final[Mapping[str, Sequence[float]]] = {
        'free_range': (0.5, 2.0),
        'still': (0.5, 2.0),
        'min_duration': (2.0, 4.0),
    }

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find the thresholds; see Method.

        Raises:
            DiscoveryError: Nothing moves in any recording, or there are too few frames.
        """
        found = options_of(observe(recordings, setting))
        return Calibration(asdict(primitive_options(found)))

    def open(self, calibration: Calibration, setting: Setting) -> PrimitiveDetector:
        """Return the detector; see Method."""
        return PrimitiveDetector(read_primitive_options(calibration.options), setting)


METHOD: Final = PrimitivesMethod()


def primitive_options(found: EventOptions) -> PrimitiveOptions:
    """Return the thresholds of the rules out of those of events."""
    return PrimitiveOptions(
        fast=found.fast,
        gripper_step=found.gripper_step,
        calm=found.calm,
        free_force=found.free_force,
        free_range=found.free_range,
    )


def read_primitive_options(entries: Mapping[str, Any]) -> PrimitiveOptions:
    """Read the options of the rules.

    Raises:
        ConfigError: One is unknown, of another kind or out of range.
    """
    section = Section(entries, 'primitives')
    free = tuple(section.get('free_force', (list, tuple), (), expected='a list of numbers'))
    return read_options(PrimitiveOptions, {**section.entries, 'free_force': free}, 'primitives')


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0
