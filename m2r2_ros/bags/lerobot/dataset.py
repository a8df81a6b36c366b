# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The episodes of a LeRobot dataset: where the steps and films of each one lie."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.lerobot.info import INFO, DatasetInfo, place_in, read_info
from m2r2_ros.bags.lerobot.tables import step_table
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import check_file, read_text, reading

_EPISODES: Final = 'meta/episodes'
#: Bytes of a file of lines of JSON, and episodes of a dataset.
_MOST_LINES: Final = 1 << 26
_MOST_EPISODES: Final = 1 << 20
_WAY_OUT: Final = 'the list of episodes: download it again'


@dataclass(frozen=True, slots=True)
class Film:
    """Where the images of an episode lie.

    Attributes:
        path: The film.
        since: Its time at the first image, s.
        shared: There may be other episodes behind it in the film.
    """

    path: Path
    since: float
    shared: bool


@dataclass(frozen=True, slots=True)
class LeRobotEpisode:
    """An episode.

    Attributes:
        index: Its number.
        length: Steps, as the list says.
        table: The Parquet file with its steps.
        films: By feature.
        tasks: What was to be done, in words.
    """

    index: int
    length: int
    table: Path
    films: Mapping[str, Film]
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class LeRobotDataset:
    """A dataset.

    Attributes:
        path: Its folder.
        info: What it says of itself.
        episodes: By number.
    """

    path: Path
    info: DatasetInfo
    episodes: Mapping[int, LeRobotEpisode] = field(default_factory=dict)


def read_dataset(folder: Path) -> LeRobotDataset:
    """Read the list of episodes.

    Raises:
        BagError: Something of it is missing or damaged.
    """
    listing = folder / _EPISODES
    marks = [_mark(path) for path in (folder / INFO, listing, listing.with_suffix('.jsonl'))]
    return _read(folder.absolute(), tuple(marks))


def present(dataset: LeRobotDataset, say: Callable[[str], None]) -> list[int]:
    """Return the numbers of the episodes whose steps are there; of parts of datasets not all are.

    Args:
        dataset: The dataset.
        say: Called with what is lacking.

    Raises:
        BagError: None is there.
    """
    tables = {episode.table for episode in dataset.episodes.values()}
    there = {path for path in tables if _is_file(path)}
    found = [k for k, e in sorted(dataset.episodes.items()) if e.length and e.table in there]
    if not found:
        msg = f'{dataset.path}: none of its {len(dataset.episodes)} episodes is there'
        raise BagError(msg)
    if lacking := len(dataset.episodes) - len(found):
        count = f'{lacking} of {len(dataset.episodes)} episodes of {dataset.path}'
        say(f'{count}, which are not there, or have no steps')
    return found


@lru_cache(maxsize=8)
def _read(folder: Path, marks: tuple[object, ...]) -> LeRobotDataset:
    """Read a dataset anew when its files have changed."""
    info = read_info(folder)
    found = _table_of_episodes if info.version == 3 else _lines_of_episodes
    return LeRobotDataset(folder, info, {e.index: e for e in found(folder, info)})


def _mark(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _lines_of_episodes(folder: Path, info: DatasetInfo) -> Iterator[LeRobotEpisode]:
    path = folder / f'{_EPISODES}.jsonl'
    for number, entry in read_lines(path):
        index, length = entry.get('episode_index'), entry.get('length')
        place = f'{path}: line {number}'
        values = _whole(place, 'episode_index', index), _whole(place, 'length', length)
        tasks = entry.get('tasks')
        yield LeRobotEpisode(
            values[0],
            values[1],
            place_in(folder, info.data_path, _places(values[0], info)),
            {
                name: Film(
                    place_in(
                        folder, info.video_path, {**_places(values[0], info), 'video_key': name}
                    ),
                    0.0,
                    False,
                )
                for name in _filmed(info)
            },
            tuple(t for t in tasks if isinstance(t, str)) if isinstance(tasks, list) else (),
        )


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the content of each line of a file of JSON.

    Raises:
        BagError: A line holds something else than a mapping.
    """
    text = read_text(path, 'a line of JSON for each entry', BagError, most=_MOST_LINES)
    # Not splitlines: texts of JSON hold what else ends lines, such as U+2028, as it is.
    for number, line in enumerate(text.split('\n'), 1):
        if not line.strip():
            continue
        place = f'{path}: line {number}'
        with reading(place, 'JSON', BagError):
            entry = json.loads(line)
        if not isinstance(entry, dict):
            msg = f'{place}: expected a mapping'
            raise BagError(msg)
        yield number, entry


def _table_of_episodes(folder: Path, info: DatasetInfo) -> Iterator[LeRobotEpisode]:
    files = sorted((folder / _EPISODES).glob('chunk-*/file-*.parquet'))
    if not files:
        msg = f'{folder / _EPISODES}: no chunk-000/file-000.parquet; expected {_WAY_OUT}'
        raise BagError(msg)
    for file in files:
        check_file(file, _WAY_OUT, BagError)
        with step_table(file) as table:
            columns = ['episode_index', 'length', 'data/chunk_index', 'data/file_index']
            for name in _filmed(info):
                columns += [f'videos/{name}/{key}' for key in _FILM_KEYS]
            table.expect(columns)
            columns += [c for c in ('tasks',) if c in table.columns]
            content = table.whole(columns, _MOST_EPISODES)
        with reading(file, _WAY_OUT, BagError):
            rows = content.to_pylist()
        for row in rows:
            yield _episode(folder, info, file, row)


_FILM_KEYS: Final = ('chunk_index', 'file_index', 'from_timestamp')


def _episode(folder: Path, info: DatasetInfo, file: Path, row: dict[str, Any]) -> LeRobotEpisode:
    index = _whole(str(file), 'episode_index', row['episode_index'])
    place = f'{file}: episode {index}'
    where = {
        f'{key}_index': _whole(place, f'data/{key}_index', row[f'data/{key}_index'])
        for key in ('chunk', 'file')
    }
    films = {}
    for name in _filmed(info):
        chunk, number, since = (row[f'videos/{name}/{key}'] for key in _FILM_KEYS)
        if chunk is None or number is None:
            continue
        at: dict[str, str | int] = {
            'chunk_index': _whole(place, name, chunk),
            'file_index': _whole(place, name, number),
            'video_key': name,
        }
        if not isinstance(since, float | int) or not 0 <= since < 1e7:
            msg = f'{place}: videos/{name}/from_timestamp: expected seconds, found {since!r}'
            raise BagError(msg)
        films[name] = Film(place_in(folder, info.video_path, at), float(since), True)
    tasks = row.get('tasks')
    return LeRobotEpisode(
        index,
        _whole(place, 'length', row['length']),
        place_in(folder, info.data_path, where),
        films,
        tuple(t for t in tasks if isinstance(t, str)) if isinstance(tasks, list) else (),
    )


def _filmed(info: DatasetInfo) -> list[str]:
    return [name for name, feature in info.features.items() if feature.dtype == 'video']


def _places(index: int, info: DatasetInfo) -> dict[str, str | int]:
    return {'episode_chunk': index // info.chunk, 'episode_index': index}


def _whole(place: str, name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31:
        return value
    msg = f'{place}: {name}: expected a whole number, 0 or more, found {value!r}'
    raise BagError(msg)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
