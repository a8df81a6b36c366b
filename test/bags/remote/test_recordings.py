# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in an object store are found and read like those on a disk, by few requests."""

import time
from pathlib import Path

import pytest
from moto.s3.models import s3_backends

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.remote import access, ahead
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.bags.source import Span
from m2r2_ros.core.errors import BagError
from test.bags.files import Item, mcap_bytes, read
from test.bags.remote.conftest import BUCKET, Bucket
from test.bags.remote.server import Fault, Request, StoreServer

#: Chunks of 100 kB; the topic /rare is in the last but one.
SIZE = 10_000
CHUNKS: list[list[Item]] = [
    [('/often', 10 * k + i, 10 * k + i) for i in range(10)] for k in range(80)
]
CHUNKS[-2].append(('/rare', 795, 7))


@pytest.fixture(scope='module')
def large() -> bytes:
    """An MCAP file of 8 MB."""
    from mcap.writer import CompressionType

    return mcap_bytes(CHUNKS, CompressionType.NONE, size=SIZE)


def url(key: str = '') -> Path:
    return as_place(f's3://{BUCKET}/{key}')


def span_of(request: Request) -> tuple[int, int]:
    first, _, last = request.range.removeprefix('bytes=').partition('-')
    return int(first), int(last) + 1


def moved(server: StoreServer) -> int:
    """Return the bytes that were asked for."""
    return sum(stop - start for start, stop in map(span_of, server.gets('.mcap')))


def test_is_read_as_on_a_disk(bucket: Bucket, large: bytes, tmp_path: Path) -> None:
    local = tmp_path / 'trial.mcap'
    local.write_bytes(large)
    bucket.put('trial.mcap', large)
    near, far = open_recording(local), open_recording(url('trial.mcap'))
    assert (far.name, far.start, far.end) == (near.name, near.start, near.end)
    assert read(far) == read(near)
    span = Span(300, 500)
    blocks = [block for some in far.blocks(['/often'], span) for block in some]
    times = [time for block in blocks for time in block.log_times.tolist()]
    assert times == list(range(300, 500))


def test_opening_takes_the_index_alone(bucket: Bucket, large: bytes, server: StoreServer) -> None:
    bucket.put('trial.mcap', large)
    server.log.clear()
    open_recording(url('trial.mcap'))
    assert len(server.log) == 3  # what is there, its beginning and its end
    assert moved(server) < 1_200_000


def test_only_the_chunks_of_a_topic_and_span_are_fetched(
    bucket: Bucket, large: bytes, server: StoreServer
) -> None:
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))
    server.log.clear()
    assert read(recording, ['/rare']) == [('/rare', 795, 7)]
    assert len(server.log) == 1
    assert moved(server) < 130_000
    server.log.clear()
    assert sum(len(b) for some in recording.blocks(span=Span(100, 140)) for b in some) == 40
    assert moved(server) < 520_000


def test_neighbours_are_fetched_together(bucket: Bucket, large: bytes, server: StoreServer) -> None:
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))
    server.log.clear()
    read(recording)
    assert len(server.log) <= 5  # of 80 chunks


def test_chunks_are_fetched_before_they_are_asked_for(
    bucket: Bucket, large: bytes, server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, '_REQUEST', 1 << 17)  # a chunk each
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))
    server.latency = 0.1
    began = time.monotonic()
    read(recording)
    assert time.monotonic() - began < 40 * server.latency  # 80 one after the other


def test_a_reader_that_stops_has_not_fetched_much(
    bucket: Bucket, large: bytes, server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, '_REQUEST', 1 << 17)
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))
    server.log.clear()
    monkeypatch.setattr('m2r2_ros.bags.merge._BATCH', 1)
    next(iter(recording.blocks()))
    time.sleep(0.2)
    assert moved(server) < 1_000_000


def test_the_window_is_bounded(
    bucket: Bucket, large: bytes, server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, '_REQUEST', 1 << 17)
    monkeypatch.setattr(ahead, 'WINDOW', 350_000)
    most = 0
    fill = ahead.Ahead._fill

    def watched(self: ahead.Ahead, current: int) -> None:
        nonlocal most
        fill(self, current)
        most = max(most, sum(map(self._size, self._flying)))

    monkeypatch.setattr(ahead.Ahead, '_fill', watched)
    bucket.put('trial.mcap', large)
    assert len(read(open_recording(url('trial.mcap')))) == 801
    assert 0 < most <= 350_000


def test_folders_of_bags_with_odd_names(
    bucket: Bucket, server: StoreServer, tmp_path: Path
) -> None:
    data = mcap_bytes(CHUNKS[:2])
    for key in (
        'runs/a b/a b_0.mcap',
        'runs/naïve ü/naïve ü_0.mcap',
        'runs/naïve ü/naïve ü_1.mcap',
        'runs/1+1=2&?#%20/x.mcap',
        'runs/deep/er/bare.mcap',
        'runs/left.partial/left_0.mcap',
        'runs/a b_annotations/2026-01-01/layer_0.mcap',
        'runs/notes.txt',
    ):
        bucket.put(key, data)
    server.log.clear()
    found = find_recordings([url('runs')])
    assert len(server.log) == 1
    names = ['1+1=2&?#%20/x.mcap', 'a b', 'deep/er/bare.mcap', 'naïve ü']
    assert [str(p) for p in found] == [f's3://{BUCKET}/runs/{n}' for n in names]
    assert [recording_name(p) for p in found] == ['x', 'a b', 'bare', 'naïve ü']
    assert open_recording(found[3]).message_count == 40
    assert [open_recording(p).message_count for p in found[:3]] == [20] * 3
    assert find_recordings([url('runs/')]) == found
    assert find_recordings([found[0], url('runs/deep')]) == [found[0], found[2]]


