# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trailing sound from chunks of any size."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.sound import lay_sound, resample_sound

T = 1_700_000_000 * SECOND
RATE = 16_000
NOISE = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)


def chop(
    sound: NDArray[np.float32], edges: list[int], rate: int = RATE
) -> tuple[NDArray[np.int64], list[NDArray[np.float32]]]:
    """Cut sound that began at T into chunks, with exact stamps."""
    edges = sorted({0, *edges, len(sound)})
    stamps = np.array([T + round(lo / rate * SECOND) for lo in edges[:-1]])
    return stamps, [sound[lo:hi] for lo, hi in pairwise(edges)]


def trail(
    stamps: NDArray[np.int64], chunks: list[NDArray[np.float32]], at: float, samples: int = 8000
) -> NDArray[np.float32]:
    out = np.zeros(samples, np.float32)
    lay_sound(out, stamps, chunks, T + round(at * SECOND), RATE)
    return out


@given(st.lists(st.integers(1, len(NOISE) - 1), max_size=60), st.integers(8000, 2 * RATE))
def test_the_size_of_chunks_does_not_change_the_sound(edges: list[int], end: int) -> None:
    stamps, chunks = chop(NOISE, edges)
    # Nothing after the tick is used, be it in the same chunk or in a later one.
    kept = int(np.searchsorted(stamps, T + round(end / RATE * SECOND)))
    out = trail(stamps[:kept], chunks[:kept], end / RATE)
    np.testing.assert_array_equal(out, NOISE[end - 8000 : end])


def test_jittering_stamps_do_not_tear_the_sound() -> None:
    stamps, chunks = chop(NOISE, list(range(0, len(NOISE), 512)))
    jitter = np.random.default_rng(1).integers(-12_000_000, 12_000_000, len(stamps))
    jitter[-1] = 0
    out = trail(stamps + jitter, chunks, 2.0, 16_000)
    np.testing.assert_array_equal(out, NOISE[-16_000:])


