# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectrograms: shape, pitch and level, and what torchaudio makes of the same sound."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.simulation.microphone import Microphone
from m2r2_ros.simulation.trace import Trace
from m2r2_ros.windows.logmel import HOP, MEL_BINS, RATE, WINDOW, log_mel, mel_frames


def tone(hertz: float, level: float = 0.1, samples: int = RATE) -> NDArray[np.float32]:
    return (level * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.float32)


def chatter() -> NDArray[np.float32]:
    """Return a second of what the microphone of the simulated cell hears, (1, samples)."""
    n, rng = 1000, np.random.default_rng(2)
    widths = (6, 7, 6, 2, 2, 7, 7, 8, 4, 4)
    trace = Trace(np.arange(n) / 1000, *(np.zeros((n, width)) for width in widths))
    trace.finger_rates[300:500] = 0.1
    trace.joint_rates[:] = np.cumsum(rng.normal(0, 0.02, (n, 7)), axis=0)
    trace.contact_force[600:] = 5
    trace.contact_slip[700:] = 0.05
    return Microphone(RATE, rng).record(trace)[None]


def noise(level: float, rows: int = 4) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, level, (rows, RATE)).astype(np.float32)


def clicks() -> NDArray[np.float32]:
    sound = np.zeros((3, RATE), np.float32)
    sound[0, 8000], sound[1, ::1000], sound[2, -1] = 1, -0.3, 0.5
    return sound


SOUNDS: dict[str, Callable[[], NDArray[np.float32]]] = {
    'noise': lambda: noise(0.1),
    'quiet noise': lambda: noise(1e-4),
    'full scale': lambda: np.sign(noise(1)),
    'clicks': clicks,
    'silence': lambda: np.zeros((2, RATE), np.float32),
    'tones': lambda: np.stack([tone(hertz, 0.5) for hertz in np.geomspace(50, 7900, 40)]),
    '80 dB apart': lambda: tone(300, 0.9)[None] + noise(3e-5) + tone(5000, 9e-5),
    'simulated': chatter,
}


def yardstick(sound: NDArray[np.float32], dtype: str) -> NDArray[np.floating[Any]]:
    """Return what torchaudio makes of it in the given precision; its filters are in it, too."""
    torch = pytest.importorskip('torch', reason='needs torch')
    transforms = pytest.importorskip('torchaudio.transforms', reason='needs torchaudio')
    usual = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        mel = transforms.MelSpectrogram(
            RATE, n_fft=WINDOW, win_length=WINDOW, hop_length=HOP, n_mels=MEL_BINS, center=False
        )
        power = mel(torch.from_numpy(sound.astype(dtype)))
        return transforms.AmplitudeToDB(stype='power')(power).numpy()
    finally:
        torch.set_default_dtype(usual)


def mel_of(hertz: float) -> float:
    """Return the HTK mel scale that the filter banks are spread over."""
    return 2595 * np.log10(1 + hertz / 700)


@pytest.mark.parametrize('samples', [WINDOW, WINDOW + HOP - 1, WINDOW + HOP, 8000, RATE])
def test_there_is_a_column_for_each_whole_window(samples: int) -> None:
    mel = log_mel(np.zeros((3, samples), np.float32))
    assert mel.shape == (3, MEL_BINS, mel_frames(samples))
    assert mel.dtype == np.float32
    assert mel_frames(RATE) == 98


@pytest.mark.parametrize('hertz', [500.0, 1000.0, 4000.0])
def test_a_tone_peaks_in_its_mel_bin(hertz: float) -> None:
    found = log_mel(tone(hertz)[None])[0].mean(axis=1).argmax()
    expected = mel_of(hertz) / mel_of(RATE / 2) * (MEL_BINS + 1) - 1
    assert abs(found - expected) <= 1


def test_twenty_decibels_louder_is_twenty_more() -> None:
    quiet, loud = log_mel(np.stack([tone(1000, 0.02), tone(1000, 0.2)]))
    strong = quiet > quiet.max() - 40
    np.testing.assert_allclose((loud - quiet)[strong], 20, atol=0.01)


