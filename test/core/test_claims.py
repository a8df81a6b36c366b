# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One writer at a time, whatever the path is called and however the last writer ended."""

import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import Claim, atomic_write, claim_folder, lock_path

HOLD = """
import sys
from pathlib import Path
from m2r2_ros.core.files import Claim
claim = Claim(Path(sys.argv[1]))
print('mine', flush=True)
sys.stdin.read()
"""


def test_a_second_writer_is_told_who_writes_and_the_lock_vanishes(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'out'
    command = [sys.executable, '-c', HOLD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'mine\n'
        with pytest.raises(OutputError, match=rf'new/out is .* run \(process {process.pid}\)'):
            Claim(path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    # What the killed process left is in no one's way, and goes with the next.
    assert lock_path(path).exists()
    Claim(path).release()
    assert list(path.parent.iterdir()) == []


def test_one_output_has_one_lock_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to('real')
    monkeypatch.chdir(tmp_path / 'real')
    with Claim(tmp_path / 'real' / 'out'):
        for path in (Path('out'), Path('../link/out'), tmp_path / 'link' / '..' / 'real' / 'out'):
            with pytest.raises(OutputError, match='another run'):
                Claim(path)
        with Claim(Path('other')):
            pass
    with claim_folder(tmp_path / 'link'), pytest.raises(OutputError, match='real is being'):
        claim_folder(Path('../real'))


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    with atomic_write(path) as draft:
        draft.write_text('first')
        with pytest.raises(OutputError, match='another run'), atomic_write(path) as other:
            other.write_text('second')
    assert path.read_text() == 'first'


@pytest.mark.parametrize('kind', ['link', 'folder'])
def test_what_cannot_be_locked_is_told(tmp_path: Path, kind: str) -> None:
    lock = lock_path(tmp_path / 'out')
    lock.symlink_to(tmp_path / 'elsewhere') if kind == 'link' else lock.mkdir()
    with pytest.raises(OutputError, match='out cannot be written'):
        Claim(tmp_path / 'out')
    assert not (tmp_path / 'elsewhere').exists()


def take_turns(folder: Path, turns: int) -> int:
    """Count up in a file that only the holder of the claim touches; return how often."""
    count = 0
    while count < turns:
        try:
            with Claim(folder / 'counter'):
                file = folder / 'counter'
                number = int(file.read_text())
                file.write_text(str(number + 1))
                count += 1
        except OutputError:
            continue
    return count


def test_no_two_hold_it_while_many_come_and_go(tmp_path: Path) -> None:
    (tmp_path / 'counter').write_text('0')
    with ProcessPoolExecutor(4) as pool:
        counts = list(pool.map(take_turns, [tmp_path] * 4, [200] * 4))
    assert int((tmp_path / 'counter').read_text()) == sum(counts) == 800
    assert [path.name for path in tmp_path.iterdir()] == ['counter']
