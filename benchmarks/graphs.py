# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs beside PyTorch, by preset, on one core: milliseconds of a frame, start and memory.

Both take turns frame by frame, so that what else the machine does slows both alike, and count
processor time. Ends with exit code 1 where a graph is not as many times faster as wanted. Preset
full takes some minutes: --presets proprio lite full.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # before numpy and torch are imported

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._measure import measure
from benchmarks._recordings import random_bundle
from m2r2_ros.core.modalities import IMAGE, SOUND, Modality
from m2r2_ros.model.backend import Backend
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import read_facts
from m2r2_ros.model.graph_backend import GraphBackend
from m2r2_ros.model.inputs import IMAGE_SIZE, Inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.windows.logmel import MEL_BINS, mel_frames

#: How many times faster the extractor is to be than with PyTorch.
WANTED: Final = {'proprio': 3.0, 'lite': 3.5, 'full': 2.0}
#: Frames of each that are timed, and of each turn.
FRAMES: Final = {'proprio': 600, 'lite': 60, 'full': 6}
TURN: Final = {'proprio': 10, 'lite': 3, 'full': 1}
WARM_UP: Final = 2
GRAPH, TORCH = 'graph', 'torch'


def open_backend(kind: str, bundle: Path) -> Backend:
    """Open a bundle to label live on one core, with its graphs or with PyTorch."""
    if kind == GRAPH:
        return GraphBackend(read_facts(bundle), Placement(threads=1, one_frame=True), live=True)
    import torch

    from m2r2_ros.network.bundle import load_bundle
    from m2r2_ros.network.torch_backend import TorchBackend

    torch.set_num_threads(1)
    return TorchBackend(load_bundle(bundle).network)


def frame_of(bundle: Path) -> Inputs:
    """Return a frame of random numbers that has all modalities."""
    facts = read_facts(bundle)
    windows, rng = facts.windows, np.random.default_rng(0)
    columns = mel_frames(round(windows.audio_context * windows.audio_rate))

    def numbers(modality: Modality) -> NDArray[Any]:
        if modality.kind == IMAGE:
            return rng.integers(0, 256, (1, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
        if modality.kind == SOUND:
            return rng.normal(size=(1, MEL_BINS, columns)).astype(np.float32)
        return rng.normal(size=(1, windows.points, modality.dims)).astype(np.float32)

    data = {name: numbers(modality) for name, modality in facts.modalities.items()}
    present = np.ones((1, len(data)), np.bool_)
    return RelativePoses()(Inputs(data, present, facts.modalities))


def label_one(kind: str, bundle: Path) -> None:
    """Open a bundle and label one frame; what a process of its own is measured at."""
    backend = open_backend(kind, bundle)
    backend.advance(frame_of(bundle), backend.initial_state())


def take_turns(works: dict[str, Callable[[], object]], frames: int, turn: int) -> dict[str, float]:
    """Return the median milliseconds of each work, done in turns."""
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(-(-frames // turn)):
        for name, work in works.items():
            for _ in range(turn):
                began = thread_time()
                work()
                took[name].append((thread_time() - began) * 1e3)
    return {name: float(np.median(times)) for name, times in took.items()}


def work_of(backend: Backend, inputs: Inputs, *, head: bool) -> Callable[[], object]:
    """Return what encodes a frame, or labels it too."""
    if not head:
        return lambda: backend.encode(inputs)
    state = backend.initial_state()

    def label() -> None:
        nonlocal state
        state = backend.advance(inputs, state)[2]

    return label


def compare(preset: str, folder: Path) -> str:
    """Print what a preset takes with both; return what is worse than wanted, or ''."""
    bundle = folder / preset
    random_bundle(bundle, preset)
    frame = frame_of(bundle)
    backends = {kind: open_backend(kind, bundle) for kind in (TORCH, GRAPH)}
    ratios = {}
    for name, head in (('extractor', False), ('extractor and head', True)):
        works = {k: work_of(backend, frame, head=head) for k, backend in backends.items()}
        take_turns(works, WARM_UP, WARM_UP)
        took = take_turns(works, FRAMES[preset], TURN[preset])
        ratios[name] = took[TORCH] / took[GRAPH]
        print(
            f'{preset}, {name}: {took[TORCH]:.2f} ms with torch, {took[GRAPH]:.2f} ms with the '
            f'graph, {ratios[name]:.2f} times faster',
            flush=True,
        )
    for kind in (TORCH, GRAPH):
        command = [sys.executable, str(Path(__file__).resolve()), '--one', kind, str(bundle)]
        usage = measure(command)
        print(
            f'{preset}, a process that labels one frame with {kind}: {usage.wall_s:.2f} s, '
            f'{usage.cpu_s:.2f} s of processor time, {usage.peak_mb:.0f} MB',
            flush=True,
        )
    found, wanted = ratios['extractor'], WANTED[preset]
    return f'{preset}: {found:.2f} times faster, {wanted:g} wanted' if found < wanted else ''


def main() -> None:
    """Print the measurements, and what is worse than wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--presets', nargs='*', choices=WANTED, default=['proprio', 'lite'])
    parser.add_argument('--one', nargs=2, metavar=('KIND', 'BUNDLE'), help='label a frame, and end')
    options = parser.parse_args()
    if options.one:
        label_one(options.one[0], Path(options.one[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = [compare(preset, Path(folder)) for preset in options.presets]
    print('\n'.join(filter(None, found)) or 'as fast as wanted')
    sys.exit(any(found))


if __name__ == '__main__':
    main()
