# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What commands share: recordings by their paths, checks before long work, cores."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rich.progress import Progress, TaskID

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.topics import LABEL_TOPIC
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.remote.places import is_remote, real_name
from m2r2_ros.cli.console import console, progress_bar
from m2r2_ros.core.errors import BagError, BundleError, ConfigError
from m2r2_ros.core.files import names_of
from m2r2_ros.readers.topic_map import TopicMap, read_topic_map
from m2r2_ros.readers.topics import TopicSpec

#: What the extra `train` brings that no network can be made or saved without.
_TRAINING: Final = ('torch', 'onnx')
#: What the names of bags with labels of ours end in, see replay.outputs.
_OURS: Final = ('_labels', '_labelled')


def source_recordings(paths: list[Path]) -> list[Path]:
    """Return the recordings to work on: those named, and in folders those without labels of ours.

    So that a folder can be labelled again that holds label bags from the time before. What cannot
    be opened is among them, to fail by name when its turn comes.

    Raises:
        BagError: There are none.
    """
    named = {real_name(p) for p in paths}
    found = [
        p
        for p in find_recordings(paths, say_passed_over)
        if real_name(p) in named or not _is_labelled(p)
    ]
    if not found:
        msg = (
            f'{", ".join(map(str, paths))}: every recording there has {LABEL_TOPIC} in it already; '
            'give the recordings that they were made from, or name one of them itself'
        )
        raise BagError(msg)
    return found


def say_passed_over(what: str) -> None:
    """Tell what keeps recordings in a folder from being found."""
    console.print(f'passed over: {what}', soft_wrap=True)


def _is_labelled(path: Path) -> bool:
    if is_remote(path):  # a look into each of thousands would take minutes
        return recording_name(path).endswith(_OURS)
    try:
        return LABEL_TOPIC in open_recording(path).topics
    except (BagError, OSError):
        return False


def training_workspace(out: Path, ours: Collection[str]) -> Path:
    """Return the folder to work in, which is removed in the end: it may hold nothing else.

    Args:
        out: Where the outcome will be, which must not exist yet.
        ours: Names of what is put there, without those that files have meanwhile.

    Raises:
        BundleError: The outcome exists, or the folder holds files of someone else.
    """
    if out.exists():
        msg = f'{out}: exists already; choose another folder or remove it'
        raise BundleError(msg)
    workspace = out.with_name(out.name + '.training')
    if workspace.exists() and not workspace.is_dir():
        others = {workspace.name}
    else:
        known = {name for path in map(Path, ours) for name in names_of(path)}
        others = {p.name for p in workspace.iterdir()} - known if workspace.exists() else set()
    if others:
        msg = (
            f'{workspace} is needed for training and removed afterwards, but holds '
            f'{", ".join(sorted(others)[:3])}: move it, or choose another --out'
        )
        raise BundleError(msg)
    return workspace


def given_topics(path: Path | None) -> dict[str, TopicSpec]:
    """Return the topics that the user named."""
    return given_map(path).topics


def given_map(path: Path | None) -> TopicMap:
    """Return what the user declared."""
    return TopicMap() if path is None else read_topic_map(path)


def expect_training() -> None:
    """Refuse to go on where the extra `train` is missing; let torch use the cores otherwise.

    It uses those that this process may run on, or as many as OMP_NUM_THREADS says.

    Raises:
        ConfigError: Something of the extra is not installed.
    """
    if missing := [name for name in _TRAINING if find_spec(name) is None]:
        msg = f"this needs {' and '.join(missing)}: pip install 'm2r2_ros[train]'"
        raise ConfigError(msg)
    # Before torch is imported: idle OpenMP threads that spin make two cores slower than one.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    import torch  # takes seconds

    if 'OMP_NUM_THREADS' not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)))


class RecordingBars:
    """A progress bar for each recording, from when it begins."""

    def __init__(self, bar: Progress) -> None:
        """Add none yet to a progress display."""
        self._bar = bar
        self._tasks: dict[Path, TaskID] = {}

    def __call__(self, path: Path, share: float) -> None:
        """Show that a share of a recording, 0 to 1, is done."""
        if path not in self._tasks:
            self._tasks[path] = self._bar.add_task(recording_name(path), total=1.0)
        self._bar.update(self._tasks[path], completed=share)

    def drop(self, path: Path) -> None:
        """Show a recording no more, as where it failed."""
        if path in self._tasks:
            self._bar.remove_task(self._tasks.pop(path))


@contextmanager
def recording_bars() -> Iterator[RecordingBars]:
    """Show progress bars of recordings until the block ends."""
    with progress_bar() as bar:
        yield RecordingBars(bar)
