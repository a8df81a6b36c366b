# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results of many workers appear whole or not at all, and once; in folders and object stores."""

import multiprocessing
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote import access
from m2r2_ros.bags.remote.object_store import ObjectStore
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.bags.remote.stores import MAX_NOTE, ResultStore, open_store
from m2r2_ros.core.errors import OutputError
from test.bags.files import mcap_bytes
from test.bags.remote.conftest import BUCKET, Bucket
from test.bags.remote.server import Fault, StoreServer

ODD = ['a b', 'naïve ü', "it's 100 % {x} #1?&+", '日本', 'x' * 190]


@pytest.fixture(params=['folder', 's3', 'memory'])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ResultStore:
    """A store that is not there yet."""
    if request.param == 'folder':
        return open_store(tmp_path / 'out put')
    if request.param == 's3':
        request.getfixturevalue('bucket')
        return open_store(as_place(f's3://{BUCKET}/out put'))
    return open_store(as_place(f'memory://{tmp_path.name}'))


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], dict[str, Path]]:
    """Make the files of a result with some text in each."""

    def make(text: str) -> dict[str, Path]:
        folder = tmp_path / f'made of {text}'
        (folder / 'bag').mkdir(parents=True, exist_ok=True)
        (folder / 'bag' / 'bag_0.mcap').write_bytes(text.encode() * 1000)
        (folder / 'summary.json').write_text(text)
        return {
            'bag/bag_0.mcap': folder / 'bag' / 'bag_0.mcap',
            'summary é.json': folder / 'summary.json',
        }

    return make


Files = Callable[[str], dict[str, Path]]


def test_the_first_wins(store: ResultStore, files: Files) -> None:
    assert store.done() == frozenset()
    assert store.files('one') == {}
    assert store.put_once('one', files('A'))
    assert not store.put_once('one', files('B'))
    assert store.put_once('two', files('B'))
    assert store.done() == {'one', 'two'}
    there = store.files('one')
    assert sorted(there) == ['bag/bag_0.mcap', 'summary é.json']
    assert there['bag/bag_0.mcap'].read_bytes() == b'A' * 1000
    assert there['summary é.json'].read_text() == 'A'


def test_a_result_that_was_withdrawn_can_be_put_again(store: ResultStore, files: Files) -> None:
    assert not store.withdraw('one')
    store.put_once('one', files('A'))
    assert store.withdraw('one')
    assert store.done() == frozenset()
    assert store.put_once('one', files('B'))
    assert store.files('one')['summary é.json'].read_text() == 'B'


@pytest.mark.parametrize('name', ODD)
def test_odd_names(store: ResultStore, files: Files, name: str) -> None:
    assert store.put_once(name, files('A'))
    assert store.done() == {name}
    assert store.files(name)['summary é.json'].read_text() == 'A'
    store.note(f'failed/{name[:150]}.json', b'{}')
    assert store.notes('failed') == {f'{name[:150]}.json'}


@pytest.mark.parametrize('name', ['', '.', '..', '.m2r2', 'a/b', 'a\\b', 'a\n', 'x' * 201])
def test_names_that_lead_elsewhere(store: ResultStore, files: Files, name: str) -> None:
    with pytest.raises(OutputError, match='cannot be'):
        store.put_once(name, files('A'))
    if name != 'a/b':
        with pytest.raises(OutputError, match='cannot be'):
            store.put_once('one', {f'bag/{name}/x': files('A')['bag/bag_0.mcap']})
        with pytest.raises(OutputError, match='cannot be'):
            store.read_note(f'runs/{name}/x')
    assert store.done() == frozenset()


def test_notes(store: ResultStore) -> None:
    assert store.read_note('run.json') is None
    assert store.notes('failed') == frozenset()
    store.note('run.json', b'1')
    store.note('run.json', b'2')
    assert store.read_note('run.json') == b'2'
    assert store.note_once('failed/a.json', b'x')
    assert not store.note_once('failed/a.json', b'y')
    assert store.note_once('failed/a.json', b'x')  # as after an answer that was lost
    store.note('failed/deep/b.json', b'')
    assert store.read_note('failed/deep/b.json') == b''
    assert store.notes('failed') == {'a.json', 'deep/b.json'}
    store.forget('failed/a.json')
    store.forget('failed/a.json')
    assert store.notes('failed') == {'deep/b.json'}
    with pytest.raises(OutputError, match='a note has at most'):
        store.note('large', bytes(MAX_NOTE + 1))


def test_of_many_at_once_one_wins(store: ResultStore, files: Files) -> None:
    made = {k: files(str(k)) for k in range(6)}
    start, won = threading.Barrier(6), []

    def put(k: int) -> None:
        mine = pickle.loads(pickle.dumps(store))
        start.wait()
        if mine.put_once('one', made[k]):
            won.append(k)

    threads = [threading.Thread(target=put, args=(k,)) for k in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = won
    there = store.files('one')
    assert {path.read_bytes()[:1] for path in there.values()} == {str(winner).encode()}


def _put(place: str, made: dict[str, Path], barrier: Any, won: Any) -> None:
    store = open_store(as_place(place))
    barrier.wait()
    if store.put_once('one', made):
        won.put(made['summary é.json'].read_text())


def test_of_two_processes_one_wins(bucket: Bucket, files: Files) -> None:
    place = f's3://{BUCKET}/out'
    context = multiprocessing.get_context('spawn')
    barrier, won = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_put, args=(place, files(text), barrier, won)) for text in 'AB'
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    winner = won.get(timeout=5)
    assert won.empty()
    assert open_store(as_place(place)).files('one')['summary é.json'].read_text() == winner


