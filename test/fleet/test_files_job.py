# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path

import pytest

from m2r2_ros.bags.remote.stores import open_store
from m2r2_ros.fleet.failures import Ledger
from m2r2_ros.fleet.files_job import FilesJob, facts_of
from m2r2_ros.fleet.items import Did, Ended, Item, State
from m2r2_ros.fleet.worker import do_item
from test.fleet.jobs import items_of, job_of

_HOLD = """
import sys, time
from pathlib import Path
from m2r2_ros.core.files import Claim
with Claim(Path(sys.argv[1]), lock=Path(sys.argv[1])):
    print('held', flush=True)
    time.sleep(60)
"""


def test_files_appear_with_the_note_that_makes_them_done(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    (item,) = items_of(['a'])
    assert job.done([item]) == set()
    ended = do_item(job.open(), item, job.out)
    assert (ended.state, ended.recorded_s) == (State.DONE, 60.0)
    assert (tmp_path / 'a.txt').is_file()
    assert job.done([item]) == {'a'}
    assert facts_of(job.out, item) == ended.facts
    again = do_item(job.open(), item, job.out)
    assert (again.state, again.facts) == (State.KEPT, ended.facts)


def test_what_is_there_is_replaced_where_that_is_asked_for(tmp_path: Path) -> None:
    job = job_of(tmp_path, overwrite=True)
    (item,) = items_of(['a'])
    (tmp_path / 'a.txt').write_text('older')
    assert do_item(job.open(), item, job.out).state is State.DONE
    assert (tmp_path / 'a.txt').read_text() != 'older'
    assert do_item(job.open(), item, job.out).state is State.DONE


def _tree(item: Item, folder: Path) -> Did:
    (folder / f'{item.name}_bag').mkdir()
    (folder / f'{item.name}_bag' / 'part').write_text(item.source)
    return Did()


def test_folders_are_replaced_whole_and_lie_below_the_folder_of_the_item(tmp_path: Path) -> None:
    job_of(tmp_path)
    job = FilesJob('try', str(tmp_path), _tree)
    old = tmp_path / 'monday' / 'a_bag'
    old.mkdir(parents=True)
    (old / 'stale').touch()
    item = Item('/r/a', 'a', 'monday')
    assert do_item(job.open(), item, job.out).state is State.DONE
    assert [path.name for path in old.iterdir()] == ['part']
    assert job.done([item, Item('/r/a', 'a')]) == {item.key}


def _shared(item: Item, folder: Path) -> Did:
    (folder / 'mapping.txt').write_text(item.source)
    return Did()


def test_files_that_recordings_would_share_are_refused(tmp_path: Path) -> None:
    job_of(tmp_path)
    (tmp_path / 'mapping.txt').write_text('of others')
    job = FilesJob('try', str(tmp_path), _shared)
    (item,) = items_of(['a'])
    ended = do_item(job.open(), item, job.out)
    assert ended.error == (
        '/recordings/a: mapping.txt would be shared with other recordings; run without --fleet'
    )
    assert (tmp_path / 'mapping.txt').read_text() == 'of others'


def test_what_a_killed_worker_left_is_cleared_away(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    draft = tmp_path / '.m2r2' / 'work' / 'a.partial'
    draft.mkdir(parents=True)
    (draft / 'half').touch()
    (item,) = items_of(['a'])
    assert do_item(job.open(), item, job.out).state is State.DONE
    assert not draft.exists()
    assert not (tmp_path / 'half').exists()


def test_a_recording_that_another_run_is_at_is_left_to_it(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    (item,) = items_of(['a'])
    lock = tmp_path / '.m2r2' / 'work' / '.a.lock'
    holder = subprocess.Popen(
        [sys.executable, '-c', _HOLD, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == 'held\n'
        assert do_item(job.open(), item, job.out).state is State.BUSY
        holder.kill()
    assert do_item(job.open(), item, job.out).state is State.DONE


def test_an_output_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    (tmp_path / '.m2r2' / 'work').write_text('in the way')
    (item,) = items_of(['a'])
    ended = do_item(job.open(), item, job.out)
    assert ended.state is State.FAILED
    assert 'cannot be written' in ended.error


@pytest.mark.parametrize('name', ['a', 'größe and more', '.hidden'])
def test_the_ledger_keeps_failures_until_they_are_struck_out(tmp_path: Path, name: str) -> None:
    ledger = Ledger(open_store(tmp_path))
    item, other = Item(f'/r/{name}', name), Item('/r/other', 'other')
    assert ledger.failed([item, other]) == set()
    ledger.add(Ended(item, State.FAILED, error='why', tries=3))
    ledger.add(Ended(item, State.FAILED, error='why else', trace='where', tries=1))
    assert ledger.failed([item, other]) == {item.key}
    (note,) = Path(ledger.where).iterdir()
    assert '"error": "why else"' in note.read_text()
    ledger.forget(item)
    ledger.forget(item)
    assert ledger.failed([item, other]) == set()
