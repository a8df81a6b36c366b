# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Milliseconds per window of what comes before the network, on one core.

Log-mel spectrograms and resampling stand beside torchaudio's, measured in turns so that whatever
else the machine does slows both. Ends with exit code 1 where one is clearly slower than
torchaudio's, or where assembling a live frame takes 2 ms or more.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # before numpy and torch are imported

import argparse
import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchaudio.transforms import AmplitudeToDB, MelSpectrogram, Resample

from benchmarks.online_step import arrivals
from m2r2_ros.core.modalities import SENSORS, SOUND
from m2r2_ros.core.samples import Samples, SoundSamples, VectorSamples
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import HOP, MEL_BINS, RATE, WINDOW, log_mel
from m2r2_ros.windows.normalisation import SoundScale
from m2r2_ros.windows.sound import resample_sound

WANTED_ASSEMBLE_MS = 2.0
#: Less than 1, since two measurements of the same differ.
WANTED_RATIO = 0.8
MANY = 256
MICROPHONE_RATE = 48_000
#: Sound samples in front of the context, s, as the windows have them.
MARGIN = 0.02
WARM_UP = 50
#: Frames whose samples are pushed together where a recording is read.
BLOCK = 100

Sound = NDArray[np.float32]


def noise(seconds: float, rate: int) -> Sound:
    """Return white noise, float32 (seconds * rate,)."""
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.1, round(seconds * rate)).astype(np.float32)


def overlapping(rate: int, seconds: float, count: int) -> Sound:
    """Return windows a tenth of a second apart, float32 (count, samples)."""
    sound, step, samples = noise(seconds + count / 10, rate), rate // 10, round(seconds * rate)
    return np.stack([sound[k * step : k * step + samples] for k in range(count)])


def in_turns(functions: Sequence[Callable[[], object]], times: int) -> list[NDArray[np.float64]]:
    """Return the milliseconds of each call of each function, which are called in turns."""
    took: list[list[float]] = [[] for _ in functions]
    for _ in range(times + 2):
        for function, own in zip(functions, took, strict=True):
            began = perf_counter()
            function()
            own.append((perf_counter() - began) * 1e3)
    return [np.array(own[2:]) for own in took]


def compare(
    title: str, ours: Callable[[Sound], object], theirs: Callable[[Any], object], sound: Sound
) -> float:
    """Print both times per window, and return how many times as long torchaudio takes."""
    tensor = torch.from_numpy(sound)
    times = max(8, 400 // len(sound))
    own, others = in_turns([lambda: ours(sound), lambda: theirs(tensor)], times)
    ratio = float(np.median(others) / np.median(own))
    print(
        f'{title}: {np.median(own) / len(sound):.3f} ms per window, '
        f'torchaudio {np.median(others) / len(sound):.3f} ms, {ratio:.1f} times as long'
    )
    return ratio


def joined(parts: Sequence[dict[str, Samples]]) -> dict[str, Samples]:
    """Return what arrives in some frames as one block, as where a recording is read."""
    block: dict[str, Samples] = {}
    for name in parts[0]:
        groups = [part[name] for part in parts]
        stamps = np.concatenate([g.stamps for g in groups])
        arrival = np.concatenate([g.arrival for g in groups])
        sounds = [g for g in groups if isinstance(g, SoundSamples)]
        vectors = [g for g in groups if isinstance(g, VectorSamples)]
        if sounds:
            chunks = [chunk for g in sounds for chunk in g.chunks]
            block[name] = SoundSamples(stamps, arrival, chunks, sounds[0].rate)
        else:
            values = np.concatenate([g.values for g in vectors])
            block[name] = VectorSamples(stamps, arrival, values)
    return block


def assemble(pushes: Sequence[dict[str, Samples]]) -> list[float]:
    """Return the milliseconds per window of each push that completes some."""
    assembler = WindowAssembler(WindowConfig(), [SOUND, *SENSORS])
    took = []
    for samples in pushes:
        began = perf_counter()
        windows = assembler.push(samples)
        ended = perf_counter()
        if len(windows):
            took.append((ended - began) * 1e3 / len(windows))
    return took


def main() -> None:
    """Print all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--frames', type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    mel = MelSpectrogram(
        RATE, n_fft=WINDOW, win_length=WINDOW, hop_length=HOP, n_mels=MEL_BINS, center=False
    )
    decibels, resample = AmplitudeToDB(stype='power'), Resample(MICROPHONE_RATE, RATE)
    ratios = []
    with torch.inference_mode():
        for count in (1, MANY):
            windows = overlapping(RATE, 1.0, count)
            ratios.append(
                compare(f'log-mel of {count}', log_mel, lambda x: decibels(mel(x)), windows)
            )
        for count in (1, MANY):
            windows = overlapping(MICROPHONE_RATE, 1.0 + MARGIN, count)
            ratios.append(
                compare(
                    f'48 to 16 kHz of {count}',
                    lambda x: resample_sound(x, MICROPHONE_RATE, RATE, RATE),
                    resample,
                    windows,
                )
            )
    scale, spectrum = (
        SoundScale(np.zeros(64), np.ones(64), 10.0, True),
        log_mel(noise(1, RATE)[None]),
    )
    print(f'scaling: {np.median(in_turns([lambda: scale(spectrum)], 400)[0]):.3f} ms per window')
    pushes = list(arrivals(options.frames))
    live = float(np.median(assemble(pushes)[WARM_UP:]))
    print(f'assembling, live: {live:.3f} ms per window (under {WANTED_ASSEMBLE_MS:g} wanted)')
    blocks = [joined(pushes[k : k + BLOCK]) for k in range(0, len(pushes), BLOCK)]
    print(f'assembling, from a recording: {np.median(assemble(blocks)):.3f} ms per window')
    sys.exit(not (min(ratios) > WANTED_RATIO and live < WANTED_ASSEMBLE_MS))


if __name__ == '__main__':
    main()
