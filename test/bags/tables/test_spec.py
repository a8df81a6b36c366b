# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from m2r2_ros.bags.tables.spec import JOINTS, NUMBER, POSE, WRENCH, read_spec
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.share import share_path


def wrench() -> dict[str, Any]:
    return {
        'file': 'w.txt',
        'topic': '/wrench',
        'type': WRENCH,
        'frame_id': 'tool',
        'time': {'column': 0, 'unit': 'ms'},
        'columns': {
            'force': {'x': 1, 'y': 2, 'z': 3},
            'torque': {'x': 4, 'y': 5, 'z': 6},
        },
        'units': {'torque': 'N*mm'},
    }


def pose(orientation: dict[str, Any]) -> dict[str, Any]:
    return {
        'file': 'p.csv',
        'topic': '/pose',
        'type': POSE,
        'frame_id': 'base',
        'delimiter': ',',
        'header': True,
        'time': {'column': 't', 'unit': 's'},
        'columns': {'position': {'x': 'px', 'y': 'py', 'z': 'pz'}},
        'orientation': orientation,
    }


def spec(*tables: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {'name': 'test', 'tables': list(tables), **more}


def write(folder: Path, content: object) -> Path:
    file = folder / 'spec.yaml'
    file.write_text(yaml.safe_dump(content))
    return file


def test_wrench_with_units(tmp_path: Path) -> None:
    plan = read_spec(write(tmp_path, spec(wrench(), epoch=1.5)))
    assert plan.epoch == 1_500_000_000
    assert plan.labels is None
    [table] = plan.tables
    assert table.columns == (1, 2, 3, 4, 5, 6)
    assert table.scales == (1.0, 1.0, 1.0, 1e-3, 1e-3, 1e-3)
    assert table.time_unit == 10**6
    assert (table.text.delimiter, table.text.header, table.text.comment) == (None, False, '#')


def test_pose_with_either_orientation(tmp_path: Path) -> None:
    euler = {'euler': 'ZYX', 'columns': ['c', 'b', 'a'], 'unit': 'deg'}
    [table] = read_spec(write(tmp_path, spec(pose(euler)))).tables
    assert table.columns == ('px', 'py', 'pz', 'c', 'b', 'a')
    assert table.euler == 'ZYX'
    assert table.scales[3:] == (math.pi / 180,) * 3
    quaternion = {'quaternion': {'w': 'qw', 'x': 'qx', 'y': 'qy', 'z': 'qz'}}
    [table] = read_spec(write(tmp_path, spec(pose(quaternion)))).tables
    assert table.columns == ('px', 'py', 'pz', 'qx', 'qy', 'qz', 'qw')
    assert table.euler == ''


def test_joints_and_numbers(tmp_path: Path) -> None:
    joints = wrench() | {
        'type': JOINTS,
        'columns': {'position': {'left': 3, 'right': 1}, 'effort': {'left': 4, 'right': 5}},
        'units': {'position': 'mm', 'effort': 'N'},
    }
    number = wrench() | {
        'type': NUMBER,
        'topic': '/width',
        'columns': {'data': 1},
        'units': {'data': 'mm'},
    }
    del number['frame_id']
    first, second = read_spec(write(tmp_path, spec(joints, number))).tables
    assert first.joints == ('left', 'right')
    assert first.columns == (3, 1, 4, 5)
    assert first.scales == (1e-3, 1e-3, 1.0, 1.0)
    assert first.groups == {'position': 2, 'effort': 2}
    assert (second.columns, second.scales) == ((1,), (1e-3,))


def test_labels(tmp_path: Path) -> None:
    phases = {
        'file': 's.txt', 'kind': 'start_times', 'unit': 's', 'names': ['a', 'b'],
        'end': 'last_sample', 'optional': True,
    }  # fmt: skip
    labels = read_spec(write(tmp_path, spec(wrench(), labels=phases))).labels
    assert labels is not None
    assert (labels.names, labels.columns, labels.optional) == (('a', 'b'), (0,), True)
    listed = {
        'file': 's.csv', 'kind': 'segments', 'unit': 'ns', 'start': 'from', 'end': 'to',
        'label': 'what', 'delimiter': ';', 'header': True,
    }  # fmt: skip
    labels = read_spec(write(tmp_path, spec(wrench(), labels=listed))).labels
    assert labels is not None
    assert (labels.columns, labels.names, labels.time_unit) == (('from', 'to', 'what'), (), 1)
    assert not labels.optional


def changed(path: str, value: object) -> dict[str, Any]:
    """Return a sound specification with one place changed, or removed where `value` is None."""
    content = spec(wrench())
    *parents, key = path.split('.')
    place: Any = content
    for parent in parents:
        place = place[int(parent) if parent.isdigit() else parent]
    if value is None:
        del place[key]
    else:
        place[key] = value
    return content


@pytest.mark.parametrize(
    ('path', 'value', 'told'),
    [
        ('name', None, 'name: expected text, but it is missing'),
        ('tabels', [], 'unknown entries tabels; known: name, epoch, tables, labels'),
        ('epoch', 'today', "epoch: expected a number, found 'today'"),
        ('tables', [], 'at least one table'),
        ('tables', [wrench(), wrench()], 'a topic of its own'),
        ('tables', [3], r'tables\[0\]: expected a mapping, found 3'),
        ('tables.0.topic', None, r'tables\[0\]\.topic: expected text, but it is missing'),
        ('tables.0.colums', {}, r'tables\[0\]: unknown entries colums'),
        ('tables.0.type', 'sensor_msgs/msg/Image', 'expected one of geometry_msgs/msg/Wrench'),
        ('tables.0.frame_id', None, 'frame_id'),
        ('tables.0.time.unit', 'min', 'one of s, ms, us, ns'),
        ('tables.0.time.column', -1, 'its index from 0, found -1'),
        ('tables.0.time.column', True, r'time\.column: .* found True'),
        ('tables.0.time.colum', 3, r'time: unknown entries colum; known: column, unit'),
        ('tables.0.columns.force.z', None, r'columns\.force\.z: expected a column.*missing'),
        ('tables.0.columns.force.w', 9, r'columns\.force: unknown entries w'),
        ('tables.0.columns.forces', {}, r'columns: unknown entries forces'),
        ('tables.0.units.force', 'lbf', 'one of N, kN'),
        ('tables.0.units.angle', 'deg', r'units: unknown entries angle'),
        ('tables.0.delimiter', ', ', 'whitespace or one character'),
        ('tables.0.header', 1, 'header: expected true or false, found 1'),
        ('tables.0.orientation', {}, r'orientation'),
        ('labels', {'kind': 'guess'}, 'one of start_times, segments'),
        ('labels', {'kind': 'start_times', 'names': ['a', 'a']}, 'different names'),
        (
            'labels',
            {'kind': 'start_times', 'names': ['a'], 'end': 'never'},
            r'labels\.end: expected one of last_sample, found .never.',
        ),
        (
            'labels',
            {
                'kind': 'segments',
                'start': 0,
                'end': 1,
                'label': 2,
                'unit': 's',
                'file': 'f',
                'x': 1,
            },
            r'labels: unknown entries x; known: kind',
        ),
    ],
)
def test_mistakes_are_told(tmp_path: Path, path: str, value: object, told: str) -> None:
    file = write(tmp_path, changed(path, value))
    with pytest.raises(ConfigError, match=told) as caught:
        read_spec(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ('orientation', 'told'),
    [
        ({'euler': 'xYz', 'columns': [1, 2, 3]}, 'three axes'),
        ({'euler': 'xy', 'columns': [1, 2]}, 'three axes'),
        ({'euler': 'rpy', 'columns': [1, 2, 3]}, 'three axes'),
        ({'euler': 'xxy', 'columns': [1, 2, 3]}, 'no two in a row'),
        ({'euler': 'xyz', 'columns': [1, 2]}, 'three columns'),
        ({'euler': 'xyz', 'columns': [1, 2, 3], 'unit': 'grad'}, 'one of rad, deg'),
        ({'quaternion': {'x': 1, 'y': 2, 'z': 3}}, r'quaternion\.w'),
        (
            {'quaternion': {'x': 1, 'y': 2, 'z': 3, 'w': 4}, 'euler': 'xyz'},
            'unknown entries euler',
        ),
    ],
)
def test_wrong_orientations_are_told(
    tmp_path: Path, orientation: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        read_spec(write(tmp_path, spec(pose(orientation))))


def test_joints_must_agree(tmp_path: Path) -> None:
    columns = {'position': {'a': 1}, 'velocity': {'b': 2}}
    table = wrench() | {'type': JOINTS, 'columns': columns, 'units': {}}
    with pytest.raises(ConfigError, match=r"velocity: .* each of \['a'\], found \['b'\]"):
        read_spec(write(tmp_path, spec(table)))
    with pytest.raises(ConfigError, match='at least one of position'):
        read_spec(write(tmp_path, spec(table | {'columns': {}})))


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'absent\.yaml: no such file'):
        read_spec(tmp_path / 'absent.yaml')
    (tmp_path / 'broken.yaml').write_text('name: [')
    with pytest.raises(ConfigError, match='cannot be read'):
        read_spec(tmp_path / 'broken.yaml')
    with pytest.raises(ConfigError, match='name: expected text, but it is missing'):
        read_spec(write(tmp_path, None))


@pytest.mark.parametrize('file', sorted(share_path('config', 'import').glob('*.yaml')), ids=str)
def test_shipped_specifications_are_sound(file: Path) -> None:
    assert read_spec(file).name == file.stem
