# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Knocks, thuds and clicks: bodies that are struck ring in their own damped modes."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.simulation.trace import CONTACTS, STEP_RATE

Array = NDArray[np.float64]

#: Only a force above all those of a contact in this many steps is a blow: the chatter of a solver
#: returns to the same forces again and again.
MEMORY: Final = 20
#: A blow at which a body is as loud as its `level` says, N.
_REFERENCE: Final = 10.0
#: Decay times after which a mode is no longer heard: -60 dB.
_SPAN: Final = 7.0


class Body(NamedTuple):
    """How one kind of contact responds to blows.

    Attributes:
        threshold: Rise of force that counts as a blow, N.
        level: Amplitude that a blow of 10 N cannot exceed; 1 is full scale.
        release: Loudness of a sudden fall of force relative to that of a rise.
        modes: Frequency (Hz), decay time to 1/e (s) and gain of each mode.
    """

    threshold: float
    level: float
    release: float
    modes: tuple[tuple[float, float, float], ...]


#: Soft bodies stay in touch for longer than a period of high modes, which they do not excite: the
#: gains include that.
BODIES: Final = {
    'finger': Body(0.8, 0.10, 0.0, (
        (310, 0.012, 1.0), (480, 0.009, 0.7), (690, 0.006, 0.4), (880, 0.004, 0.2),
    )),
    'board': Body(1.0, 0.22, 0.0, (
        (1230, 0.015, 0.8), (1980, 0.012, 1.0), (2870, 0.008, 0.7), (3900, 0.005, 0.4),
        (4900, 0.003, 0.2),
    )),
    'tray': Body(1.0, 0.18, 0.0, (
        (520, 0.030, 1.0), (890, 0.022, 0.8), (1420, 0.014, 0.5), (2350, 0.008, 0.25),
    )),
    'latch': Body(2.0, 0.32, 0.5, (
        (3150, 0.010, 0.7), (4270, 0.008, 1.0), (5380, 0.006, 0.9), (6600, 0.004, 0.6),
    )),
}  # fmt: skip


class Impacts:
    """Modal synthesis: a blow excites all modes of a body together, and each decays on its own.

    A mode is a mass on a spring with a damper, so its response to a blow is a sine times a falling
    exponential; the sound is their sum, as loud as the blow is strong (van den Doel and Pai, 1998).
    A trace has peak forces; between elastic bodies these grow with the 6/5th power of the
    speed of the impact (Hertz), and the momentum that a blow hands over grows with the speed: hence
    the 5/6th power of the rise of force.
    """

    def __init__(
        self, rate: int, materials: np.random.Generator, moments: np.random.Generator
    ) -> None:
        """Choose this episode's bodies.

        Args:
            rate: Samples per second.
            materials: How the bodies differ from those of other episodes.
            moments: When in its millisecond a blow falls.
        """
        self._per_step = rate // STEP_RATE
        self._moments = moments
        self._bodies = [BODIES[kind] for kind in CONTACTS]
        self._responses = [_response(body, rate, materials) for body in self._bodies]
        self._tail = np.zeros(max(map(len, self._responses)))

    def sound(self, forces: Array) -> Array:
        """Return the sound, (n * samples per step,), of what still rings and of new blows.

        Args:
            forces: (MEMORY + n, 4), N, by kind of contact; the first MEMORY steps were there in
                the call before.
        """
        steps = len(forces) - MEMORY
        out = np.zeros(steps * self._per_step + len(self._tail))
        out[: len(self._tail)] = self._tail
        # Forces have a step every millisecond; blows that all fell at its start would buzz.
        starts = (np.arange(steps)[:, None] + self._moments.random((steps, 4))) * self._per_step
        blows = self._blows(forces)
        for step, kind in np.argwhere(blows):
            start, response = int(starts[step, kind]), self._responses[kind]
            out[start : start + len(response)] += blows[step, kind] * response
        self._tail = out[steps * self._per_step :]
        return out[: steps * self._per_step]

    def _blows(self, forces: Array) -> Array:
        """Return amplitudes, (n, 4), of which nearly all are 0."""
        threshold, level, release = np.array([body[:3] for body in self._bodies]).T
        rises, falls = _rises(forces), _rises(-forces)
        strength = np.where(rises > threshold, rises, 0.0)
        strength += release * np.where(falls > threshold, falls, 0.0)
        amplitudes: Array = level * (strength / _REFERENCE) ** (5 / 6)
        return amplitudes


def _rises(forces: Array) -> Array:
    """Return by how much each step exceeds all of the MEMORY steps before it, (n, 4)."""
    steps = len(forces) - MEMORY
    highest = np.maximum.reduce([forces[k : k + steps] for k in range(MEMORY)])
    rises: Array = forces[MEMORY:] - highest
    return rises


def _response(body: Body, rate: int, materials: np.random.Generator) -> Array:
    """Return how a body, a little unlike others of its kind, responds to a blow of amplitude 1."""
    frequencies, decays, gains = np.array(body.modes).T
    frequencies = frequencies * materials.normal(1.0, 0.02, len(gains)).clip(0.95, 1.05)
    decays = decays * np.exp(materials.normal(0.0, 0.1, len(gains)))
    gains = gains * np.exp(materials.normal(0.0, 0.2, len(gains)))
    times = np.arange(round(_SPAN * decays.max() * rate))[:, None] / rate
    modes = np.exp(-times / decays) * np.sin(2 * np.pi * frequencies * times)
    response: Array = modes @ gains / gains.sum()
    return response
