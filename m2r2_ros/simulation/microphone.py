# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone beside the cell hears: impacts, friction, motors, and the room around them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.simulation.modes import MEMORY, Impacts
from m2r2_ros.simulation.trace import CONTACTS, STEP_RATE, Trace, joined

Array = NDArray[np.float64]

#: Samples per second.
RATES: Final = (16_000, 48_000)

#: Slip below this is creep of the solver between surfaces that stick, m/s.
_STICK: Final = 0.002
#: Friction by kind of contact: band, Hz, and amplitude at 1 N and 1 m/s.
_HISSES: Final = {
    'finger': (300.0, 2500.0, 0.10),
    'board': (1500.0, 6500.0, 0.15),
    'tray': (500.0, 4000.0, 0.10),
    'latch': (2500.0, 7000.0, 0.15),
}
#: Band of the noise floor, Hz, the same at all rates, so that they are equally loud.
_FLOOR_BAND: Final = (60.0, 7500.0)
_MAINS: Final = 50
#: Harmonics of the mains in the hum of fans, and their gains.
_FAN: Final = {1: 0.3, 2: 1.0, 3: 0.4, 4: 0.6, 6: 0.3, 8: 0.2}


class Microphone:
    """Makes the sound of an episode piece by piece; how it is cut does not change it."""

    def __init__(self, rate: int, rng: np.random.Generator) -> None:
        """Set up the cell of one episode.

        Args:
            rate: Samples per second, one of RATES.
            rng: Draws materials, motors and noise; the same seed gives the same sound.

        Raises:
            ConfigError: The rate is not one of RATES.
        """
        if rate not in RATES:
            msg = f'rate of the microphone: expected {" or ".join(map(str, RATES))}, found {rate!r}'
            raise ConfigError(msg)
        # One generator for each source: what each draws must not depend on the length of a piece.
        materials, moments, *noises = rng.spawn(3 + len(CONTACTS))
        self._per_step = rate // STEP_RATE
        self._past: Trace | None = None
        self._impacts = Impacts(rate, materials, moments)
        self._gripper = Motor(rate, 6000.0, 0.03, _gain(-34), (1.0, 0.6, 0.4, 0.2), materials)
        joint = (640.0, 0.3, _gain(-58), (1.0, 0.5))
        self._joints = [Motor(rate, *joint, materials) for _ in range(7)]
        self._frictions = [
            Noise(rate, _HISSES[kind][:2], 0.0, noise)
            for kind, noise in zip(CONTACTS, noises[1:], strict=True)
        ]
        self._floor = Noise(rate, _FLOOR_BAND, -0.5, noises[0])
        self._floor_level = _gain(materials.uniform(-60, -55))
        self._fan = _fan(rate, materials)

    def record(self, trace: Trace) -> NDArray[np.float32]:
        """Return mono sound in -1..1, float32 (len(trace) * rate / 1000,).

        The samples of a step lie in the millisecond that ends with it.

        Args:
            trace: Follows that of the previous call without a gap.
        """
        if not len(trace):
            return np.empty(0, np.float32)
        past = self._past or joined([trace[:1]] * MEMORY)
        known = joined([past, trace])
        self._past = known[-MEMORY:]
        count = len(trace) * self._per_step
        sound = self._impacts.sound(known.contact_force) + self._friction(known)
        sound += self._gripper.sound(self._fine(np.abs(known.finger_rates).mean(axis=1)))
        for motor, rates in zip(self._joints, known.joint_rates.T, strict=True):
            sound += motor.sound(self._fine(np.abs(rates)))
        sound += self._floor_level * self._floor.sound(count) + np.resize(self._fan, count)
        self._fan = np.roll(self._fan, -count)
        return sound.clip(-1.0, 1.0).astype(np.float32)

    def _friction(self, known: Trace) -> Array:
        """Return the hiss of surfaces that slide over each other.

        Roughness strikes more often the faster they slide, and the true area of contact, so the
        number of rough spots that strike at random, grows with the normal force: amplitudes of
        independent sounds add as the square root of their number. Hence noise in the band of the
        kind, times speed, times the root of the force.
        """
        sliding = np.maximum(known.contact_slip - _STICK, 0.0)
        strength = np.sqrt(np.maximum(known.contact_force, 0.0)) * sliding
        sound = np.zeros((len(known) - MEMORY) * self._per_step)
        for kind, noise, column in zip(CONTACTS, self._frictions, strength.T, strict=True):
            sound += _HISSES[kind][2] * self._fine(column) * noise.sound(len(sound))
        return sound

    def _fine(self, column: Array) -> Array:
        """Interpolate from steps, (MEMORY + n,), to samples, (n * samples per step,)."""
        steps = column[MEMORY - 1 :]
        part = np.arange(1, self._per_step + 1) / self._per_step
        return np.ravel(steps[:-1, None] + np.diff(steps)[:, None] * part)


