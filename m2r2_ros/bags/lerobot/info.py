# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What meta/info.json of a LeRobot dataset says."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any, Final

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import read_text, reading

INFO: Final = 'meta/info.json'
_EXPECTED: Final = 'the meta/info.json of a LeRobot dataset v2 or v3'
#: Bytes of the file, features, and numbers of a step in one of them.
_MOST_BYTES: Final = 1 << 24
_MOST_FEATURES: Final = 1000
_MOST_NUMBERS: Final = 1 << 24
#: Frames per second.
_SLOWEST, _FASTEST = 1e-3, 1e5
#: A place in a template of paths, such as {episode_index:06d}.
_PLACE: Final = re.compile(r'\{(\w+)(?::0?([0-9])d)?\}')
#: What every step has besides what was recorded.
INDEX_FEATURES: Final = ('timestamp', 'frame_index', 'episode_index', 'index', 'task_index')


@dataclass(frozen=True, slots=True)
class LeRobotFeature:
    """A feature of a dataset.

    Attributes:
        name: Its name, and that of its column.
        dtype: 'video', 'image', 'string', or the type of its numbers.
        width: Numbers of a step.
        names: What these are called; () where nothing says it.
        depth: Its images are of depth.
    """

    name: str
    dtype: str
    width: int
    names: tuple[str, ...]
    depth: bool


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A dataset.

    Attributes:
        version: 2 or 3.
        robot: Type of the robot; '' unknown.
        rate: Frames per second.
        chunk: Episodes in a folder of v2.
        data_path: Template of the paths of tables.
        video_path: Template of the paths of films; '' where there are none.
        features: By name.
    """

    version: int
    robot: str
    rate: Fraction
    chunk: int
    data_path: str
    video_path: str
    features: Mapping[str, LeRobotFeature]


def read_info(dataset: Path) -> DatasetInfo:
    """Read what a dataset says of itself.

    Raises:
        BagError: It is damaged, or of another version.
    """
    path = dataset / INFO
    text = read_text(path, _EXPECTED, BagError, most=_MOST_BYTES)
    with reading(path, _EXPECTED, BagError):
        content = json.loads(text)
    section = Section(content, file=path, expected=_EXPECTED, error=BagError)
    version = _version(section)
    films = section.get('video_path', (str, type(None)), None)
    return DatasetInfo(
        version,
        section.get('robot_type', (str, type(None)), None) or '',
        _rate(section),
        section.count('chunks_size', 1000),
        section.text('data_path'),
        films or '',
        _features(section),
    )


def place_in(dataset: Path, template: str, values: Mapping[str, str | int]) -> Path:
    """Return the path that a template gives; it lies in the dataset.

    Args:
        dataset: The dataset.
        template: Such as 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'.
        values: What may stand in it.

    Raises:
        BagError: It leads out of the dataset, or has other places.
    """

    def put(match: re.Match[str]) -> str:
        name, digits = match.groups()
        value = values.get(name)
        if value is None or (digits and not isinstance(value, int)):
            msg = f'{dataset / INFO}: {template!r} has {match.group()}, expected {list(values)}'
            raise BagError(msg)
        return f'{value:0{digits}d}' if digits else str(value)

    found = _PLACE.sub(put, template)
    parts = PurePosixPath(found)
    if parts.is_absolute() or '..' in parts.parts or '\0' in found or not parts.name:
        msg = f'{dataset / INFO}: {found!r} is no path in the dataset; correct the template'
        raise BagError(msg)
    return dataset / found


def _version(section: Section) -> int:
    text = section.text('codebase_version')
    for version in (2, 3):
        if text.removeprefix('v').split('.')[0] == str(version):
            return version
    return section.refuse('codebase_version', 'v2.0, v2.1 or v3.0; convert it with LeRobot', text)


def _rate(section: Section) -> Fraction:
    rate = section.number('fps')
    if not _SLOWEST <= rate <= _FASTEST:
        section.refuse('fps', f'{_SLOWEST:g} to {_FASTEST:g} frames per second', rate)
    # As it is written: 29.97 is not the binary fraction next to it.
    return Fraction(str(rate))


def _features(section: Section) -> dict[str, LeRobotFeature]:
    content = section.section('features')
    if len(content.entries) > _MOST_FEATURES:
        section.refuse('features', f'at most {_MOST_FEATURES} of them', len(content.entries))
    return {name: _feature(name, content.section(name)) for name in content.entries}


def _feature(name: str, section: Section) -> LeRobotFeature:
    shape = section.get('shape', (list,), [1])
    sizes = [n for n in shape if isinstance(n, int) and not isinstance(n, bool) and n > 0]
    if len(sizes) != len(shape) or len(shape) > 8 or prod(sizes) > _MOST_NUMBERS:
        section.refuse('shape', f'whole numbers above 0, {_MOST_NUMBERS} in all', shape)
    info = section.get('info', (dict, type(None)), None) or {}
    depth = info.get('is_depth_map') is True or info.get('video.is_depth_map') is True
    names = tuple(_flat(section.entries.get('names'), 0))
    return LeRobotFeature(name, section.text('dtype'), prod(sizes), names, depth)


def _flat(names: Any, depth: int) -> list[str]:  # noqa: ANN401 - whatever a file holds
    """Return names that are listed in a list, lists of lists, or under the kind of thing."""
    if isinstance(names, str):
        return [names]
    if isinstance(names, dict):
        if names and all(isinstance(v, int) for v in names.values()):  # name: place
            return sorted(map(str, names), key=names.__getitem__)
        names = list(names.values())
    if not isinstance(names, list) or depth > 4:
        return []
    return [text for item in names for text in _flat(item, depth + 1)]
