# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from test.cli.run import digest, done, m2r2, summary
from test.replay.recordings import robot_bag

NAMES = ('first', 'second', 'third')


def outputs(folder: Path) -> dict[str, str]:
    """Hash what labelling left, but for summaries, which tell how long it took."""
    found = {path.relative_to(folder): text for path, text in digest(folder).items()}
    return {
        str(path): text
        for path, text in found.items()
        if path.parts[0] != '.m2r2' and not path.name.endswith('_summary.json')
    }


def test_labels_are_those_of_one_process(robots: Path, bundle: Path, tmp_path: Path) -> None:
    plain, fleet = tmp_path / 'plain', tmp_path / 'fleet'
    good = [robots / name for name in NAMES]
    done('label', *good, '--model', bundle, '--out', plain)
    result = done('label', *good, '--model', bundle, '--out', fleet, '--fleet', '--workers', 2)
    assert '3 recordings: 3 to do' in result.err
    assert '3 done, 0 failed, 0 left; ' in result.err
    assert 'h of recording an hour' in result.err
    assert all(name in result.out for name in NAMES)
    assert len(outputs(plain)) == 3 * 3
    assert outputs(fleet) == outputs(plain)
    for name in NAMES:
        one, other = summary(fleet, name), summary(plain, name)
        for told in (one, other):
            del told['wall_s'], told['speed']
        assert one == other


def test_a_run_goes_on_and_leaves_out_what_failed(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    command = ['label', robots, '--model', bundle, '--out', out, '--fleet', '--workers', 1]
    first = m2r2(*command)
    assert '1 of 4 recordings could not be labelled' in first.error
    assert 'broken.mcap' in first.error
    assert '--retry-failed tries them again' in first.error
    (failure,) = (out / '.m2r2' / 'failed').iterdir()
    assert 'broken.mcap' in json.loads(failure.read_text())['error']
    before = digest(out)

    second = m2r2(*command)
    assert '4 recordings: 0 to do, 3 done already, 1 failed before' in second.err
    assert 'failed in an earlier run' in second.error
    assert digest(out) == before

    for path in out.glob('second_*'):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    third = m2r2(*command, '--retry-failed')
    assert '4 recordings: 2 to do, 2 done already' in third.err
    assert '1 of 4' in third.error
    assert (out / 'second_summary.json').is_file()


def test_what_is_mended_is_struck_out(bundle: Path, tmp_path: Path) -> None:
    recording, out = tmp_path / 'days' / 'a' / 'a_0.mcap', tmp_path / 'out'
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b'no recording')
    command = ['label', tmp_path / 'days', '--model', bundle, '--out', out, '--fleet']
    assert '1 of 1' in m2r2(*command).error
    recording.unlink()
    recording.parent.rmdir()
    robot_bag(recording.parent, 3.0, seed=1)
    done(*command, '--retry-failed', '--workers', 1)
    assert list((out / '.m2r2' / 'failed').iterdir()) == []
    done(*command)


def test_another_model_does_not_mix_its_labels_in(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    command = ['label', robots / 'first', '--model', bundle, '--out', tmp_path, '--fleet']
    done(*command, '--workers', 1)
    before = outputs(tmp_path)
    differs = m2r2(*command, '--min-duration', 0.5).error
    assert 'were made with decoding' in differs
    assert '--overwrite to make them again' in differs
    assert outputs(tmp_path) == before
    done(*command, '--min-duration', 0.5, '--overwrite', '--workers', 1)
    assert outputs(tmp_path) != before


def test_equal_names_lie_in_folders_like_theirs(bundle: Path, tmp_path: Path) -> None:
    days, out = tmp_path / 'days', tmp_path / 'out'
    for seed, day in enumerate(('monday', 'größe and more')):
        robot_bag(days / day / 'run', 3.0, seed=seed)
    command = ['label', days, '--model', bundle, '--out', out, '--fleet', '--workers', 1]
    assert 'have one name' in m2r2(*command).error
    done(*command, '--tree', days)
    for day in ('monday', 'größe and more'):
        assert (out / day / 'run_labels' / 'metadata.yaml').is_file()
    again = done(*command, '--tree', days)
    assert '0 to do, 2 done already' in again.err


def test_labels_among_the_recordings_are_passed_over(bundle: Path, tmp_path: Path) -> None:
    robot_bag(tmp_path / 'run', 3.0, seed=1)
    done('label', tmp_path / 'run', '--model', bundle, '--out', tmp_path)
    out = tmp_path.with_name(f'{tmp_path.name}_out')
    result = done('label', tmp_path, '--model', bundle, '--out', out, '--fleet', '--workers', 1)
    assert '1 done, 0 failed, 1 passed over, 0 left' in result.err
    assert {path.name for path in out.glob('*_labels')} == {'run_labels'}


def test_options_of_a_fleet_need_one(robots: Path, bundle: Path, tmp_path: Path) -> None:
    command = ['label', robots, '--model', bundle, '--out', tmp_path]
    assert 'add --fleet' in m2r2(*command, '--workers', 2).error
    assert 'add --fleet' in m2r2(*command, '--ray', 'auto').error
    assert '--workers says how many' in m2r2(*command, '--fleet', '--threads', 2).error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_in_order(
    bundle: Path, tmp_path: Path, number: signal.Signals
) -> None:
    bags, out = tmp_path / 'bags', tmp_path / 'out'
    for seed in range(4):
        robot_bag(bags / f'run_{seed}', 3.0 if seed == 0 else 60.0, seed=seed)
    command = ['label', bags, '--model', bundle, '--out', out, '--fleet', '--workers', 1]
    # What is started in the background of a script has interruptions switched off.
    own = ['env', '--default-signal=INT', sys.executable, '-m', 'm2r2_ros.cli.main']
    process = subprocess.Popen(
        [*own, *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (out / 'run_0_summary.json').exists():
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.01)
    # As a terminal does for Ctrl-C, all of them; service managers end the first process alone.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert 'the same command goes on' in told
    assert 'Traceback' not in told
    assert not list(out.rglob('*.partial'))
    result = done(*command)
    assert '0 left' in result.err
    assert len(list(out.glob('run_?_summary.json'))) == 4
