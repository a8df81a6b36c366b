# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every event that the robot should hear can be heard, and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.simulation.microphone import RATES, Microphone
from m2r2_ros.simulation.trace import CONTACTS, Trace

RATE = 16_000
#: When something begins in these traces, ms.
START = 400
Sound = NDArray[np.float32]


def still(n: int = 800) -> Trace:
    """Return `n` ms in which nothing happens."""
    return Trace(np.arange(n) / 1000, *(np.zeros((n, k)) for k in (6, 7, 6, 2, 2, 7, 7, 8, 4, 4)))


def struck(kind: str, rises: tuple[float, ...] = (5.0,)) -> Trace:
    trace = still()
    column = trace.contact_force[START:, CONTACTS.index(kind)]
    column[: len(rises)] = np.cumsum(rises)
    column[len(rises) :] = sum(rises)
    return trace


def rubbed(kind: str, force: float, speed: float) -> Trace:
    trace = still()
    trace.contact_force[:, CONTACTS.index(kind)] = force
    trace.contact_slip[START:, CONTACTS.index(kind)] = speed
    return trace


def gripped(speed: float) -> Trace:
    trace = still()
    trace.finger_rates[START:] = [speed, -speed]
    return trace


def moved(speed: float) -> Trace:
    trace = still()
    trace.joint_rates[START:] = speed
    return trace


def busy() -> Trace:
    rng = np.random.default_rng(0)
    trace = still(2000)
    trace.finger_rates[:] = 0.1 * np.sin(trace.times * 3)[:, None]
    trace.joint_rates[:] = np.cumsum(rng.normal(0.0, 0.02, (2000, 7)), axis=0)
    trace.contact_slip[:] = 0.02
    for step in rng.integers(0, 1990, 40):
        trace.contact_force[step : step + 150, rng.integers(4)] += rng.uniform(2, 20)
    return trace


def heard(trace: Trace, rate: int = RATE, seed: int = 0) -> Sound:
    return Microphone(rate, np.random.default_rng(seed)).record(trace)


def level(sound: Sound, start: int = 0, end: int | None = None, rate: int = RATE) -> float:
    """Return the level between two times, ms, in dB below full scale."""
    part = sound[start * rate // 1000 : None if end is None else end * rate // 1000]
    return float(10 * np.log10(np.square(part, dtype=np.float64).mean()))


def spectrum(sound: Sound, start: int, end: int) -> tuple[NDArray[Any], NDArray[Any]]:
    part = sound[start * RATE // 1000 : end * RATE // 1000]
    frequencies = np.fft.rfftfreq(len(part), 1 / RATE)
    return frequencies, np.square(np.abs(np.fft.rfft(part * np.hanning(len(part)))))


def centroid(kind: str) -> float:
    difference = heard(struck(kind)) - heard(still())
    frequencies, power = spectrum(difference, START, START + 60)
    return float((frequencies * power).sum() / power.sum())


def change(trace: Trace, span: int = 300) -> float:
    """Return how much louder it is, dB, after START than before."""
    sound = heard(trace)
    return level(sound, START, START + span) - level(sound, START - 200, START)


@pytest.mark.parametrize('kind', CONTACTS)
def test_impacts_are_heard_for_a_moment(kind: str) -> None:
    rises = (2.0,) * 20 if kind == 'finger' else (5.0,)
    sound = heard(struck(kind, rises))
    before = level(sound, START - 200, START)
    assert level(sound, START, START + 30) > before + 10
    assert level(sound, START + 300) < before + 0.5


def test_harder_blows_are_louder_and_none_clips() -> None:
    peaks = [np.abs(heard(struck('latch', (rise,)))).max() for rise in (3.0, 8.0, 20.0)]
    assert 2 * peaks[0] < peaks[1] < peaks[2] / 2 < 0.5


def test_blows_fall_anywhere_in_their_millisecond() -> None:
    starts = {
        int(np.flatnonzero(heard(struck('latch'), seed=seed) != heard(still(), seed=seed))[0])
        for seed in range(8)
    }
    assert len(starts) > 3
    assert max(starts) - min(starts) < RATE // 1000


def test_kinds_of_contact_differ_in_timbre() -> None:
    assert centroid('latch') > 1.5 * centroid('board')
    assert centroid('board') > 1.5 * centroid('tray')
    assert centroid('tray') > 1.3 * centroid('finger')


def test_only_the_latch_clicks_when_it_lets_go() -> None:
    for kind in CONTACTS:
        trace = still()
        trace.contact_force[:START, CONTACTS.index(kind)] = 12.0
        sound = heard(trace)
        click = level(sound, START, START + 30) - level(sound, START - 200, START)
        assert (click > 10) == (kind == 'latch'), kind


def test_steady_contact_and_the_chatter_of_a_solver_are_silent() -> None:
    trace = still()
    trace.contact_force[:] = 20.0
    trace.contact_force[::2] -= 6.0
    trace.contact_force[:] += np.random.default_rng(1).uniform(0, 0.5, (len(trace), 4))
    trace.contact_slip[:] = 0.001
    late = START * RATE // 1000
    np.testing.assert_array_equal(heard(trace)[late:], heard(still())[late:])


@pytest.mark.parametrize('kind', CONTACTS)
def test_sliding_hisses_with_speed_and_force(kind: str) -> None:
    slow, fast, firm = (
        change(rubbed(kind, *how)) for how in ((10.0, 0.02), (10.0, 0.05), (40.0, 0.05))
    )
    assert 6 < slow < fast - 6 < firm - 11


def test_gripper_and_joints_are_heard_while_they_move() -> None:
    assert change(gripped(0.05)) > 10
    assert 1 < change(moved(0.5)) < 10


def test_pitch_of_the_gripper_follows_its_speed() -> None:
    pitches = []
    for speed in (0.03, 0.06):
        frequencies, power = spectrum(heard(gripped(speed)), START, 800)
        pitches.append(frequencies[power.argmax()])
    assert pitches[0] > 100
    assert pitches[1] == pytest.approx(2 * pitches[0], rel=0.03)


@pytest.mark.parametrize('rate', RATES)
@pytest.mark.parametrize('length', [7, 100])
def test_the_sound_does_not_depend_on_how_the_trace_is_cut(rate: int, length: int) -> None:
    trace, microphone = busy(), Microphone(rate, np.random.default_rng(0))
    parts = [microphone.record(trace[k : k + length]) for k in range(0, len(trace), length)]
    assert microphone.record(trace[:0]).shape == (0,)
    whole = heard(trace, rate)
    assert whole.shape == (len(trace) * rate // 1000,)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-6)


def test_a_seed_makes_the_sound() -> None:
    first = heard(busy(), seed=3)
    np.testing.assert_array_equal(first, heard(busy(), seed=3))
    assert np.abs(first - heard(busy(), seed=4)).max() > 0.01


def test_the_noise_floor_lies_where_a_cheap_microphone_has_it() -> None:
    levels = [level(heard(still(), seed=seed)) for seed in range(8)]
    assert -61 < min(levels) < max(levels) - 1 < -54


@pytest.mark.parametrize(
    'make', [still, busy, lambda: gripped(0.08), lambda: struck('latch'), lambda: struck('finger')]
)
def test_rates_are_equally_loud(make: Callable[[], Trace]) -> None:
    low, high = (level(heard(make(), rate), rate=rate) for rate in RATES)
    assert low == pytest.approx(high, abs=1.5)


def test_other_rates_are_refused() -> None:
    with pytest.raises(ConfigError, match='expected 16000 or 48000, found 44100'):
        Microphone(44_100, np.random.default_rng(0))
