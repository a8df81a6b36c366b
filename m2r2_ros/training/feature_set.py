# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features and labels of recordings on disk, in the layout that the field's heads read.

features/NAME.npy         float32 (D, T)
groundTruth/NAME.txt      one label a line, T lines
mapping.txt               'id label' a line
splits/PART.split1.bundle 'NAME.txt' a line, PART is train, test or val
features.yaml             what the layout has no place for; folders of other origin lack it
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.files import atomic_write, disk_errors, write_text
from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import check_file, naming, read_text, reading
from m2r2_ros.core.text import excerpt, listed

FACTS = 'features.yaml'
PARTS = ('train', 'val', 'test')
#: The label of frames without one in groundTruth.
UNLABELLED = 'background'
#: Published labels and features differ in length by a frame or two; more is an error.
MAX_EXCESS = 0.02
#: Characters of a recording's name, with which a file system copes.
MAX_NAME = 200
#: Bytes of a list; that of the labels of a recording's frames is the longest.
MOST_BYTES = 64 << 20
_ID = re.compile('[0-9]{1,6}')


@dataclass(frozen=True)
class FeatureTrack:
    """Features and labels of one recording.

    Attributes:
        name: Name of the recording.
        values: x_1 .. x_T, float32 (T, D), mapped into memory.
        targets: int64 (T,), label ids, UNKNOWN where a frame has none.
    """

    name: str
    values: NDArray[np.float32]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def features(self) -> Tensor:
        """float32 (T, D)."""
        return torch.from_numpy(np.array(self.values, np.float32, order='C'))

    @cached_property
    def labelled(self) -> bool:
        """Whether any frame has a label."""
        return bool((self.targets != UNKNOWN).any())

    @cached_property
    def labels(self) -> Tensor:
        """int64 (T,)."""
        return torch.from_numpy(self.targets)


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Features of recordings, in the parts that they are trained and scored in.

    Attributes:
        folder: Its folder.
        labels: What the ids of targets mean.
        frame_rate: Frames per second.
        parts: Recordings of train, val and test; val may be empty.
        facts: Where the features come from; empty if the folder has no features.yaml.
        left_out: Recordings that no part has, since none of their frames has a label.
    """

    folder: Path
    labels: LabelSet
    frame_rate: float
    parts: Mapping[str, tuple[FeatureTrack, ...]]
    facts: Mapping[str, Any]
    left_out: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """D, width of the features."""
        return int(self.parts['train'][0].values.shape[1])

    def coarse(self) -> 'FeatureSet':
        """Return the same features with the labels' parents as labels.

        Raises:
            LabelError: No label has a parent.
        """
        if not any(self.labels.parents):
            msg = f'{self.folder / FACTS}: its labels have no parents: there is no coarse level'
            raise LabelError(msg)
        parents = [p or n for n, p in zip(self.labels.names, self.labels.parents, strict=True)]
        labels = LabelSet.of(dict.fromkeys(parents))
        ids = np.array([*(labels.id_of(p) for p in parents), UNKNOWN])
        parts = {
            part: tuple(FeatureTrack(t.name, t.values, ids[t.targets]) for t in tracks)
            for part, tracks in self.parts.items()
        }
        return replace(self, labels=labels, parts=parts)


class FeatureWriter:
    """Writes a feature set recording by recording.

    A folder can be continued: recordings in it are kept.
    """

    def __init__(self, folder: Path, labels: LabelSet) -> None:
        """Make the folder's layout."""
        self._folder = folder
        self._labels = labels
        with disk_errors(folder):
            for name in ('features', 'groundTruth', 'splits'):
                (folder / name).mkdir(parents=True, exist_ok=True)
        self._parts: dict[str, list[str]] = {part: [] for part in PARTS}

    def has(self, name: str) -> bool:
        """Return whether a recording exists already; its features are written last."""
        return (self._folder / 'features' / f'{name}.npy').is_file()

    def add(self, part: str, name: str) -> None:
        """Count a recording in, written now or before."""
        self._parts[part].append(name)

    def write(self, name: str, features: NDArray[np.float32], targets: NDArray[np.int64]) -> None:
        """Write a recording's features (T, D) and label ids (T,)."""
        names = [*self._labels.names, UNLABELLED]
        lines = ''.join(f'{names[k]}\n' for k in targets)
        write_text(self._folder / 'groundTruth' / f'{name}.txt', lines)
        with (
            atomic_write(self._folder / 'features' / f'{name}.npy') as draft,
            draft.open('wb') as file,
        ):
            np.save(file, np.ascontiguousarray(features.T, np.float32))

    def finish(self, frame_rate: float, facts: Mapping[str, Any]) -> None:
        """Write splits, mapping and facts."""
        for part, names in self._parts.items():
            text = ''.join(f'{name}.txt\n' for name in names)
            write_text(self._folder / 'splits' / f'{part}.split1.bundle', text)
        names = [*self._labels.names, *([UNLABELLED] if self._unlabelled() else [])]
        mapping = ''.join(f'{k} {name}\n' for k, name in enumerate(names))
        write_text(self._folder / 'mapping.txt', mapping)
        entries = {
            'frame_rate': frame_rate,
            'labels': {'names': list(self._labels.names), 'parents': list(self._labels.parents)},
            **facts,
        }
        text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=100)
        write_text(self._folder / FACTS, text)

    def _unlabelled(self) -> bool:
        if UNLABELLED in self._labels.names:
            return False
        files = (self._folder / 'groundTruth' / f'{n}.txt' for p in self._parts.values() for n in p)
        return any(UNLABELLED in f.read_text(encoding='utf-8').splitlines() for f in files)


