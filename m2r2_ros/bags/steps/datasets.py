# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets on disk, whose episodes are recordings although no file has their names.

An episode is called by the folder of its dataset and a name of its own, DATASET/episode_000001 in
LeRobot datasets and DATASET/train_000001, by the split, in RLDS.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from m2r2_ros.bags.remote.places import is_remote
from m2r2_ros.bags.source import Source
from m2r2_ros.core.errors import BagError

#: What makes a folder a dataset.
_LEROBOT: Final = ('meta/info.json',)
_RLDS: Final = ('features.json', 'dataset_info.json')
_NAME: Final = re.compile(r'(?P<group>\w+)_(?P<number>[0-9]{1,9})', re.ASCII)


def is_lerobot(folder: Path) -> bool:
    """Return whether a folder is a LeRobot dataset."""
    return not is_remote(folder) and _has(folder, _LEROBOT)


def is_rlds(folder: Path) -> bool:
    """Return whether a folder is an RLDS dataset."""
    return not is_remote(folder) and _has(folder, _RLDS) and not is_lerobot(folder)


def is_dataset(folder: Path) -> bool:
    """Return whether a folder is a dataset of episodes."""
    return is_lerobot(folder) or is_rlds(folder)


def is_episode(path: Path) -> bool:
    """Return whether a path names an episode: it is nothing on disk, but a dataset is above it."""
    return not is_remote(path) and is_dataset(path.parent) and not os.path.lexists(path)


def episodes_of(folder: Path, say: Callable[[str], None] = lambda what: None) -> list[Path]:
    """Return the paths of the episodes of a dataset, in order.

    Args:
        folder: The dataset.
        say: Called with what is lacking.

    Raises:
        BagError: It is damaged, or has none.
        ConfigError: What reads it is not installed.
    """
    if _has(folder, _LEROBOT):
        from m2r2_ros.bags.lerobot.dataset import present, read_dataset

        return [folder / f'episode_{k:06d}' for k in present(read_dataset(folder), say)]
    from m2r2_ros.bags.rlds.dataset import read_rlds

    dataset = read_rlds(folder)
    for what in dataset.lacking:
        say(what)
    splits = dataset.splits
    return [folder / f'{name}_{k:06d}' for name in splits for k in range(len(splits[name]))]


def episode_source(path: Path) -> Source:
    """Open an episode by its path.

    Raises:
        BagError: The dataset has no such episode, or it is damaged.
        ConfigError: What reads it is not installed.
    """
    folder, match = path.parent, _NAME.fullmatch(path.name)
    if _has(folder, _LEROBOT):
        if match is None or match['group'] != 'episode':
            raise _no_episode(path, 'episode_000000')
        from m2r2_ros.bags.lerobot.source import open_episode

        return open_episode(folder, int(match['number']))
    from m2r2_ros.bags.rlds.source import open_rlds

    return open_rlds(folder, *episode_number(path))


def episode_number(path: Path) -> tuple[str, int]:
    """Return the split and the number of an episode of an RLDS dataset, as its path says them.

    Raises:
        BagError: It is not called so.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise _no_episode(path, 'train_000000')
    return match['group'], int(match['number'])


def not_one(folder: Path) -> str:
    """Return what to say of a dataset where one recording is expected."""
    first = 'episode_000000' if _has(folder, _LEROBOT) else 'train_000000'
    return f'{folder} is a dataset of many recordings; name one of them, such as {folder / first}'


def _no_episode(path: Path, first: str) -> BagError:
    return BagError(
        f'{path}: {path.parent} is a dataset, whose episodes are called {first} and so on'
    )


def _has(folder: Path, names: tuple[str, ...]) -> bool:
    return all(_is_file(folder / name) for name in names)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
