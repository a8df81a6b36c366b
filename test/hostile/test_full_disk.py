# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that run out of disk: one error, and what was there before is there."""

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from test.cli.run import digest, done, m2r2
from test.hostile.disks import small_disk
from test.hostile.forks import command, ended, fork, signalled, stopped
from test.replay.recordings import robot_bag, tiny_bundle

#: Bytes of the largest file: none at all, some text, small bags, weights.
SIZES = (0, 300, 4_000, 30_000)


@pytest.fixture(scope='module')
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, a model and features; to be read."""
    folder = tmp_path_factory.mktemp('inputs')
    first, second = (robot_bag(folder / name, 4.0, seed=k) for k, name in enumerate(('a', 'b')))
    tiny_bundle(folder / 'bundle', [first, second])
    done(*features(folder, folder / 'features'))
    return folder


def label(inputs: Path, out: Path) -> tuple[object, ...]:
    model = ('--model', inputs / 'bundle')
    return ('label', inputs / 'a', *model, '--out', out, '--merge', '--overwrite')


def repair(inputs: Path, out: Path) -> tuple[object, ...]:
    return ('repair', inputs / 'a', '--out', out / 'bag', '--overwrite')


def viewers(inputs: Path, out: Path) -> tuple[object, ...]:
    return ('viewers', inputs / 'bundle', '--out', out, '--overwrite')


def features(inputs: Path, out: Path) -> tuple[object, ...]:
    sources = (inputs / 'a', '--test', inputs / 'b')
    return ('features', *sources, '--model', inputs / 'bundle', '--out', out)


def train(inputs: Path, out: Path) -> tuple[object, ...]:
    options = ('--preset', 'proprio', '--epochs', 2)
    return ('train', inputs / 'a', '--out', out / 'model', *options)


def train_head(inputs: Path, out: Path) -> tuple[object, ...]:
    sources = (inputs / 'features', '--model', inputs / 'bundle')
    head = ('--head', 'causal_tcn:layers=2', '--epochs', 2)
    return ('train-head', *sources, '--out', out / 'head', *head)


#: Commands, and whether they replace what is there.
COMMANDS: dict[Callable[[Path, Path], tuple[object, ...]], bool] = {
    label: True,
    repair: True,
    viewers: True,
    features: False,
    train: False,
    train_head: False,
}


@pytest.mark.parametrize('act', COMMANDS)
def test_a_full_disk_is_told_and_takes_nothing(
    inputs: Path, tmp_path: Path, act: Callable[[Path, Path], tuple[object, ...]]
) -> None:
    out = tmp_path / 'out'
    if COMMANDS[act]:
        done(*act(inputs, out))
    before, sources, failed = digest(out), digest(inputs), 0
    for size in SIZES:
        with small_disk(size):
            result = m2r2(*act(inputs, out))
        if result.code == 0:
            break
        failed += 1
        assert 'cannot be written' in result.error
        assert str(tmp_path) in result.error
        found = digest(out)
        assert {path: found.get(path) for path in before} == before
        assert not COMMANDS[act] or found == before
    assert failed
    assert digest(inputs) == sources
    # There is room again: the same command goes on.
    if not (not COMMANDS[act] and result.code == 0):
        done(*act(inputs, out))


def vanish(act: Callable[[Path, Path], tuple[object, ...]], inputs: Path, folder: Path) -> int:
    """Take a folder away from under a command at some of its steps; return how often."""
    out, count = folder / 'out', 0
    for step in (3, 5, 8, 15, 30):
        run = signalled(command(folder / 'log', *act(inputs, out)), step, signal.SIGSTOP)
        pid = fork(run, folder / 'log2')
        if not stopped(pid):
            break
        shutil.rmtree(out, ignore_errors=True)
        os.kill(pid, signal.SIGCONT)
        assert ended(pid) in (0, 2), (folder / 'log').read_text()
        count += 1
    return count


@pytest.mark.parametrize('act', [label, repair])
def test_a_folder_that_vanishes_is_told(
    processes: ProcessPoolExecutor,
    inputs: Path,
    tmp_path: Path,
    act: Callable[[Path, Path], tuple[object, ...]],
) -> None:
    assert processes.submit(vanish, act, inputs, tmp_path).result() > 1


@pytest.mark.parametrize('act', COMMANDS)
def test_a_file_in_place_of_the_folder_is_told(
    inputs: Path, tmp_path: Path, act: Callable[[Path, Path], tuple[object, ...]]
) -> None:
    (tmp_path / 'out').write_text('mine')
    error = m2r2(*act(inputs, tmp_path / 'out')).error
    assert str(tmp_path / 'out') in error
    assert (tmp_path / 'out').read_text() == 'mine'
