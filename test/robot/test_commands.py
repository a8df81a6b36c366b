# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands on a robot that only labels: nothing that trains is installed there."""

import json
from pathlib import Path

import pytest

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.cli.commands import COMMANDS
from m2r2_ros.core.share import share_path
from test.robot.conftest import TRAINING, Robot

MODEL = share_path('models', 'cell')
#: Commands that train, complete but for files, which they look for later.
TRAINERS = (
    'train recording --out out',
    'pretrain recording --preset proprio --out out',
    'features recording --test recording --model model --out out',
    'train-head features --model model --head causal_tcn --out out',
    'benchmark features --out out',
    'reproduce data --preset proprio --out out',
)
IMPORT = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    import_module('m2r2_ros.cli.' + name)
"""

TABLE = """
name: numbers
epoch: 1
tables:
  - file: numbers.txt
    topic: /number
    type: std_msgs/msg/Float64
    time: {column: 0, unit: s}
    columns: {data: 1}
"""


@pytest.fixture(scope='module')
def labels(robot: Robot, recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label the recording with the shipped model."""
    folder = tmp_path_factory.mktemp('labels')
    robot.m2r2('label', recording, '--model', MODEL, '--out', folder / 'whole')
    robot.m2r2('label', recording, '--model', MODEL, '--out', folder / 'live', '--as-live')
    return folder


def test_nothing_that_trains_can_be_imported(robot: Robot) -> None:
    assert robot.importable(*TRAINING, 'onnxruntime') == ['onnxruntime']


def test_every_command_can_be_imported(robot: Robot) -> None:
    robot.run('python', '-c', IMPORT, *{c.place.split(':')[0] for c in COMMANDS.values()})
    assert 'Usage' in robot.m2r2('--help')


def test_models_are_listed_and_described(robot: Robot) -> None:
    shown = robot.m2r2('models')
    assert 'presets' in shown
    assert 'cell' in shown  # installed beside the modules
    assert 'parameters' in robot.m2r2('models', MODEL)


def test_recording_is_inspected_labelled_and_scored(
    robot: Robot, recording: Path, labels: Path
) -> None:
    assert 'wrench' in robot.m2r2('inspect', recording)
    for folder in ('whole', 'live'):
        track = read_label_track(labels / folder / f'{recording.name}_labels')
        assert len(track.stamps) > 50
        scores = robot.m2r2('evaluate', labels / folder, '--truth', recording, '--json')
        assert json.loads(scores)['accuracy'] > 0.7


def test_truncated_recording_is_repaired(robot: Robot, recording: Path, tmp_path: Path) -> None:
    (whole,) = recording.glob('*.mcap')
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    robot.m2r2('repair', broken, '--out', tmp_path / 'repaired', code=3)
    assert list((tmp_path / 'repaired').glob('*.mcap'))


def test_tables_are_imported(robot: Robot, tmp_path: Path) -> None:
    trial = tmp_path / 'trial'
    trial.mkdir()
    (trial / 'numbers.txt').write_text(''.join(f'{i / 100}\t{i}\n' for i in range(100)))
    spec = tmp_path / 'spec.yaml'
    spec.write_text(TABLE)
    robot.m2r2('import', 'table', spec, '--input', trial, '--out', tmp_path / 'bag')
    assert list((tmp_path / 'bag').glob('*.mcap'))


def test_layouts_of_viewers_are_written(robot: Robot, tmp_path: Path) -> None:
    robot.m2r2('viewers', MODEL, '--out', tmp_path / 'viewers')
    assert (tmp_path / 'viewers' / 'm2r2.rviz').is_file()


@pytest.mark.parametrize('command', TRAINERS)
def test_commands_that_train_name_the_extra(robot: Robot, recording: Path, command: str) -> None:
    words = [recording if word == 'recording' else word for word in command.split()]
    said = robot.m2r2(*words, code=2)
    assert said.count('\n') == 1
    assert "pip install 'm2r2_ros[train]'" in said
