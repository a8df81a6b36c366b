# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Milliseconds of one online step on one core: samples of a frame to label, and the head alone.

Ends with exit code 1 where a step takes 5 ms or more, the head 0.5 ms or more, or where either
the head's time or its memory grows with the number of frames.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # before numpy and torch are imported

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from benchmarks._recordings import LABELS, START, random_bundle
from m2r2_ros.core.samples import Samples, SoundSamples, VectorSamples
from m2r2_ros.model.config import preset
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.network.heads.causal_tcn import CausalTCN, HeadState
from m2r2_ros.training.segmenter import segmenter_of
from m2r2_ros.windows.assembler import WindowAssembler

WANTED_STEP_MS = 5.0
WANTED_HEAD_MS = 0.5
WANTED_RATIO = 1.2
WARM_UP = 50
#: Frames at the beginning and at the end of the long run over which medians are taken.
SPAN = 1000
PERIOD = 100_000_000
SOUND_RATE = 16_000
_WIDTHS = {'wrench': 6, 'pose': 7, 'twist': 6, 'gripper': 1}


def arrivals(frames: int) -> Iterator[dict[str, Samples]]:
    """Yield what arrives in a tenth of a second: 100 samples of each sensor, and sound."""
    rng = np.random.default_rng(0)
    rank = 0
    for frame in range(frames):
        samples: dict[str, Samples] = {}
        stamps = START + frame * PERIOD + np.arange(100) * 1_000_000
        for k, (name, width) in enumerate(_WIDTHS.items()):
            values = rng.normal(size=(100, width))
            samples[name] = VectorSamples(stamps + k, rank + 5 * np.arange(100) + k, values)
        chunk = rng.normal(0, 0.1, SOUND_RATE // 10).astype(np.float32)
        last = np.array([rank + 499])
        samples['sound'] = SoundSamples(stamps[:1], last, [chunk], SOUND_RATE)
        rank += 500
        yield samples


def time_steps(bundle_folder: Path, frames: int) -> list[float]:
    """Return the milliseconds of each step, from samples to label."""
    bundle = load_bundle(bundle_folder)
    segmenter = segmenter_of(bundle)
    assembler = WindowAssembler(bundle.windows, bundle.model.modalities)
    took = []
    for samples in list(arrivals(frames + WARM_UP)):
        began = perf_counter()
        windows = assembler.push(samples)
        labels = [segmenter.step(windows[i : i + 1]) for i in range(len(windows))]
        ended = perf_counter()
        if labels:
            took.append((ended - began) * 1e3 / len(labels))
            if not windows.present.all():
                sys.exit('a modality is missing from a window')
    return took[WARM_UP:]


def time_head(frames: int) -> tuple[list[float], list[int]]:
    """Return the milliseconds of each frame, and the bytes of the state after each."""
    torch.manual_seed(0)
    config = preset('proprio')
    head = CausalTCN(CausalTCNConfig(), config.width, LABELS).eval()
    features = torch.randn(SPAN, 1, 1, config.width)
    state = head.initial_state()
    took, sizes = [], []
    with torch.inference_mode():
        for frame in range(frames):
            began = perf_counter()
            _, state = head(features[frame % SPAN], state)
            took.append((perf_counter() - began) * 1e3)
            sizes.append(state_bytes(state))
    return took, sizes


def state_bytes(state: HeadState) -> int:
    """Return the bytes that a state keeps alive, those behind views included."""
    return sum(tensor.untyped_storage().nbytes() for tensor in state.layers)


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--frames', type=int, default=100_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        random_bundle(Path(folder, 'bundle'))
        took = time_steps(Path(folder, 'bundle'), options.steps)
    step, slowest = np.median(took), np.percentile(took, 99)
    print(f'step: median {step:.2f} ms, p99 {slowest:.2f} ms (under {WANTED_STEP_MS:g} wanted)')
    took, sizes = time_head(options.frames)
    first, last = np.median(took[:SPAN]), np.median(took[-SPAN:])
    print(
        f'head: median {first:.3f} ms over the first {SPAN} frames, {last:.3f} ms over the last '
        f'{SPAN} of {options.frames}, ratio {last / first:.2f} (under {WANTED_HEAD_MS:g} ms wanted)'
    )
    print(f'head state: {sizes[0]} bytes after the first frame, {sizes[-1]} after the last')
    constant = len(set(sizes)) == 1 and last / first < WANTED_RATIO
    sys.exit(not (step < WANTED_STEP_MS and last < WANTED_HEAD_MS and constant))


if __name__ == '__main__':
    main()
