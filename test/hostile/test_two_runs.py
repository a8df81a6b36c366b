# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs that write one output at the same time, and runs that are killed on the way."""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import m2r2_ros.segmenters  # noqa: F401 - what every run would import by itself
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.replay.outputs import Outputs
from test.cli.run import digest, m2r2
from test.hostile.forks import command, ended, fork, killed_after, signalled, stopped
from test.replay.recordings import robot_bag, tiny_bundle

#: How many times as many pairs and kills are tried by `make fuzz`.
FACTOR = 20 if 'M2R2_FUZZ' in os.environ else 1


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording, with a model beside it."""
    folder = tmp_path_factory.mktemp('robot')
    bag = robot_bag(folder / 'robot', 20.0)
    tiny_bundle(folder / 'bundle', [bag])
    return bag


@dataclass(frozen=True)
class Place:
    """Where one recording is labelled again and again."""

    robot: Path
    folder: Path

    def label(self, *flags: object, out: str = 'out') -> Callable[[], int]:
        model = self.robot.with_name('bundle')
        arguments = ('--model', model, '--out', self.folder / out, *flags)
        log = self.folder / f'log{random.getrandbits(60)}'
        return command(log, 'label', self.robot, *arguments)

    def outcome(self, out: str = 'out') -> tuple[object, ...]:
        """Return what outputs hold, without what differs from run to run."""
        outputs = Outputs.of(self.folder / out, self.robot.name)
        files = {
            path.relative_to(self.folder / out): code
            for path, code in digest([outputs.labels, outputs.merged, outputs.segments]).items()
        }
        told = json.loads(outputs.summary.read_text())
        assert told['frames'] == open_recording(outputs.labels).topics['/action_label'].count
        return told['revision_lag'], told['segments'], files

    def names(self) -> set[str]:
        return {path.name for path in (self.folder / 'out').iterdir()}

    def logs(self) -> str:
        return '\n'.join(path.read_text() for path in self.folder.glob('log*'))


def overtake(robot: Path, folder: Path, seed: int, rounds: int) -> None:
    """Label a recording while another run that labels it is stopped on the way."""
    place, chance = Place(robot, folder), random.Random(seed)
    assert place.label('--merge', out='alone')() == 0
    alone = place.outcome('alone')
    for k in range(rounds):
        flags = [chance.choice([('--resume',), ('--overwrite',)]) for _ in range(2)]
        # The first steps claim the outputs and begin the drafts.
        act = signalled(place.label('--merge', *flags[0]), chance.randint(8, 20), signal.SIGSTOP)
        first = fork(act, folder / 'log-first')
        if not stopped(first):
            continue
        assert ended(fork(place.label('--merge', *flags[1]), folder / 'log-second')) == 2
        os.kill(first, signal.SIGCONT)
        assert ended(first) == 0, place.logs()
        assert place.outcome() == alone, (k, flags)
        assert len(place.names()) == 4
        shutil.rmtree(folder / 'out')
    assert 'another run' in place.logs()


def kill(robot: Path, folder: Path, seed: int, rounds: int) -> None:
    """Kill runs at random moments; the next one makes everything whole."""
    place, chance = Place(robot, folder), random.Random(seed)
    began = time.monotonic()
    assert place.label('--merge', out='alone')() == 0
    takes = time.monotonic() - began
    alone = place.outcome('alone')
    for k in range(rounds):
        flags = ('--overwrite',) if k % 2 else ('--resume',)
        run = fork(place.label('--merge', *flags), folder / 'log-first')
        killed_after(run, chance.uniform(0, takes))
        assert place.label('--merge', '--resume')() == 0, place.logs()
        assert place.outcome() == alone
        if k % 2 == 0:
            assert len(place.names()) == 4, place.names()
            shutil.rmtree(folder / 'out')


@pytest.mark.parametrize('seed', [1])
@pytest.mark.parametrize('act', [overtake, kill])
def test_outputs_are_whole_and_belong_together(
    processes: ProcessPoolExecutor,
    robot: Path,
    tmp_path: Path,
    act: Callable[[Path, Path, int, int], None],
    seed: int,
) -> None:
    processes.submit(act, robot, tmp_path, seed, 4 * FACTOR).result()


def test_a_batch_goes_on_where_one_recording_is_written_by_another_run(
    robot: Path, tmp_path: Path
) -> None:
    other = robot_bag(tmp_path / 'other', 2.0)
    outputs = Outputs.of(tmp_path / 'out', 'robot')
    model = robot.with_name('bundle')
    with pytest.raises(KeyboardInterrupt), outputs.replaced(overwrite=False):
        label = ('label', robot, other, '--model', model, '--out', tmp_path / 'out', '--resume')
        error = m2r2(*label).error
        assert '1 of 2 recordings could not be labelled' in error
        assert 'robot_labels is being written by another run' in error
        raise KeyboardInterrupt
    assert Outputs.of(tmp_path / 'out', 'other').summary.is_file()
