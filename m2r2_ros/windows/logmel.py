# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectrogram of the trailing sound (paper section III-B)."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

MEL_BINS = 64
WINDOW = 400
HOP = 160
RATE = 16_000
#: What a bin without any power holds, dB.
SILENCE_DB = -100.0
#: Columns that are made together, about, and that are transformed together: with more, what they
#: need is so large that each array is asked of the system anew, which takes as long as the rest.
_TOGETHER: Final = 98
_TRANSFORMED: Final = 33
#: Samples that are compared first to find where a sound goes on in the one before it.
_PROBE: Final = 16


def mel_frames(samples: int) -> int:
    """Return the number of columns that log_mel makes of so many samples."""
    return 1 + (samples - WINDOW) // HOP


def columns_per_frame(frame_rate: float) -> int:
    """Return the number of columns that begin between two frames, rounded up."""
    return math.ceil(RATE / HOP / frame_rate)


def log_mel(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the power in 64 mel bins over windows of 400 samples, in dB.

    It is what torchaudio's MelSpectrogram and AmplitudeToDB give, to within their rounding. A
    column depends on its own 400 samples alone, bit by bit, so that a sound gives the same by
    itself as among others. Columns that a sound shares with the one before it are made once.

    Args:
        sound: float32 (N, samples) at 16 kHz.

    Returns:
        float32 (N, 64, frames).
    """
    n, samples = sound.shape
    columns = mel_frames(samples)
    out = np.empty((n, MEL_BINS, columns), np.float32)
    if not out.size:
        return out
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW, axis=1)[:, ::HOP]
    shared = [(0, 0), *(_shared_columns(before, after) for before, after in pairwise(sound))]
    for rows in _groups([columns - known for _, known in shared]):
        parts = [frames[i, shared[i][1] :] for i in rows]
        new = _decibels(parts[0] if len(parts) == 1 else np.concatenate(parts))
        for i, part in zip(rows, parts, strict=True):
            shift, known = shared[i]
            out[i, :, :known] = out[i - 1, :, shift : shift + known]
            out[i, :, known:], new = new[:, : len(part)], new[:, len(part) :]
    return out


def _groups(columns: Sequence[int]) -> Iterator[range]:
    """Yield runs of sounds that have about _TOGETHER new columns."""
    first = waiting = 0
    for i, new in enumerate(columns):
        waiting += new
        if waiting >= _TOGETHER:
            yield range(first, i + 1)
            first, waiting = i + 1, 0
    if first < len(columns):
        yield range(first, len(columns))


def _shared_columns(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[int, int]:
    """Return from which column of one sound on the first columns of the next are the same.

    Returns:
        That column, and how many there are; none are where a sound was shifted by no whole number
        of columns, or ends differently because it was resampled there.
    """
    heads = before[: len(before) // HOP * HOP].reshape(-1, HOP)[1:, :_PROBE]
    alike = (heads == after[:_PROBE]).all(axis=1)
    if not alike.any():
        return 0, 0
    shift = int(alike.argmax()) + 1
    different = before[shift * HOP :] != after[: -shift * HOP]
    samples = int(different.argmax()) if different.any() else len(different)
    return shift, max(mel_frames(samples), 0)


def _decibels(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what each 400 samples hold, (n, 400) to float64 (64, n), in dB.

    There is no product of matrices in it: its rounding would depend on how many columns there are.
    """
    power = np.empty((WINDOW // 2 + 1, len(frames)), np.float32)
    for lo in range(0, len(frames), _TRANSFORMED):
        # Single precision would be no faster, and it loses what is 80 dB below the loudest.
        spectrum = np.fft.rfft(frames[lo : lo + _TRANSFORMED] * _hann())
        square = spectrum.real**2
        square += spectrum.imag**2
        power[:, lo : lo + _TRANSFORMED] = square.T
    mel = np.zeros((MEL_BINS, len(frames)), np.float32)
    for first, source, weights in _filters():
        part = power.take(source, axis=0)
        part *= weights
        mel[first:] += part
    return 10 * np.log10(np.maximum(mel, 10 ** (SILENCE_DB / 10), dtype=np.float64))


@cache
def _hann() -> NDArray[np.float64]:
    """Return the periodic Hann window, float64 (400,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)


@cache
def _filters() -> list[tuple[int, NDArray[np.intp], NDArray[np.float32]]]:
    """Return the triangular filters, as sums of few terms: the k-th entry is the k-th term of each.

    Returns:
        The first mel bin that has such a term, from which frequency each bin from it on takes it,
        and float32 (bins, 1), its weight.
    """
    weights = mel_weights()
    # Filters widen with frequency. The last of some frequency spans no fewer than those before it.
    begin = (weights > 0).argmax(axis=0)
    width = (weights > 0).sum(axis=0)
    terms = []
    for k in range(width.max()):
        first = int((width > k).argmax())
        source = np.minimum(begin[first:] + k, len(weights) - 1)
        # A filter that is narrower than one before it has no such term: the weight is 0.
        weight = weights[source, np.arange(first, MEL_BINS)]
        terms.append((first, source, weight[:, None].astype(np.float32)))
    return terms


def mel_weights() -> NDArray[np.float64]:
    """Return the weight of each frequency in each mel bin, float64 (201, 64).

    The filters are triangles, spread evenly over the HTK mel scale from 0 to 8 kHz.
    """
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, MEL_BINS + 2) / 2595) - 1)
    frequencies = np.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    up = (frequencies - corners[:-2]) / np.diff(corners)[:-1]
    down = (corners[2:] - frequencies) / np.diff(corners)[1:]
    return np.maximum(np.minimum(up, down), 0)
