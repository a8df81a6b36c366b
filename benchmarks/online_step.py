# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Milliseconds of one online step on one core: samples of a frame to label, and the head alone.

The step is taken with the graph and with PyTorch in turns, frame by frame, in processor time, so
that what else the machine does slows both alike. Ends with exit code 1 where a step with the graph
takes over half of one with PyTorch, or 5 ms or more, the head 0.5 ms or more, or where either the
head's time or its memory grows with the number of frames.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # before numpy and torch are imported

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import thread_time

import numpy as np
import onnx.utils
import onnxruntime
import torch
from numpy.typing import NDArray

from benchmarks._recordings import START, random_bundle
from m2r2_ros.core.samples import Samples, SoundSamples, VectorSamples
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.graph_names import BOUNDARIES, FEATURES, LOGITS, NETWORK, state_name
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.segmenters import open_model
from m2r2_ros.segmenters.base import Segmenter
from m2r2_ros.training.segmenter import segmenter_of
from m2r2_ros.windows.assembler import WindowAssembler

WANTED_RATIO = 0.5
WANTED_STEP_MS = 5.0
WANTED_HEAD_MS = 0.5
WANTED_GROWTH = 1.2
WANTED_MB = 2.0
WARM_UP = 50
#: Frames at the beginning and at the end of the long run over which medians are taken.
SPAN = 1000
PERIOD = 100_000_000
SOUND_RATE = 16_000
GRAPH, TORCH = 'graph', 'torch'
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


def time_steps(bundle_folder: Path, frames: int) -> dict[str, list[float]]:
    """Return the milliseconds of each step, from samples to label, with the graph and without."""
    bundle = load_bundle(bundle_folder)
    graph = open_model(bundle_folder, placement=Placement(threads=1, one_frame=True), live=True)
    steps = {
        GRAPH: step_of(graph.segmenter, WindowAssembler(bundle.windows, bundle.model.modalities)),
        TORCH: step_of(
            segmenter_of(bundle), WindowAssembler(bundle.windows, bundle.model.modalities)
        ),
    }
    took: dict[str, list[float]] = {name: [] for name in steps}
    for samples in list(arrivals(frames + WARM_UP)):
        for name, step in steps.items():
            began = thread_time()
            labels = step(samples)
            ended = thread_time()
            if labels:
                took[name].append((ended - began) * 1e3 / labels)
    return {name: times[WARM_UP:] for name, times in took.items()}


def step_of(
    segmenter: Segmenter, assembler: WindowAssembler
) -> Callable[[Mapping[str, Samples]], int]:
    """Return what takes samples and says how many labels they gave."""

    def step(samples: Mapping[str, Samples]) -> int:
        windows = assembler.push(samples)
        for i in range(len(windows)):
            segmenter.step(windows[i : i + 1])
        if not windows.present.all():
            sys.exit('a modality is missing from a window')
        return len(windows)

    return step


class Head:
    """The head as the graph runs it, fed with features: the runtime takes these as given."""

    def __init__(self, folder: Path) -> None:
        """Cut the head's part out of the graph of a bundle."""
        whole = onnx.load(str(folder / NETWORK))  # its weights, too
        given = [x.name for x in whole.graph.input if x.name.startswith(state_name(''))]
        found = [x.name for x in whole.graph.output]
        self._outputs = found[found.index(LOGITS) :]
        cut = onnx.utils.Extractor(whole).extract_model([FEATURES, *given], self._outputs)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_free_dimension_override_by_name('frames', 1)
        self._session = onnxruntime.InferenceSession(cut.SerializeToString(), options)
        shapes = {x.name: x.shape for x in self._session.get_inputs()}
        self._states = given
        self._state = {name: np.zeros(shapes[name], np.float32) for name in given}
        rows = np.random.default_rng(0).normal(size=(SPAN, 1, shapes[FEATURES][1]))
        self._features = rows.astype(np.float32)

    def step(self, frame: int) -> None:
        """Label one frame."""
        given = {FEATURES: self._features[frame % SPAN], **self._state}
        found = self._session.run(self._outputs, given)
        self._state = dict(zip(self._states, found[len((LOGITS, BOUNDARIES)) :], strict=True))

    @property
    def state_bytes(self) -> int:
        """Bytes of the state; the runtime owns them, so that the process's own are watched too."""
        return sum(x.nbytes for x in self._state.values())


def time_head(folder: Path, frames: int) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
    """Return milliseconds and the state's bytes by frame, and by how many MB the process grew."""
    head = Head(folder)
    took, sizes = np.zeros(frames), np.zeros(frames, np.int64)
    before = 0.0
    for frame in range(frames):
        began = thread_time()
        head.step(frame)
        took[frame] = (thread_time() - began) * 1e3
        sizes[frame] = head.state_bytes
        if frame == SPAN:
            before = resident_mb()
    # Both arrays fill up, too.
    return took, sizes, resident_mb() - before - 16e-6 * (frames - SPAN)


def resident_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--frames', type=int, default=100_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        random_bundle(Path(folder))
        steps = time_steps(Path(folder), options.steps)
        took, sizes, grown = time_head(Path(folder), options.frames)
    step = {name: np.median(times) for name, times in steps.items()}
    for name, times in steps.items():
        print(f'step, {name}: median {step[name]:.2f} ms, p99 {np.percentile(times, 99):.2f} ms')
    ratio = step[GRAPH] / step[TORCH]
    print(
        f'the graph takes {ratio:.2f} of the time with torch (at most {WANTED_RATIO:g} wanted, '
        f'and under {WANTED_STEP_MS:g} ms)'
    )
    first, last = np.median(took[:SPAN]), np.median(took[-SPAN:])
    print(
        f'head: median {first:.3f} ms over the first {SPAN} frames, {last:.3f} ms over the last '
        f'{SPAN} of {options.frames}, ratio {last / first:.2f} (under {WANTED_HEAD_MS:g} ms wanted)'
    )
    print(
        f'head state: {sizes[0]} bytes after the first frame, {sizes[-1]} after the last; the '
        f'process grew by {grown:.1f} MB (under {WANTED_MB:g} wanted)'
    )
    constant = len(set(sizes)) == 1 and last / first < WANTED_GROWTH and grown < WANTED_MB
    fast = ratio <= WANTED_RATIO and step[GRAPH] < WANTED_STEP_MS and last < WANTED_HEAD_MS
    sys.exit(not (fast and constant))


if __name__ == '__main__':
    main()
