# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 simulate`: what it says, what it keeps, and how it is interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from m2r2_ros.bags.labels.reader import read_segments
from m2r2_ros.bags.recording import open_recording
from test.cli.run import digest, done, m2r2

QUICK = ('simulate', '--seconds', 1, '--no-cameras')


def start(*arguments: object, **environment: str) -> 'subprocess.Popen[str]':
    # What is started in the background of a script has interruptions switched off.
    command = ['env', '--default-signal=INT', sys.executable, '-m', 'm2r2_ros.cli.main']
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_episodes_that_are_there_are_kept(tmp_path: Path) -> None:
    shown = done(*QUICK, '--seed', 3, '--out', tmp_path)
    assert 'cell_0003' in shown.out
    assert 'times real time' in shown.out
    before = digest(tmp_path / 'cell_0003')
    assert '1 episodes exist' in done(*QUICK, '--seed', 3, '--episodes', 2, '--out', tmp_path).err
    assert digest(tmp_path / 'cell_0003') == before
    assert open_recording(tmp_path / 'cell_0004').topics
    error = m2r2(*QUICK, '--drift', 2, '--out', tmp_path).error
    assert 'drift 0.0, not 2.0' in error


def test_nonsense_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    for wrong, named in (
        (('--fault', 'camera-nan@3s'), 'camera-nan'),
        (('--audio-rate', 8000), '8000'),
        (('--image-size', 7), 'image_size'),
    ):
        assert named in m2r2('simulate', *wrong, '--out', out).error
    assert not out.exists()


def test_a_fault_after_the_end_is_pointed_out(tmp_path: Path) -> None:
    shown = done(*QUICK, '--fault', 'pose-nan@90s', '--out', tmp_path).err
    assert 'pose-nan@90s+5s begins after the end' in shown


def test_without_opengl_it_continues_without_cameras(tmp_path: Path) -> None:
    run = start('simulate', '--seconds', 1, '--out', tmp_path, MUJOCO_GL='nonsense')
    _, told = run.communicate(timeout=120)
    assert run.returncode == 0, told
    assert 'recording without cameras' in told
    topics = open_recording(tmp_path / 'cell_0000').topics
    assert '/microphone/audio' in topics
    assert not [name for name in topics if 'camera' in name]


def test_an_interrupted_run_leaves_whole_episodes_and_continues(tmp_path: Path) -> None:
    long = ('simulate', '--no-cameras', '--seconds', 8, '--episodes', 3, '--jobs', 1)
    run = start(*long, '--out', tmp_path)
    first = tmp_path / 'cell_0000'
    until = time.monotonic() + 100
    while not first.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode not in (0, None)
    assert 'Traceback' not in told, told
    assert not list(tmp_path.glob('*.partial'))
    before = digest(first)
    assert not (tmp_path / 'cell_0002').exists()
    shown = done(*long, '--out', tmp_path)
    assert 'exist already' in shown.err
    assert digest(first) == before
    assert len(list(tmp_path.glob('cell_*'))) == 3


def test_a_worker_that_dies_is_no_riddle(tmp_path: Path) -> None:
    run = start('simulate', '--no-cameras', '--seconds', 60, '--jobs', 1, '--out', tmp_path)
    until = time.monotonic() + 100
    while not list(tmp_path.glob('cell_*.partial')):  # others are of the parent
        assert time.monotonic() < until
        time.sleep(0.05)
    (worker,) = workers_of(run.pid)
    os.kill(worker, signal.SIGKILL)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 2, told
    assert 'the same command goes on' in told.replace('\n', ' ')
    assert 'Traceback' not in told


def workers_of(pid: int) -> list[int]:
    """Return the processes that multiprocessing has spawned for one.

    All processes are looked through: `/proc/PID/task/TID/children` leaves some out while others
    come and go, and has those of one thread alone.
    """
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            parent = int((folder / 'stat').read_text().rpartition(')')[2].split()[1])
            if parent == pid and 'spawn_main' in (folder / 'cmdline').read_text():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def test_labels_of_the_truth_can_be_wrong(tmp_path: Path) -> None:
    """Coarse labels and what is sensed stay as they are."""
    right, wrong = tmp_path / 'right', tmp_path / 'wrong'
    arguments = ('--seconds', 10, '--seed', 5, '--no-cameras')
    done('simulate', '--out', right, *arguments)
    done('simulate', '--out', wrong, *arguments, '--fault', 'label-shift=0.4')
    fine = [read_segments(folder / 'cell_0005') for folder in (right, wrong)]
    assert [s.start + 400_000_000 for s in fine[0]] == [s.start for s in fine[1]]
    coarse = '/ground_truth/coarse/action_segment'
    assert read_segments(right / 'cell_0005', coarse) == read_segments(wrong / 'cell_0005', coarse)
    assert 'label-shift=0.4' in (wrong / 'simulation.yaml').read_text()
    assert 'label-shift' in m2r2('simulate', '--out', right, '--fault', 'label-jump=1').error
