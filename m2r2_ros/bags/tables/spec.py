# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import specifications: what the columns of text tables mean, in YAML."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Final

from m2r2_ros.core.numbers import LATEST
from m2r2_ros.core.options import Section
from m2r2_ros.core.time import SECOND

#: A column by its index from 0, or by its name in the header line.
Column = int | str

WRENCH: Final = 'geometry_msgs/msg/WrenchStamped'
POSE: Final = 'geometry_msgs/msg/PoseStamped'
TWIST: Final = 'geometry_msgs/msg/TwistStamped'
JOINTS: Final = 'sensor_msgs/msg/JointState'
NUMBER: Final = 'std_msgs/msg/Float64'

START_TIMES: Final = 'start_times'
SEGMENTS: Final = 'segments'

_LENGTH: Final = {'m': 1.0, 'cm': 1e-2, 'mm': 1e-3}
_ANGLE: Final = {'rad': 1.0, 'deg': math.pi / 180}
_SPEED: Final = {f'{unit}/s': factor for unit, factor in _LENGTH.items()}
_TURN: Final = {f'{unit}/s': factor for unit, factor in _ANGLE.items()}
_FORCE: Final = {'N': 1.0, 'kN': 1e3}
_TORQUE: Final = {'N*m': 1.0, 'N*mm': 1e-3}
_TIME: Final = {'s': SECOND, 'ms': 10**6, 'us': 10**3, 'ns': 1}

#: Groups of fields of each type with their units, the SI unit first.
GROUPS: Final[dict[str, dict[str, dict[str, float]]]] = {
    WRENCH: {'force': _FORCE, 'torque': _TORQUE},
    POSE: {'position': _LENGTH},
    TWIST: {'linear': _SPEED, 'angular': _TURN},
    JOINTS: {
        'position': _ANGLE | _LENGTH,
        'velocity': _TURN | _SPEED,
        'effort': _TORQUE | _FORCE,
    },
    NUMBER: {'data': _LENGTH | _ANGLE | _SPEED | _TURN | _FORCE | _TORQUE},
}


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text file is laid out.

    Attributes:
        delimiter: Between cells; None for any whitespace.
        header: Whether the first line names the columns.
        comment: What begins a comment, to the end of its line; '' where there are none.
    """

    delimiter: str | None
    header: bool
    comment: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table that becomes a topic.

    Attributes:
        file: Name in the trial folder; found with or without '.gz'.
        topic: Topic name.
        type_name: One of GROUPS.
        frame_id: Frame of the message headers.
        text: Layout of the file.
        time: Column of the time.
        time_unit: Nanoseconds in one unit of it.
        columns: Column of each number in the order of the message, orientation included.
        scales: Factor to SI of each column.
        euler: Convention of the last three columns (scipy's: lower-case letters for rotations
            about fixed axes, upper-case about moving ones); '' where there are none.
        joints: Names of the joints of a JointState.
        groups: Number of columns in each group of fields.
        optional: Whether a folder without the file is imported without the topic.
    """

    file: str
    topic: str
    type_name: str
    frame_id: str
    text: TextFormat
    time: Column
    time_unit: int
    columns: tuple[Column, ...]
    scales: tuple[float, ...]
    euler: str
    joints: tuple[str, ...]
    groups: Mapping[str, int]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LabelsSpec:
    """Where the ground truth is.

    Attributes:
        file: Name in the trial folder; found with or without '.gz'.
        kind: START_TIMES, one line for each phase, the last of which ends with the last sample;
            or SEGMENTS, one line for each with start, end and label.
        text: Layout of the file.
        time_unit: Nanoseconds in one unit of the times.
        names: Phases in order, or labels in id order; () takes labels as they come.
        columns: Columns of the start (both kinds), of the end and of the label.
        optional: Whether a folder without the file is imported without ground truth.
    """

    file: str
    kind: str
    text: TextFormat
    time_unit: int
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class ImportSpec:
    """An import specification; `epoch` is the Unix time of table time 0, nanoseconds."""

    path: Path
    name: str
    epoch: int
    tables: tuple[TableSpec, ...]
    labels: LabelsSpec | None


def read_spec(path: Path) -> ImportSpec:
    """Read and check an import specification.

    Raises:
        ConfigError: The file cannot be read, or a field is missing, unknown or wrong.
    """
    root = Section.read(path, 'an import specification')
    name = root.text('name')
    epoch = int(Decimal(str(root.number('epoch', 0))) * _TIME['s'])
    if abs(epoch) >= LATEST:
        root.refuse('epoch', 'seconds from 1970 to a time before 2038', root.entries['epoch'])
    entries = root.get('tables', (list,))
    labels = root.get('labels', (dict,), None)
    root.close()
    tables = tuple(_table(root.part(f'tables[{i}]', e)) for i, e in enumerate(entries))
    topics = [table.topic for table in tables]
    if not tables or len(set(topics)) != len(topics):
        root.refuse('tables', 'at least one table, each with a topic of its own', topics)
    return ImportSpec(
        path,
        name,
        epoch,
        tables,
        None if labels is None else _labels(root.part('labels', labels)),
    )