def test_metadata_of_a_folder_counts(bucket: Bucket, server: StoreServer, tmp_path: Path) -> None:
    data = mcap_bytes(CHUNKS[:2])
    listed = 'rosbag2_bagfile_information: {relative_file_paths: [two.mcap, one.mcap]}\n'
    for name in ('one', 'two', 'three'):
        bucket.put(f'bag/{name}.mcap', data)
    bucket.put('bag/metadata.yaml', listed.encode())
    assert find_recordings([url()]) == [url('bag')]
    server.log.clear()
    recording = open_recording(url('bag'))
    assert [s.path.name for s in recording.sources] == ['two.mcap', 'one.mcap']
    assert 'does not list three.mcap' in recording.notes[0]
    assert len(server.log) <= 6  # a listing, the metadata, and each file's
    bucket.put('bag/metadata.yaml', listed.replace('one', 'four').encode())
    with pytest.raises(BagError, match=r'four\.mcap is not in the folder'):
        open_recording(url('bag'))


def test_thousands_of_recordings_are_found_by_a_request_for_each_thousand_files(
    bucket: Bucket, server: StoreServer
) -> None:
    inside = s3_backends['123456789012']['aws']  # requests would take a quarter of a minute
    for k in range(1100):
        inside.put_object(BUCKET, f'many/{k:04}/{k:04}_0.mcap', b'')
    server.log.clear()
    assert len(find_recordings([url('many')])) == 1100
    assert len(server.log) == 2


def test_requests_that_fail_for_a_while_are_made_again(
    bucket: Bucket, large: bytes, server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, '_FIRST_WAIT', 0.01)
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))

    def of_file(request: Request) -> bool:
        return request.method == 'GET' and request.key.endswith('.mcap')

    for kind in ('busy', 'cut', 'lost'):
        server.faults.append(Fault(kind, of_file, times=1))
    assert len(read(recording)) == 801
    assert not any(fault.times for fault in server.faults)


def test_a_store_that_stays_busy_is_an_error(
    bucket: Bucket, large: bytes, server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, '_TRIES_BUSY', 1)
    monkeypatch.setattr(access, '_FIRST_WAIT', 0.01)
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))
    server.faults.append(Fault('busy', lambda request: request.method == 'GET', times=1000))
    with pytest.raises(BagError, match=r'trial\.mcap cannot be read: the store is too busy'):
        read(recording, ['/rare'])


def test_a_file_that_changed_since_it_was_opened_is_an_error(bucket: Bucket, large: bytes) -> None:
    bucket.put('trial.mcap', large)
    recording = open_recording(url('trial.mcap'))
    bucket.put('trial.mcap', mcap_bytes(CHUNKS[:40], size=SIZE))
    with pytest.raises(BagError, match='changed since it was opened'):
        read(recording)


def test_truncated_files_are_read_to_where_they_end(bucket: Bucket, tmp_path: Path) -> None:
    data = mcap_bytes(CHUNKS, size=2000)
    cut = data[: int(len(data) * 0.7)]
    bucket.put('cut.mcap', cut)
    (tmp_path / 'cut.mcap').write_bytes(cut)
    far, near = open_recording(url('cut.mcap')), open_recording(tmp_path / 'cut.mcap')
    assert far.truncated
    assert read(far) == read(near)


@pytest.mark.parametrize(
    ('key', 'data', 'message'),
    [
        ('none.mcap', None, 'none.mcap does not exist'),
        ('nowhere', None, 'nowhere does not exist'),
        ('empty.mcap', b'', 'is empty; expected a recording'),
        ('text.mcap', b'hello', 'not an MCAP file'),
        ('packed.mcap.zstd', b'x', 'it is compressed'),
        ('broken/metadata.yaml', b'a: [', r'metadata\.yaml: cannot be read as YAML'),
        ('notes/a.txt', b'', 'holds no recording'),
    ],
)
def test_what_is_no_recording_is_named(
    bucket: Bucket, key: str, data: bytes | None, message: str
) -> None:
    if data is not None:
        bucket.put(key, data)
    with pytest.raises(BagError, match=message):
        open_recording(url(key.split('/', maxsplit=1)[0]))


def test_a_prefix_without_recordings_is_an_error(bucket: Bucket) -> None:
    bucket.put('notes/a.txt', b'')
    for key in ('notes', 'nowhere'):
        with pytest.raises(BagError, match=f'{key} holds no recording'):
            find_recordings([url(key)])
