# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two-state controller with hysteresis that finds primitives in an energy (section 3.1.2)."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import above, between, check_options, read_options, shown
from m2r2_ros.discovery.laps.energy import MovingAverage


@dataclass(frozen=True, slots=True)
class ControllerOptions:
    """Options of the controller; a step is a value of the energy.

    Attributes:
        theta_on: theta_on; calibration finds it.
        hysteresis: r: theta_off is this part of theta_on.
        alpha: Weight of the newest energy in its moving average.
        up: u, steps above theta_on before a primitive begins.
        down: d, steps below theta_off before it ends.
        cool_down: Steps after an end that are not looked at.
        min_length: Steps that a primitive lasts at least.
        max_duration: Seconds after which a primitive is cut in two; 0 for none. The paper's text
            has no such cut; its code has one, of 2.0 s.
    """

    theta_on: float = between(0.0, 0)
    hysteresis: float = above(0.95, 0, 1)
    alpha: float = above(0.7, 0, 1)
    up: int = between(2, 1, 1000)
    down: int = between(2, 1, 1000)
    cool_down: int = between(1, 0, 1000)
    min_length: int = between(2, 1, 10_000)
    max_duration: float = between(0.0, 0, 3600)


Controlled = TypeVar('Controlled', bound=ControllerOptions)


class Change(Enum):
    """What happens at a step."""

    BEGIN = 'begin'
    END = 'end'
    CUT = 'cut'


@dataclass(frozen=True, slots=True)
class Event:
    """A primitive begins, ends, or ends where the next one begins.

    Attributes:
        step: Where it happened, counted from the last reset: the first of the steps that decided.
        change: What happened.
        strength: How clearly, 0..1; 0.5 is at the threshold.
    """

    step: int
    change: Change
    strength: float


class Controller:
    """Smooths an energy and says at which steps primitives begin and end; looks back only."""

    def __init__(self, options: ControllerOptions, step_s: float) -> None:
        """Make a controller that is off.

        Args:
            options: Thresholds and counts.
            step_s: Seconds from step to step.
        """
        self._options = options
        self._theta_off = options.hysteresis * options.theta_on
        self._longest = round(options.max_duration / step_s) if options.max_duration else 0
        self._average = MovingAverage(options.alpha)
        self.reset()

    @property
    def delay(self) -> int:
        """Steps that an event may lie before the step at which it is known."""
        return max(self._options.up, self._options.down) - 1

    def reset(self) -> None:
        """Forget all steps."""
        self._average.reset()
        self._step = -1
        self._began: int | None = None
        self._streak = self._wait = 0

    def step(self, energy: float | None) -> Event | None:
        """Take the energy of the next step; None where it is not known: all stays as it is."""
        self._step += 1
        if energy is None:
            return None
        y = self._average.step(energy)
        return self._off(y) if self._began is None else self._on(y, self._began)

    def _off(self, y: float) -> Event | None:
        o = self._options
        if self._wait:
            self._wait -= 1
            return None
        self._streak = self._streak + 1 if y > o.theta_on else 0
        if self._streak < o.up:
            return None
        self._began, self._streak = self._step - o.up + 1, 0
        return Event(self._began, Change.BEGIN, self._share(y))

    def _on(self, y: float, began: int) -> Event | None:
        o = self._options
        self._streak = self._streak + 1 if y < self._theta_off else 0
        end = self._step - o.down + 1
        if self._streak >= o.down and end - began >= o.min_length:
            self._began, self._streak, self._wait = None, 0, o.cool_down
            return Event(end, Change.END, 1 - self._share(y))
        if self._longest and self._step - began >= self._longest:
            self._began = self._step
            return Event(self._step, Change.CUT, 0.5)
        return None

    def _share(self, y: float) -> float:
        """Return where y lies: 0 at no energy, 0.5 at theta_on, 1 far above."""
        whole = y + self._options.theta_on
        return y / whole if whole else 0.0


def read_controlled(
    kind: type[Controlled], entries: Mapping[str, Any], place: str, own: Collection[str] = ()
) -> Controlled:
    """Read the options of a calibration, which must hold a threshold.

    Args:
        kind: Dataclass of the options.
        entries: The options.
        place: Name of the method, for messages.
        own: Entries that are no field, and are left to the caller.

    Raises:
        ConfigError: An option is unknown, of another kind or out of range.
    """
    options = read_options(kind, {k: v for k, v in entries.items() if k not in own}, place)
    check_options(options, place)
    if not options.theta_on:
        msg = f'{place}.theta_on: expected more than 0, found {shown(entries.get("theta_on"))}'
        raise ConfigError(msg)
    return options


def with_threshold(options: ControllerOptions, theta_on: float) -> dict[str, Any]:
    """Return options with the threshold that calibration found."""
    return asdict(replace(options, theta_on=theta_on))
