# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The episodes of an RLDS dataset: in which record of which file each one lies."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from m2r2_ros.bags.rlds.features import FEATURES, StepFeature, read_features
from m2r2_ros.bags.rlds.records import RecordPlace, record_places
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import reading

#: Files of a dataset, as TFDS names them: NAME-SPLIT.tfrecord-00000-of-00001.
_SHARD: Final = re.compile(
    r'(?P<name>.+)-(?P<split>\w+)\.tfrecord-(?P<number>\d{5,})-of-(?P<of>\d{5,})'
)
_MOST_SHARDS: Final = 1 << 16


class EpisodePlace(NamedTuple):
    """Where an episode lies.

    Attributes:
        path: The file.
        record: The record.
    """

    path: Path
    record: RecordPlace


@dataclass(frozen=True)
class RldsDataset:
    """A dataset.

    Attributes:
        path: Its folder.
        features: By name in the records.
        splits: Episodes of each split, in the order of the files.
        lacking: What is not there, or not read.
    """

    path: Path
    features: dict[str, StepFeature]
    splits: dict[str, list[EpisodePlace]]
    lacking: tuple[str, ...] = ()


def read_rlds(folder: Path) -> RldsDataset:
    """Find the episodes of a dataset.

    Raises:
        BagError: Something of it is missing or damaged.
        ConfigError: What checks the records is not installed.
    """
    with reading(folder, 'an RLDS dataset', BagError):
        shards = sorted(p for p in folder.iterdir() if _SHARD.fullmatch(p.name))[:_MOST_SHARDS]
        marks = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in shards]
        marks.append((FEATURES, 0, (folder / FEATURES).stat().st_mtime_ns))
    return _read(folder.absolute(), tuple(marks))


def episode_of(dataset: RldsDataset, split: str, number: int) -> EpisodePlace:
    """Return where an episode lies.

    Raises:
        BagError: The dataset has no such episode.
    """
    found = dataset.splits.get(split, [])
    if number < len(found):
        return found[number]
    there = ', '.join(f'{len(e)} of {name}' for name, e in dataset.splits.items()) or 'none'
    msg = f'{dataset.path}: there is no episode {number} of {split}; it has {there}'
    raise BagError(msg)


@lru_cache(maxsize=8)
def _read(folder: Path, marks: tuple[tuple[str, int, int], ...]) -> RldsDataset:
    """Read a dataset anew when its files have changed."""
    features = read_features(folder)
    shards: dict[str, list[re.Match[str]]] = {}
    for name, _, _ in marks[:-1]:
        if match := _SHARD.fullmatch(name):
            shards.setdefault(match['split'], []).append(match)
    splits: dict[str, list[EpisodePlace]] = {}
    lacking = []
    for split, found in shards.items():
        # Behind one that is not there, episodes would have the numbers of others.
        paths = [folder / m.string for k, m in enumerate(found) if int(m['number']) == k]
        if len(paths) < (total := int(found[0]['of'])):
            lacking.append(f'{split} of {folder} from file {len(paths)} of {total} on, not there')
        if paths:
            splits[split] = [EpisodePlace(p, place) for p in paths for place in record_places(p)]
    if not splits:
        msg = f'{folder}: has no files such as NAME-train.tfrecord-00000-of-00001'
        raise BagError(msg)
    return RldsDataset(folder, features, splits, tuple(lacking))