def read_feature_set(
    folder: Path, *, split: int = 1, frame_rate: float | None = None
) -> FeatureSet:
    """Read a feature set, with or without features.yaml.

    Args:
        folder: With features, groundTruth, splits and mapping.txt.
        split: Number of the split.
        frame_rate: Frames per second, for folders without features.yaml.

    Raises:
        LabelError: A file is missing, cannot be read, or does not fit the others.
    """
    facts = _facts(folder / FACTS)
    rate = frame_rate or facts.number('frame_rate', 0.0)
    if rate <= 0:
        msg = (
            f'{folder / FACTS}: no frame rate there: give --frame-rate, without which tolerances '
            'in seconds mean nothing'
        )
        raise LabelError(msg)
    labels = _labels(folder, facts)
    parts = {
        part: tuple(_track(folder, name, labels) for name in _split(folder, part, split))
        for part in PARTS
    }
    every = [track for tracks in parts.values() for track in tracks]
    left_out = tuple(track.name for track in every if not track.labelled)
    parts = {part: tuple(t for t in tracks if t.labelled) for part, tracks in parts.items()}
    for part in ('train', 'test'):
        if not parts[part]:
            msg = f'{folder}: splits/{part}.split{split}.bundle names no recording with labels'
            raise LabelError(msg)
    _expect_apart(parts, folder)
    _expect_one_width([t for tracks in parts.values() for t in tracks], folder)
    return FeatureSet(folder, labels, float(rate), parts, facts.entries, left_out)


def _facts(path: Path) -> Section:
    if not path.is_file():
        return Section({}, file=path, error=LabelError)
    return Section.read(path, 'entries such as frame_rate', LabelError)


def _labels(folder: Path, facts: Section) -> LabelSet:
    """Return the label set of features.yaml, or mapping.txt as a flat one."""
    if facts.has('labels'):
        own = facts.section('labels')
        parents = own.get('parents', (list,))
        if not all(isinstance(parent, str) for parent in parents):
            own.refuse('parents', "a list of names, '' where a label has no parent", parents)
        with naming(folder / FACTS, LabelError):
            return LabelSet(own.texts('names'), tuple(parents))
    path = folder / 'mapping.txt'
    names: dict[int, str] = {}
    for number, line in enumerate(_lines(path), 1):
        key, _, name = line.partition(' ')
        if not _ID.fullmatch(key) or not name.strip():
            msg = f"{path}: line {number}: expected 'id label', found {excerpt(line)!r}"
            raise LabelError(msg)
        names[int(key)] = name.strip()
    if sorted(names) != list(range(len(names))) or not names:
        msg = f'{path}: expected ids 0, 1, 2, ..., found {listed(list(map(str, sorted(names))))}'
        raise LabelError(msg)
    with naming(path, LabelError):
        return LabelSet.of(names[k] for k in range(len(names)))


def _split(folder: Path, part: str, split: int) -> Sequence[str]:
    path = folder / 'splits' / f'{part}.split{split}.bundle'
    if part == 'val' and not path.is_file():
        return []
    names = [Path(line).stem for line in _lines(path) if line.strip()]
    if long := [name for name in names if len(name) > MAX_NAME]:
        msg = f'{path}: expected a name of a recording in each line, found {excerpt(long[0])!r}'
        raise LabelError(msg)
    return names


def _track(folder: Path, name: str, labels: LabelSet) -> FeatureTrack:
    path, truth = folder / 'features' / f'{name}.npy', folder / 'groundTruth' / f'{name}.txt'
    lines = [line.strip() for line in _lines(truth)]
    ids = {label: k for k, label in enumerate(labels.names)}
    ids.setdefault(UNLABELLED, UNKNOWN)
    if unknown := sorted(set(lines) - ids.keys()):
        msg = f'{truth}: labels {listed(unknown)} are not in {folder / "mapping.txt"}'
        raise LabelError(msg)
    expected = 'an array that numpy wrote'
    check_file(path, expected, LabelError)
    with reading(path, expected, LabelError):
        # Its header, and whether the file is as long as it says; no pickle, no archive.
        values = np.lib.format.open_memmap(path, mode='r')
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.floating) or not values.size:
        msg = f'{path}: expected numbers (D, T), found {values.dtype} {values.shape}'
        raise LabelError(msg)
    # Some store (T, D): the axis that has as many entries as there are labels is time.
    transposed = values.shape[1] != len(lines) and values.shape[0] == len(lines)
    rows = values if transposed else values.T
    frames = min(len(rows), len(lines))
    if max(len(rows), len(lines)) - frames > max(2, MAX_EXCESS * frames):
        msg = f'{path} has {len(rows)} frames, {truth} {len(lines)}: they are not of one recording'
        raise LabelError(msg)
    targets = np.array([ids[line] for line in lines[:frames]], np.int64)
    return FeatureTrack(name, rows[:frames], targets)


def _lines(path: Path) -> list[str]:
    return read_text(path, 'a text file', LabelError, most=MOST_BYTES).splitlines()


def _expect_apart(parts: Mapping[str, Sequence[FeatureTrack]], folder: Path) -> None:
    seen: dict[str, str] = {}
    for part, tracks in parts.items():
        for track in tracks:
            other = seen.setdefault(track.name, part)
            if other != part:
                msg = f'{folder}/splits: {track.name} is in {other} and in {part}'
                raise LabelError(msg)


def _expect_one_width(tracks: Sequence[FeatureTrack], folder: Path) -> None:
    widths = {t.values.shape[1]: t.name for t in tracks}
    if len(widths) > 1:
        found = ', '.join(f'{name} has {width}' for width, name in widths.items())
        msg = f'{folder}/features: expected one width, found that {found}'
        raise LabelError(msg)