class Motor:
    """A geared motor: teeth and poles pass at a rate that follows its speed.

    Pitch is a constant times speed, and the phase its integral, so that it continues without jumps.
    Loudness grows with speed at first and levels off: speed / (speed + a constant).
    """

    def __init__(
        self,
        rate: int,
        pitch: float,
        half: float,
        level: float,
        partials: tuple[float, ...],
        materials: np.random.Generator,
    ) -> None:
        """Choose this episode's motor.

        Args:
            rate: Samples per second.
            pitch: Hz at speed 1; motors vary by a few percent.
            half: Speed at which it has half its full amplitude.
            level: Root mean square at full speed.
            partials: Gains of the harmonics, the fundamental first.
            materials: How motors differ.
        """
        self._cycles = pitch * materials.normal(1.0, 0.03) / rate
        self._highest = 2.5e3 / pitch
        self._half = half
        gains = np.array(partials)
        self._gains = level * gains * np.sqrt(2 / np.square(gains).sum())
        self._phase = materials.random()

    def sound(self, speed: Array) -> Array:
        """Return the sound, (n,), at this absolute speed, (n,), both at every sample."""
        # Spikes of a simulated speed must not push harmonics past half the rate.
        phases = self._phase + np.cumsum(self._cycles * np.minimum(speed, self._highest))
        phases -= np.floor(phases)
        self._phase = phases[-1]
        # Reduced to one turn, single precision is exact enough, and several times as fast.
        turns = (2 * np.pi * phases).astype(np.float32)
        tone = np.zeros(len(speed))
        for harmonic, gain in enumerate(self._gains, 1):
            tone += gain * np.sin(harmonic * turns)
        return tone * (speed / (speed + self._half))


class Noise:
    """Noise of root mean square 1 in a band: white noise through a short filter."""

    def __init__(
        self, rate: int, band: tuple[float, float], slope: float, rng: np.random.Generator
    ) -> None:
        """Design the filter.

        Args:
            rate: Samples per second.
            band: Lowest and highest frequency, Hz.
            slope: Power of the frequency that amplitudes follow; -0.5 is pink.
            rng: For the noise alone.
        """
        per_step = rate // STEP_RATE
        frequencies = np.fft.rfftfreq(64 * per_step, 1 / rate)
        inside = (frequencies >= band[0]) & (frequencies <= band[1])
        response = np.where(inside, np.maximum(frequencies, 1.0) ** slope, 0.0)
        half = 3 * per_step
        kernel = np.roll(np.fft.irfft(response), half)[: 2 * half + 1] * np.hanning(2 * half + 1)
        self._kernel = kernel / np.linalg.norm(kernel)
        self._rng = rng
        self._tail = rng.standard_normal(len(kernel) - 1)

    def sound(self, count: int) -> Array:
        """Return the next `count` samples."""
        white = np.concatenate([self._tail, self._rng.standard_normal(count)])
        self._tail = white[count:]
        return np.convolve(white, self._kernel, mode='valid')


def _fan(rate: int, materials: np.random.Generator) -> Array:
    """Return one period of the mains, (rate / 50,), as the fans of the cell hum it."""
    turns = np.arange(rate // _MAINS)[:, None] / (rate // _MAINS) * np.array(list(_FAN))
    waves = np.sin(2 * np.pi * (turns + materials.random(len(_FAN))))
    hum: Array = _gain(materials.uniform(-64, -60)) * waves @ np.array(list(_FAN.values()))
    return hum


def _gain(decibels: float) -> float:
    """Return the amplitude of a level relative to full scale."""
    return float(10 ** (decibels / 20))
