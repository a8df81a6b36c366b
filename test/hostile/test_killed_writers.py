# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writers that are killed, or overtaken, before any of their steps: one output is there, whole."""

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.replacing import recover
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.files import atomic_write
from m2r2_ros.replay.outputs import Outputs
from test.bags.files import payload
from test.hostile.forks import ended, fork, signalled, stopped

LABELS = '/action_label'
#: Every so many steps of a writer, another one comes.
STRIDE = 1 if 'M2R2_FUZZ' in os.environ else 4


def write_bag(path: Path, value: int) -> None:
    # Split, so that there are several files to remove.
    with BagWriter(path, overwrite=True, max_duration=1e-9) as bag:
        bag.add_topic(LABELS, 'std_msgs/msg/String')
        for k in range(3):
            bag.write(LABELS, payload(value), 10 * value + k)


def bag_at(path: Path) -> int | None:
    """Return the value that a bag holds; None where there is none."""
    if not path.exists():
        return None
    recording = open_recording(path)
    assert not recording.truncated
    assert (path / 'metadata.yaml').is_file()
    assert recording.message_count == 3
    return recording.start // 10


def replace_bag(folder: Path, value: int) -> None:
    write_bag(folder / 'bag', value)


def look_at_bag(folder: Path) -> int | None:
    recover(folder / 'bag')
    return bag_at(folder / 'bag')


def replace_outputs(folder: Path, value: int) -> None:
    outputs = Outputs.of(folder, 'robot')
    outputs.finish()
    with outputs.replaced(overwrite=True) as drafts:
        write_bag(drafts.labels, value)
        write_bag(drafts.merged, value)
        drafts.segments.write_text(f'{value}')
        with atomic_write(drafts.summary) as draft:
            draft.write_text(f'{{"model_id": "{value}"}}')


def look_at_outputs(folder: Path) -> int | None:
    """Return the one value that all outputs hold, before the next run and after it."""
    outputs = Outputs.of(folder, 'robot')
    for finish in (lambda: None, outputs.finish):
        finish()
        told = outputs.labelled_by()
        if told:
            values = {bag_at(outputs.labels), bag_at(outputs.merged), int(told)}
            assert values == {int(outputs.segments.read_text())}
    assert bool(told) == outputs.labels.exists() == outputs.segments.exists()
    return int(told) if told else None


def replace_file(folder: Path, value: int) -> None:
    with atomic_write(folder / 'file') as draft:
        draft.write_text(f'{value}')


def look_at_file(folder: Path) -> int | None:
    return int((folder / 'file').read_text()) if (folder / 'file').exists() else None


Case = tuple[Callable[[Path, int], None], Callable[[Path], int | None]]
CASES: dict[str, Case] = {
    'bag': (replace_bag, look_at_bag),
    'outputs': (replace_outputs, look_at_outputs),
    'file': (replace_file, look_at_file),
}


def write(replace: Callable[[Path, int], None], folder: Path, value: int) -> int:
    """Do it, and return the exit code that `m2r2` would have."""
    try:
        replace(folder, value)
    except M2R2Error as error:
        return 2 if 'another run' in str(error) else 3
    return 0


def die_at_every_step(case: str, folder: Path, old: int | None) -> int:
    """Kill a writer before each of its steps; return how many there are."""
    replace, look = CASES[case]
    out, log = folder / 'out', folder / 'log'
    seen: set[int | None] = set()
    for step in range(1, 500):
        if old is not None:
            replace(out, old)
        act = signalled(partial(write, replace, out, 2), step, signal.SIGKILL)
        code = ended(fork(act, log))
        if code == 0:
            assert seen == {old, 2}
            return step
        assert code == -9, log.read_text()
        seen.add(look(out))
        assert seen <= {old, 2}
        replace(out, 3)
        assert look(out) == 3
        # Nothing else is left.
        names = {path.name for path in out.iterdir()}
        assert len(names) == (4 if case == 'outputs' else 1), names
        shutil.rmtree(out)
    pytest.fail('it never ended')


@pytest.mark.parametrize('old', [1, None])
@pytest.mark.parametrize('case', CASES)
def test_a_writer_may_be_killed_before_any_step(
    processes: ProcessPoolExecutor, tmp_path: Path, case: str, old: int | None
) -> None:
    assert processes.submit(die_at_every_step, case, tmp_path, old).result() > 4


def overtake_at_every_step(case: str, folder: Path) -> int:
    """Let a second writer come before each step of the first; return how many were refused."""
    replace, look = CASES[case]
    out, log, refused = folder / 'out', folder / 'log', 0
    for step in range(1, 500, STRIDE):
        replace(out, 1)
        act = signalled(partial(write, replace, out, 2), step, signal.SIGSTOP)
        first = fork(act, log)
        if not stopped(first):
            return refused
        second = ended(fork(partial(write, replace, out, 3), folder / 'log2'))
        os.kill(first, signal.SIGCONT)
        codes = ended(first), second
        # Who comes before the first has begun, or after it has ended, is not in its way.
        assert codes in ((0, 0), (0, 2)), (step, codes)
        refused += codes == (0, 2)
        assert look(out) == 2 or codes == (0, 0)
        shutil.rmtree(out)
    pytest.fail('it never ended')


@pytest.mark.parametrize('case', CASES)
def test_a_second_writer_is_refused_whatever_the_first_one_does(
    processes: ProcessPoolExecutor, tmp_path: Path, case: str
) -> None:
    assert processes.submit(overtake_at_every_step, case, tmp_path).result() > 0
