# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Episodes of the simulated cell, their windows on disk, and a network that learns them."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros import __version__
from m2r2_ros.bags.labels.reader import Truth, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.cli.console import progress_bar
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import MODALITIES, declared
from m2r2_ros.network.image import EfficientNetLite0
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.network import CHUNK
from m2r2_ros.training.cache import CachedRecording, CacheWriter
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.loop import Progress, train_network
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

FACTS = 'facts.json'
ALL = declared(MODALITIES)


@dataclass(frozen=True, slots=True)
class Episode:
    """A recording of the cell.

    Attributes:
        path: Its folder.
        digest: Hash of all that is in it.
        truth: What truly happened.
    """

    path: Path
    digest: str
    truth: Truth

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.name


def read_episodes(folder: Path, seeds: Sequence[int]) -> list[Episode]:
    """Return the episodes of some seeds; those that are missing are simulated first.

    Raises:
        M2R2Error: The simulation failed, or a recording cannot be read.
    """
    paths = {seed: folder / f'cell_{seed:04d}' for seed in seeds}
    missing = [seed for seed, path in paths.items() if not path.exists()]
    # Consecutive seeds need one call.
    starts = [seed for seed in missing if seed - 1 not in missing]
    for first in starts:
        count = next(n for n in range(1, len(missing) + 1) if first + n not in missing)
        _simulate(folder, first, count)
    return [Episode(path, _digest(path), read_truth(path)) for path in paths.values()]


def _simulate(folder: Path, first: int, count: int) -> None:
    """Let the command line write the episodes of consecutive seeds."""
    arguments = ['simulate', '--episodes', str(count), '--seed', str(first), '--out', str(folder)]
    command = [sys.executable, '-m', 'm2r2_ros.cli.main', *arguments]
    code = subprocess.run(command, check=False).returncode
    if code:
        msg = f'm2r2 {" ".join(arguments)} ended with exit code {code}: see what it says above'
        raise BagError(msg)


def _digest(path: Path) -> str:
    """Return a hash of a folder's files; times would change with every copy."""
    if not path.is_dir():
        msg = f'{path}: is not there after m2r2 simulate: expected a folder with an episode'
        raise BagError(msg)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.is_file()):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class WindowCache:
    """Windows of episodes, which outlast the process that made them.

    Frames follow the camera, whether images are kept or not.
    """

    def __init__(
        self, folder: Path, config: WindowConfig, labels: LabelSet, *, images: bool
    ) -> None:
        """Open a folder, whatever it holds; windows with and without images lie apart."""
        self._folder = folder / ('with_images' if images else 'without_images')
        self._config = config
        self._labels = labels
        self._images = images
        self._backbone: EfficientNetLite0 | None = None

    def get(self, episode: Episode) -> CachedRecording:
        """Return an episode's windows; they are made anew only where something differs.

        Raises:
            M2R2Error: The recording cannot be read, or lacks a modality.
        """
        folder = self._folder / episode.name
        facts = json.dumps(
            {
                'recording': episode.digest,
                'windows': self._config.to_dict(),
                'labels': self._labels.names,
                'm2r2_ros': __version__,
            }
        )
        if not (folder / FACTS).is_file() or (folder / FACTS).read_text() != facts:
            self._make(episode, folder, facts)
        arrays = {file.stem: np.load(file, mmap_mode='r') for file in folder.glob('*.npy')}
        stamps, targets, restarts, present = (
            arrays.pop(k) for k in ('stamps', 'targets', 'restarts', 'present')
        )
        modalities: dict[str, NDArray[Any]] = {m: arrays[m] for m in MODALITIES if m in arrays}
        return CachedRecording(episode.name, stamps, targets, restarts, modalities, present, ALL)

    def _make(self, episode: Episode, folder: Path, facts: str) -> None:
        """Write windows beside the folder, and put them in its place once they are complete."""
        stream = WindowStream(open_recording(episode.path), self._config, MODALITIES)
        _expect_all(episode, stream)
        draft = folder.with_name(folder.name + '.partial')
        shutil.rmtree(draft, ignore_errors=True)
        done = draft / 'arrays'
        done.mkdir(parents=True)
        encoders = {'image': self._image_features()} if self._images else {}
        writer = CacheWriter(draft, self._config, ALL, encoders)
        windows = writer.write(episode.name, stream, episode.truth.segments, self._labels)
        for name in ('stamps', 'targets', 'restarts', 'present'):
            np.save(done / name, getattr(windows, name))
        for name, array in windows.arrays.items():
            np.save(done / name, array)
        (done / FACTS).write_text(facts)
        shutil.rmtree(folder, ignore_errors=True)
        done.rename(folder)
        shutil.rmtree(draft)

    def _image_features(self) -> EfficientNetLite0:
        """Return the frozen backbone; loaded once, where it is needed."""
        if self._backbone is None:
            self._backbone = EfficientNetLite0(1, pretrained=True)
        return self._backbone