def _column(section: Section, key: str, *default: Column) -> Column:
    """Return a column: its name, or its index from 0."""
    expected = 'a column: its name, or its index from 0'
    value: Column = section.get(key, (int, str), *default, expected=expected)
    if isinstance(value, int) and value < 0:
        section.refuse(key, expected, value)
    return value


def _file(section: Section) -> str:
    """Return the name of a file in the trial folder, or below it."""
    name = section.text('file')
    path = PurePath(name)
    if path.is_absolute() or '..' in path.parts or '\0' in name:
        section.refuse('file', 'the name of a file in the trial folder', name)
    return name


def _text_format(section: Section) -> TextFormat:
    delimiter = section.text('delimiter', 'whitespace')
    if delimiter != 'whitespace' and len(delimiter) != 1:
        section.refuse('delimiter', 'whitespace or one character', delimiter)
    return TextFormat(
        None if delimiter == 'whitespace' else delimiter,
        section.flag('header', False),
        section.text('comment', '#'),
    )


def _table(section: Section) -> TableSpec:
    type_name = section.text('type')
    columns, scales, joints, groups = _columns(section, type_name)
    euler, turned, scale = _orientation(section) if type_name == POSE else ('', (), 1.0)
    time = section.section('time')
    table = TableSpec(
        file=_file(section),
        topic=section.text('topic'),
        type_name=type_name,
        frame_id=section.text('frame_id', '') if type_name == NUMBER else section.text('frame_id'),
        text=_text_format(section),
        time=_column(time, 'column'),
        time_unit=_TIME[time.choice('unit', _TIME)],
        columns=(*columns, *turned),
        scales=(*scales, *[scale] * len(turned)),
        euler=euler,
        joints=joints,
        groups=groups,
        optional=section.flag('optional', False),
    )
    time.close()
    section.close()
    return table


def _columns(
    section: Section, type_name: str
) -> tuple[list[Column], list[float], tuple[str, ...], dict[str, int]]:
    """Return columns, their factors to SI, names of joints and columns of each group."""
    groups = GROUPS[section.choice('type', GROUPS)]
    names = section.section('columns')
    units = section.section('units', {})
    columns: list[Column] = []
    scales: list[float] = []
    joints: tuple[str, ...] = ()
    sizes: dict[str, int] = {}
    for group, known in groups.items():
        if type_name == JOINTS and not names.has(group):
            continue
        found = _group(names, group, type_name)
        if type_name == JOINTS:
            joints = _same_joints(names, group, joints, tuple(found))
        sizes[group] = len(found)
        columns += found.values()
        scales += [known[units.choice(group, known, next(iter(known)))]] * len(found)
    names.close()
    units.close()
    if not columns:
        section.refuse('columns', f'at least one of {", ".join(groups)}', {})
    return columns, scales, joints, sizes


def _group(names: Section, group: str, type_name: str) -> dict[str, Column]:
    """Return the column of each field of a group."""
    if type_name == NUMBER:
        return {group: _column(names, group)}
    fields = names.section(group)
    known = map(str, fields.entries) if type_name == JOINTS else ('x', 'y', 'z')
    found = {field: _column(fields, field) for field in known}
    fields.close()
    return found


def _same_joints(
    names: Section, group: str, joints: tuple[str, ...], found: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse groups of a JointState that name different joints."""
    if not found or (joints and found != joints):
        names.refuse(group, f'a column for each of {list(joints) or "the joints"}', list(found))
    return found


def _orientation(section: Section) -> tuple[str, tuple[Column, ...], float]:
    """Return the Euler convention, '' for a quaternion, its columns and their factor to SI."""
    turn = section.section('orientation')
    if turn.has('quaternion'):
        parts = turn.section('quaternion')
        columns = tuple(_column(parts, part) for part in 'xyzw')
        parts.close()
        turn.close()
        return '', columns, 1.0
    euler = turn.text('euler')
    columns = tuple(turn.get('columns', (list,)))
    scale = _ANGLE[turn.choice('unit', _ANGLE, 'rad')]
    turn.close()
    axes = euler.lower()
    same_case = euler in {axes, euler.upper()}
    if len(axes) != 3 or not set(axes) <= set('xyz') or not same_case:
        turn.refuse('euler', 'three axes, such as xyz (fixed) or ZYX (moving)', euler)
    if axes[0] == axes[1] or axes[1] == axes[2]:
        turn.refuse('euler', 'three axes of which no two in a row are the same', euler)
    if len(columns) != 3 or not all(type(c) in {int, str} for c in columns):
        turn.refuse('columns', 'three columns, in the order of the axes', list(columns))
    return euler, columns, scale


def _labels(section: Section) -> LabelsSpec:
    kind = section.choice('kind', (START_TIMES, SEGMENTS))
    if kind == START_TIMES:
        columns: tuple[Column, ...] = (_column(section, 'column', 0),)
        names = section.texts('names')
        section.choice('end', ('last_sample',))
    else:
        columns = tuple(_column(section, key) for key in ('start', 'end', 'label'))
        names = section.texts('names', [])
    labels = LabelsSpec(
        file=_file(section),
        kind=kind,
        text=_text_format(section),
        time_unit=_TIME[section.choice('unit', _TIME)],
        names=names,
        columns=columns,
        optional=section.flag('optional', False),
    )
    section.close()
    return labels
