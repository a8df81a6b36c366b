# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectrograms: shape, pitch and level."""

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.windows.logmel import HOP, MEL_BINS, RATE, WINDOW, log_mel, mel_frames


def tone(hertz: float, level: float = 0.1, samples: int = RATE) -> NDArray[np.float32]:
    return (level * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.float32)


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


def test_rows_are_independent() -> None:
    both = log_mel(np.stack([tone(1000), tone(300)]))
    np.testing.assert_allclose(both[1], log_mel(tone(300)[None])[0], atol=1e-4)