def _expect_all(episode: Episode, stream: WindowStream) -> None:
    """Refuse an episode without one of the modalities: rows could not be compared."""
    absent = [m for m in MODALITIES if m not in {*stream.topics, *stream.derived}]
    if absent:
        msg = (
            f'{episode.path}: no topic serves {", ".join(absent)}; the ablation needs all of '
            f'{", ".join(MODALITIES)}: remove the folder, so that it is simulated again'
        )
        raise BagError(msg)


def only(recording: CachedRecording, modalities: Sequence[str]) -> CachedRecording:
    """Return a recording as if its other modalities had never been there."""
    return replace(
        recording,
        arrays={m: recording.arrays[m] for m in modalities},
        present=recording.present & np.isin(MODALITIES, modalities),
    )


def train_timed(
    title: str,
    network: Network,
    recordings: Sequence[CachedRecording],
    normalisation: Normalisation,
    config: TrainConfig,
    checkpoint: Path,
    fingerprint: str,
) -> float:
    """Train a network under a progress display, going on from a checkpoint of that fingerprint.

    Returns:
        Seconds that all epochs took, those before an interruption among them.
    """
    file = checkpoint.with_suffix('.json')
    times = read_json(file)
    if times.get('fingerprint') != fingerprint:
        times = {'fingerprint': fingerprint, 'seconds': {}}
    file.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar() as bar:
        task = bar.add_task(title, total=config.epochs)
        began = perf_counter()

        def note(progress: Progress) -> None:
            nonlocal began
            began, last = perf_counter(), began
            times['seconds'][str(progress.epoch)] = began - last
            write_json(file, times)
            text = f'{title}, loss {progress.loss:.3f}'
            bar.update(task, completed=progress.epoch, description=text)

        train_network(
            network,
            recordings,
            normalisation,
            config,
            checkpoint=checkpoint,
            fingerprint=fingerprint,
            progress=note,
        )
        bar.update(task, completed=config.epochs)
    # The time of an epoch is lost where the interruption came between checkpoint and note.
    return float(np.mean(list(times['seconds'].values()))) * config.epochs


def label_online(network: Network, recording: CachedRecording, scales: Normalisation) -> list[int]:
    """Return the likeliest label id of each frame, from it and those before it alone."""
    labels: list[int] = []
    edges = sorted({0, *np.flatnonzero(recording.restarts).tolist(), len(recording)})
    for first, end in pairwise(edges):
        state = network.initial_state()
        for lo in range(first, end, CHUNK):
            inputs = InputTensors.of(recording.inputs(lo, min(lo + CHUNK, end), scales))
            found, state = network.advance(inputs, state)
            labels += found.probabilities.argmax(dim=1).tolist()
    return labels


def read_json(file: Path) -> dict[str, Any]:
    """Return what an earlier run left in a file; nothing without one."""
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def write_json(file: Path, entries: Mapping[str, Any]) -> None:
    """Write a file at once, so that an interruption leaves no half."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix('.partial')
    draft.write_text(json.dumps(entries))
    draft.replace(file)