def test_nothing_is_left_of_what_lost_or_failed(store: ResultStore, files: Files) -> None:
    store.put_once('one', files('A'))
    before = everything(store)
    store.put_once('one', files('B'))
    broken = {**files('B'), 'none': Path('/nowhere/none')}
    with pytest.raises(OutputError, match='two'):
        store.put_once('two', broken)
    assert store.done() == {'one'}
    assert store.files('two') == {}
    assert everything(store) == before


def everything(store: ResultStore) -> list[str]:
    return sorted(str(path) for path in store.place.rglob('*') if path.is_file())


def test_a_listing_of_results_is_one_request(
    bucket: Bucket, server: StoreServer, files: Files
) -> None:
    store = open_store(as_place(f's3://{BUCKET}/out'))
    for k in range(5):
        store.put_once(str(k), files('A'))
    server.log.clear()
    assert len(store.done()) == 5
    assert len(server.log) == 1


def test_an_answer_that_was_lost_is_no_defeat(
    bucket: Bucket, server: StoreServer, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, '_FIRST_WAIT', 0.01)
    store = open_store(as_place(f's3://{BUCKET}/out'))
    server.faults.append(Fault('lost', lambda r: r.method == 'PUT' and 'done/one' in r.key))
    assert store.put_once('one', files('A'))
    assert not server.faults[0].times
    assert store.files('one')['summary é.json'].read_text() == 'A'


def test_a_result_whose_answer_never_came_keeps_its_files(
    bucket: Bucket, server: StoreServer, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, '_FIRST_WAIT', 0.01)
    store = open_store(as_place(f's3://{BUCKET}/out'))
    server.faults.append(Fault('lost', lambda r: 'done/one' in r.key and r.method == 'PUT', 100))
    with pytest.raises(OutputError, match=r'done/one\.json cannot be written'):
        store.put_once('one', files('A'))
    server.faults.clear()
    assert store.done() == {'one'}
    assert store.files('one')['summary é.json'].read_text() == 'A'


def test_a_busy_store_is_tried_again(
    bucket: Bucket, server: StoreServer, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, '_FIRST_WAIT', 0.01)
    store = open_store(as_place(f's3://{BUCKET}/out'))
    server.faults.append(Fault('busy', lambda r: r.method == 'PUT', times=3))
    assert store.put_once('one', files('A'))
    assert store.done() == {'one'}


def test_a_store_without_conditions_is_refused(
    bucket: Bucket, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As older ones that pass over If-None-Match."""

    def put(self: ObjectStore, system: Any, key: str, data: bytes) -> None:
        system.pipe_file(key, data)

    monkeypatch.setattr(ObjectStore, '_create_once', put)
    with pytest.raises(OutputError, match='does not keep If-None-Match'):
        open_store(as_place(f's3://{BUCKET}/out')).put_once('one', files('A'))
    with pytest.raises(OutputError, match=r'https:// cannot write a file only if there is none'):
        open_store(as_place('https://example.invalid/out')).put_once('one', files('A'))


def test_a_damaged_marker_is_named(bucket: Bucket) -> None:
    bucket.put('out/.m2r2/done/one.json', b'{"format": "m2r2_ros result 1", "attempt": "../x"}')
    with pytest.raises(OutputError, match=r'done/one\.json is damaged'):
        open_store(as_place(f's3://{BUCKET}/out')).files('one')


def test_readers_see_whole_results_alone(
    bucket: Bucket, server: StoreServer, tmp_path: Path
) -> None:
    bag = tmp_path / 'bag.mcap'
    bag.write_bytes(mcap_bytes([[('/action_label', k, k) for k in range(3)]]))
    store = open_store(as_place(f's3://{BUCKET}/runs/out'))
    for name in ('one', 'two'):
        assert store.put_once(name, {f'{name}_labels/{name}_labels_0.mcap': bag})
    # What killed workers left: of a result that there is, and of one that there is not.
    bucket.put('runs/out/two/0000000000000000/two_labels/two_labels_0.mcap', bag)
    bucket.put('runs/out/three/0000000000000000/three_labels/three_labels_0.mcap', bag)
    bucket.put('runs/plain/plain_0.mcap', bag)
    for top in ('runs', 'runs/out'):
        server.log.clear()
        found = find_recordings([as_place(f's3://{BUCKET}/{top}')])
        names = [path.name for path in found]
        assert names == ['one_labels', 'two_labels', *(['plain'] if top == 'runs' else [])]
        assert len(server.log) == 2  # the listing, and the marker of the one that was tried twice
        assert found[1].parent == store.files('two')['two_labels/two_labels_0.mcap'].parents[1]
    assert open_recording(found[0]).message_count == 3