def test_silence_is_finite() -> None:
    mel = log_mel(np.zeros((1, RATE), np.float32))
    assert np.isfinite(mel).all()
    assert np.ptp(mel) == 0


def test_a_click_is_seen_when_it_was() -> None:
    sound = np.zeros((1, RATE), np.float32)
    sound[0, 8000] = 1
    energy = log_mel(sound)[0].mean(axis=0)
    loud = np.flatnonzero(energy > energy.max() - 30)
    assert loud.min() >= (8000 - WINDOW) // HOP
    assert loud.max() <= 8000 // HOP


@pytest.mark.parametrize('name', SOUNDS)
def test_it_is_what_torchaudio_makes_in_double_precision(name: str) -> None:
    sound = SOUNDS[name]()
    np.testing.assert_allclose(log_mel(sound), yardstick(sound, 'float64'), rtol=0, atol=2e-5)


@pytest.mark.parametrize('name', sorted(SOUNDS.keys() - {'tones', '80 dB apart'}))
def test_it_is_what_torchaudio_makes_in_single_precision(name: str) -> None:
    """Where one bin is far below another, single precision is off by up to 2 dB in it.

    The weights that it gives to frequencies at the foot of a filter are off as well.
    """
    sound = SOUNDS[name]()
    apart = np.abs(log_mel(sound) - yardstick(sound, 'float32'))
    assert np.quantile(apart, 0.99) < 1e-4
    assert apart.max() < 2e-3


def windows_of(sound: NDArray[np.float32], step: int, count: int = 20) -> NDArray[np.float32]:
    return np.stack([sound[k * step : k * step + RATE] for k in range(count)])


def each_alone(sounds: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([log_mel(sounds[i : i + 1]) for i in range(len(sounds))])


@pytest.mark.parametrize('step', [0, HOP, 533, 1600, 1601, 3200, RATE - WINDOW, RATE])
def test_windows_that_overlap_give_the_same_as_each_by_itself(step: int) -> None:
    sounds = windows_of(noise(0.1, 21).ravel(), step)
    sounds[3, -7:] = 0  # as the last samples that were resampled differ
    sounds[5, 4000] += 1
    sounds[8:10] = 0
    sounds[12, :9000] = 0
    sounds[15, 100:] = 0
    alone = each_alone(sounds)
    np.testing.assert_array_equal(log_mel(sounds), alone)
    np.testing.assert_array_equal(log_mel(sounds[7:16]), alone[7:16])


def test_what_begins_alike_is_not_taken_for_the_same() -> None:
    sounds = np.tile(noise(0.1, 1), (2, 1))
    sounds[1, : RATE - 1600] = sounds[0, 1600:]
    sounds[1, 14_000] = np.nextafter(sounds[1, 14_000], 1)
    np.testing.assert_array_equal(log_mel(sounds), each_alone(sounds))


def test_columns_that_windows_share_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    rfft = np.fft.rfft

    def counting(frames: NDArray[np.float64]) -> NDArray[np.complex128]:
        made.append(len(frames))
        return rfft(frames)

    monkeypatch.setattr(np.fft, 'rfft', counting)
    sounds = windows_of(noise(0.1, 21).ravel(), 1600)
    sounds[:, -7:] = 0
    log_mel(sounds)
    assert sum(made) == 98 + 19 * 10
    made.clear()
    log_mel(windows_of(noise(0.1, 21).ravel(), 1601))
    assert sum(made) == 20 * 98


def test_no_sound_has_no_columns() -> None:
    assert log_mel(np.empty((0, RATE), np.float32)).shape == (0, MEL_BINS, 98)
    assert log_mel(np.zeros((2, WINDOW - 1), np.float32)).shape == (2, MEL_BINS, 0)


def test_sounds_may_lie_anywhere_in_memory() -> None:
    sounds = noise(0.1)
    apart = np.asfortranarray(np.repeat(sounds, 2, axis=1))[:, ::2]
    np.testing.assert_array_equal(log_mel(apart), log_mel(sounds))