def test_the_newest_chunk_lies_where_its_stamp_says() -> None:
    stamps, chunks = chop(NOISE[:RATE], [RATE // 2])
    out = trail(stamps, chunks, 1.1)
    np.testing.assert_array_equal(out[:6400], NOISE[RATE - 6400 : RATE])
    assert not out[6400:].any()


def test_lost_chunks_leave_silence_where_they_were() -> None:
    stamps, chunks = chop(NOISE, list(range(0, len(NOISE), 1600)))
    lost = (stamps < T + 1.5 * SECOND) | (stamps >= T + 1.7 * SECOND)
    out = trail(stamps[lost], [c for c, k in zip(chunks, lost, strict=True) if k], 2.0, 16_000)
    expected = NOISE[-16_000:].copy()
    expected[8000:11_200] = 0
    np.testing.assert_array_equal(out, expected)


def test_where_there_is_no_sound_there_is_silence() -> None:
    stamps, chunks = chop(NOISE[:1600], [])
    assert not trail(stamps[:0], [], 1.0).any()
    assert not trail(stamps, chunks, 30.0).any()
    out = trail(stamps, chunks, 0.1)
    assert not out[:6400].any()
    np.testing.assert_array_equal(out[6400:], NOISE[:1600])


def test_empty_chunks_do_no_harm() -> None:
    stamps, chunks = chop(NOISE, list(range(0, len(NOISE), 1600)))
    with_empty = [c for chunk in chunks for c in (chunk, chunk[:0])]
    ends = np.append(stamps[1:], T + 2 * SECOND)
    out = trail(np.column_stack([stamps, ends]).ravel(), with_empty, 2.0)
    np.testing.assert_array_equal(out, NOISE[-8000:])


@pytest.mark.parametrize('rate', [44_100, 48_000, 8000, 22_050])
@pytest.mark.parametrize('tone', [200.0, 1000.0, 3000.0])
def test_resampling_keeps_frequency_and_level_of_a_tone(rate: int, tone: float) -> None:
    time = np.arange(round(1.02 * rate)) / rate
    sound = (0.5 * np.sin(2 * np.pi * tone * time)).astype(np.float32)
    out = resample_sound(sound[None], rate, RATE, RATE)[0]
    assert out.shape == (RATE,)
    assert out.dtype == np.float32
    inner = out[400:-400] * np.hanning(RATE - 800)
    peak = np.argmax(np.abs(np.fft.rfft(inner, 4 * RATE))) / 4
    assert peak == pytest.approx(tone, abs=1)
    assert np.sqrt(np.mean(out[400:-400] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def yardstick(sound: NDArray[np.float32], rate: int, dtype: str) -> NDArray[np.floating[Any]]:
    """Return what torchaudio makes of it, with weights in the given precision."""
    torch = pytest.importorskip('torch', reason='needs torch')
    transforms = pytest.importorskip('torchaudio.transforms', reason='needs torchaudio')
    # Without a dtype, which means single precision, even the moments of the samples are rounded.
    given = {} if dtype == 'float32' else {'dtype': getattr(torch, dtype)}
    resample = transforms.Resample(rate, RATE, **given)
    return resample(torch.from_numpy(sound.astype(dtype))).numpy()


@pytest.mark.parametrize('rate', [8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
def test_resampling_is_what_torchaudio_does(rate: int) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (3, round(1.02 * rate))).astype(np.float32)
    out = resample_sound(sound, rate, RATE, RATE)
    exact = yardstick(sound, rate, 'float64')[:, -RATE:]
    np.testing.assert_allclose(out, exact, rtol=0, atol=1e-6)
    # Its single precision places the samples less well where a rate is no multiple of 8 kHz.
    rounded = 5e-6 if rate % 8000 == 0 else 5e-5
    np.testing.assert_allclose(
        out, yardstick(sound, rate, 'float32')[:, -RATE:], rtol=0, atol=rounded
    )


@given(
    st.sampled_from([7, 8000, 11_025, 16_001, 44_100, 48_000, 65_536]),
    st.integers(1, 3000),
    st.floats(0.01, 1),
)
@settings(deadline=None, max_examples=60)
def test_of_sound_of_any_length_the_last_samples_are_returned(
    rate: int, length: int, share: float
) -> None:
    if rate == 7:
        length = 1 + length % 3  # each becomes 2286 samples
    sound = np.random.default_rng(length).uniform(-1, 1, (1, length)).astype(np.float32)
    whole = resample_sound(sound, rate, RATE, math.ceil(length * RATE / rate))
    samples = max(1, round(share * whole.shape[1]))
    np.testing.assert_allclose(
        resample_sound(sound, rate, RATE, samples), whole[:, -samples:], atol=1e-6
    )
    longer = resample_sound(sound, rate, RATE, whole.shape[1] + 700)
    assert rate == 7 or not longer[:, :600].any()
    np.testing.assert_allclose(longer[:, 700:], whole, atol=1e-6)
    if rate != 16_001:  # torchaudio would need gigabytes
        np.testing.assert_allclose(whole, yardstick(sound, rate, 'float64'), atol=1e-6)


@pytest.mark.parametrize('rate', [8000, 44_100, 48_000])
def test_sounds_are_resampled_alike_alone_and_together(rate: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (40, round(1.02 * rate))).astype(np.float32)
    alone = np.concatenate([resample_sound(sound[i : i + 1], rate, RATE, RATE) for i in range(40)])
    np.testing.assert_array_equal(resample_sound(sound, rate, RATE, RATE), alone)


def test_the_rate_that_is_wanted_passes_as_it_is() -> None:
    assert np.array_equal(resample_sound(NOISE[None], RATE, RATE, 100), NOISE[None, -100:])


def test_what_cannot_be_heard_at_the_lower_rate_is_removed() -> None:
    time = np.arange(48_960) / 48_000
    sound = np.sin(2 * np.pi * 12_000 * time).astype(np.float32)
    assert np.abs(resample_sound(sound[None], 48_000, RATE, RATE)[0, 400:-400]).max() < 0.02
