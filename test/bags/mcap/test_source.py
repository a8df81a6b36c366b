# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.opcode import Opcode
from mcap.writer import CompressionType, IndexType

from m2r2_ros.bags import holding, merge
from m2r2_ros.bags.mcap import source as mcap_source
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import BagError
from test.bags.files import FLOAT, Item, expected, mcap_bytes, payload, read
from test.hostile.mcap_files import channel, file, message, schema, zstd_chunk
from test.replay.recordings import Entry, write_mcap

CHUNKS: list[list[Item]] = [
    [(f'/{"abc"[k % 3]}', 1000 * chunk + 10 * k, 100 * chunk + k) for k in range(20)]
    for chunk in range(4)
]
COMPRESSIONS = list(CompressionType)
ITEMS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(['/a', '/b', '/c']), st.integers(0, 60), st.integers(0, 2**63)),
        max_size=12,
    ),
    max_size=6,
)


def opened(tmp_path: Path, content: bytes) -> Recording:
    path = tmp_path / 'rec.mcap'
    path.write_bytes(content)
    return open_recording(path)


def records(content: bytes | bytearray) -> list[tuple[int, int, int]]:
    """List opcode, start and end of each top-level record."""
    found, at = [], 8
    while at + 9 <= len(content) - 8:
        opcode, size = struct.unpack_from('<BQ', content, at)
        found.append((opcode, at, at + 9 + size))
        at += 9 + size
    return found


@pytest.mark.parametrize('compression', COMPRESSIONS)
@pytest.mark.parametrize('chunked', [True, False])
@pytest.mark.parametrize('index', [IndexType.ALL, IndexType.NONE, IndexType.CHUNK])
@pytest.mark.parametrize('summary', [True, False])
def test_every_way_of_writing_reads_the_same(
    tmp_path: Path, compression: CompressionType, chunked: bool, index: IndexType, summary: bool
) -> None:
    content = mcap_bytes(CHUNKS, compression, chunked, index, summary=summary)
    recording = opened(tmp_path, content)
    assert read(recording) == expected(CHUNKS)
    assert read(recording, ['/b']) == expected(CHUNKS, ['/b'])
    assert read(recording, ['/none']) == []
    assert (recording.start, recording.end) == (0, 3190)
    assert recording.message_count == 80
    assert not recording.truncated
    topic = recording.topics['/a']
    assert (topic.type_name, topic.definition, topic.count) == (FLOAT, 'float64 data\n', 28)
    assert (topic.qos, topic.type_hash) == ('- qos of /a', 'RIHS01_1')


@given(
    chunks=ITEMS,
    chunked=st.booleans(),
    summary=st.booleans(),
    batch=st.sampled_from([1, 40, 1 << 21]),
    held=st.sampled_from([1 << 10, 1 << 28]),
)
def test_chunks_that_overlap_in_time_come_out_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    chunks: list[list[Item]],
    chunked: bool,
    summary: bool,
    batch: int,
    held: int,
) -> None:
    content = mcap_bytes(chunks, CompressionType.LZ4, chunked=chunked, summary=summary)
    recording = opened(tmp_path_factory.mktemp('bag'), content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, '_BATCH', batch)
        patch.setattr(mcap_source, '_PART', batch)
        patch.setattr(holding, 'MAX_HELD', held)
        one_time = max(map(len, _by_time(chunks).values()), default=0)
        if one_time > 8:
            patch.setattr(holding, 'MAX_HELD', 1 << 28)  # messages of one time cannot be parted
        assert read(recording) == expected(chunks)
        assert read(recording, ['/a', '/c']) == expected(chunks, ['/a', '/c'])


def _by_time(chunks: list[list[Item]]) -> dict[int, list[Item]]:
    found: dict[int, list[Item]] = {}
    for chunk in chunks:
        for item in chunk:
            found.setdefault(item[1], []).append(item)
    return found


def peak_of(use: Callable[[], object], result: object) -> int:
    """Insist on the result, and return the bytes that it took at most."""
    tracemalloc.start()
    try:
        assert use() == result
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_topic_of_few_messages_does_not_hold_the_chunks_that_they_lie_in(tmp_path: Path) -> None:
    size, count = 1 << 20, 30
    entries = []
    for k in range(count):
        entries.append(Entry('/large', 'std_msgs/msg/String', 10 * k, bytes(size)))
        entries.append(Entry('/few', 'std_msgs/msg/String', 10 * k + 1, bytes(12)))
    recording = open_recording(write_mcap(tmp_path / 'a.mcap', entries, chunk=size))

    def few() -> int:
        return sum(len(block) for blocks in recording.blocks(['/few']) for block in blocks)

    assert peak_of(few, count) < 10 * size


def test_what_is_too_much_to_hold_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, held = 1 << 16, 1 << 22
    chunks: list[list[Item]] = [
        [('/a', 100 * k + shift, 100 * k + shift) for k in range(16)] for shift in range(16)
    ]
    recording = opened(tmp_path, mcap_bytes(chunks, size=size))
    monkeypatch.setattr(holding, 'MAX_HELD', held)
    peak = peak_of(lambda: read(recording), expected(chunks))
    assert held < peak < 3.5 * held < 256 * size


def test_messages_that_cannot_be_put_in_order_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks: list[list[Item]] = [[('/a', 5, k) for k in range(8)] for _ in range(8)]
    recording = opened(tmp_path, mcap_bytes(chunks, size=1 << 16))
    monkeypatch.setattr(holding, 'MAX_HELD', 1 << 20)
    with pytest.raises(BagError, match=r'rec.mcap: .* out of order.*mcap sort'):
        read(recording)


def test_a_file_written_topic_by_topic_is_read_in_time_order_without_holding_it(
    tmp_path: Path,
) -> None:
    step, per_chunk, size = 10, 8, 1 << 17
    chunks: list[list[Item]] = [
        [(topic, step * k + shift, k) for k in range(at, at + per_chunk)]
        for shift, topic in enumerate(['/a', '/b', '/c'])
        for at in range(0, 20 * per_chunk, per_chunk)
    ]
    recording = opened(tmp_path, mcap_bytes(chunks, size=size))
    peak = peak_of(lambda: read(recording), expected(chunks))
    assert peak < 60 * per_chunk * size / 3


@pytest.mark.parametrize('compression', COMPRESSIONS)
@pytest.mark.parametrize('chunked', [True, False])
def test_a_file_cut_anywhere_is_read_up_to_the_cut(
    tmp_path: Path, compression: CompressionType, chunked: bool
) -> None:
    chunks = [chunk[:7] for chunk in CHUNKS]
    content = mcap_bytes(chunks, compression, chunked)
    whole = expected(chunks)
    kind = Opcode.CHUNK if chunked else Opcode.MESSAGE
    places = [(start, end) for opcode, start, end in records(content) if opcode == kind]
    sizes = [len(chunk) for chunk in chunks] if chunked else [1] * len(whole)
    for cut in range(8, len(content), 7):
        recording = opened(tmp_path, content[:cut])
        found = read(recording)
        assert recording.truncated
        assert found == whole[: len(found)]
        assert recording.message_count == len(found)
        sure = sum(size for (_, end), size in zip(places, sizes, strict=True) if end <= cut)
        assert len(found) >= sure


def test_part_of_a_cut_chunk_is_saved(tmp_path: Path) -> None:
    chunk: list[Item] = [('/a', k, k) for k in range(100)]
    content = mcap_bytes([chunk], CompressionType.NONE, size=100)
    assert 40 < len(read(opened(tmp_path, content[: len(content) // 2]))) < 60


def test_zeros_at_the_end_are_a_cut(tmp_path: Path) -> None:
    content = mcap_bytes(CHUNKS)
    for place in (0, 2):
        start, end = [(a, b) for op, a, b in records(content) if op == Opcode.CHUNK][place]
        for cut in (start, start + 40, end):
            recording = opened(tmp_path, content[:cut] + bytes(5000))
            assert recording.truncated
            found = read(recording)
            assert found == expected(CHUNKS)[: len(found)]
            assert len(found) >= 20 * (place + (cut == end))


@pytest.mark.parametrize(
    ('content', 'expected'),
    [(b'', 'empty'), (b'#ROSBAG V2.0', 'not an MCAP file'), (b'\x89MCAP', 'not an MCAP file')],
)
def test_files_that_are_not_mcap_are_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    with pytest.raises(BagError, match=rf'rec.mcap is {expected}'):
        opened(tmp_path, content)


def chunk_data(content: bytes, number: int) -> int:
    """Return where the uncompressed bytes of a chunk start."""
    start = [a for op, a, _ in records(content) if op == Opcode.CHUNK][number]
    return start + 9 + 8 + 8 + 8 + 4 + 4 + 8


@pytest.mark.parametrize('compression', COMPRESSIONS)
def test_a_corrupt_chunk_is_an_error_once_it_is_reached(
    tmp_path: Path, compression: CompressionType
) -> None:
    content = bytearray(mcap_bytes(CHUNKS, compression))
    start, end = [(a, b) for op, a, b in records(content) if op == Opcode.CHUNK][2]
    content[(start + end) // 2 + 30] ^= 0xFF
    recording = opened(tmp_path, bytes(content))
    with pytest.raises(BagError, match=r'rec.mcap: .* at byte \d+; `m2r2 repair'):
        read(recording)


@pytest.mark.parametrize('value', [0, 2**40, 2**63, 2**64 - 1])
@pytest.mark.parametrize('field', [8, 0])
def test_a_false_index_is_ignored(tmp_path: Path, field: int, value: int) -> None:
    content = bytearray(mcap_bytes(CHUNKS))
    start = next(a for op, a, _ in records(content) if op == Opcode.MESSAGE_INDEX)
    struct.pack_into('<Q', content, start + 15 + field, value)
    assert read(opened(tmp_path, bytes(content))) == expected(CHUNKS)


def test_an_index_that_repeats_a_message_instead_of_another_is_ignored(
    tmp_path: Path,
) -> None:
    content = bytearray(mcap_bytes(CHUNKS))
    start = next(a for op, a, _ in records(content) if op == Opcode.MESSAGE_INDEX) + 15
    content[start + 16 : start + 32] = content[start : start + 16]
    assert read(opened(tmp_path, bytes(content))) == expected(CHUNKS)


def test_a_tie_is_resolved_by_the_order_in_the_file_not_by_that_of_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, '_BATCH', 1)
    chunks: list[list[Item]] = [[('/a', 5, 1)], [('/b', 0, 2), ('/b', 5, 3)]]
    recording = opened(tmp_path, mcap_bytes(chunks))
    assert read(recording) == [('/b', 0, 2), ('/a', 5, 1), ('/b', 5, 3)]


@given(data=st.data())
def test_no_length_in_the_file_makes_it_hang_or_exhaust_memory(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    compression = data.draw(st.sampled_from(COMPRESSIONS))
    content = bytearray(mcap_bytes(CHUNKS, compression, chunked=data.draw(st.booleans())))
    at = data.draw(st.integers(8, len(content) - 16))
    width = data.draw(st.sampled_from([1, 4, 8]))
    content[at : at + width] = data.draw(
        st.one_of(st.binary(min_size=width, max_size=width), st.just(b'\xff' * width))
    )
    tracemalloc.start()
    try:
        recording = opened(tmp_path_factory.mktemp('bag'), bytes(content))
        for blocks in recording.blocks():
            for block in blocks:
                assert int((block.offsets + block.lengths).max()) <= len(block.data)
                assert block.offsets.min() >= 0
    except BagError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 9 << 20  # an lz4 frame may ask for two buffers of 4 MB


def test_an_lz4_chunk_cannot_claim_more_than_lz4_can_hold(tmp_path: Path) -> None:
    content = bytearray(mcap_bytes(CHUNKS, CompressionType.LZ4))
    start = next(a for op, a, _ in records(content) if op == Opcode.CHUNK)
    struct.pack_into('<Q', content, start + 9 + 16, 200 << 20)
    tracemalloc.start()
    with pytest.raises(BagError, match='claims to unpack'):
        read(opened(tmp_path, bytes(content)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9 << 20  # an lz4 frame may ask for two buffers of 4 MB


def test_a_zstd_chunk_gets_no_more_memory_than_it_fills(tmp_path: Path) -> None:
    content = bytearray(mcap_bytes(CHUNKS, CompressionType.ZSTD))
    start = next(a for op, a, _ in records(content) if op == Opcode.CHUNK)
    struct.pack_into('<Q', content, start + 9 + 16, 50 << 20)
    tracemalloc.start()
    with pytest.raises(BagError, match='instead of'):
        read(opened(tmp_path, bytes(content)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9 << 20  # an lz4 frame may ask for two buffers of 4 MB


def test_a_chunk_that_claims_to_unpack_to_much_is_refused(tmp_path: Path) -> None:
    content = bytearray(mcap_bytes(CHUNKS))
    start = next(a for op, a, _ in records(content) if op == Opcode.CHUNK)
    struct.pack_into('<Q', content, start + 9 + 16, 2**50)
    with pytest.raises(BagError, match='more than the'):
        read(opened(tmp_path, bytes(content)))


def test_other_encodings_are_listed_and_refused_by_name(tmp_path: Path) -> None:
    recording = opened(tmp_path, mcap_bytes(CHUNKS, encoding='ros1'))
    assert recording.topics['/a'].count == 28
    with pytest.raises(BagError, match=r"topic /b cannot be read: .* 'ros1', not 'cdr'"):
        list(recording.blocks(['/b']))
    assert list(recording.blocks([])) == []


def two_ways(second: bytes, *, closed: bool = False) -> bytes:
    """Return a file in which channel 1 is described again before its second message."""
    known = schema(1) + channel(1, b'/a') + message(1, payload(1), 1)
    other = second + message(1, payload(2), 2)
    if closed:  # each in a chunk of its own
        return file(zstd_chunk(known), zstd_chunk(other))
    return file(known, other)


@pytest.mark.parametrize('closed', [False, True])
@pytest.mark.parametrize('again', [channel(1, b'/b'), channel(1, b'/a', schema_key=2)])
def test_a_channel_that_is_described_in_two_ways_is_not_read(
    tmp_path: Path, closed: bool, again: bytes
) -> None:
    content = two_ways(schema(2, b'int8 x\n') + again, closed=closed)
    recording = opened(tmp_path, content)
    for topic in {'/a', '/b'} & recording.topics.keys():
        assert topic not in recording.readable
        with pytest.raises(BagError, match=r'channel 1 is described.*m2r2 repair'):
            list(recording.blocks([topic]))


def test_a_schema_that_is_described_in_two_ways_is_not_read(tmp_path: Path) -> None:
    recording = opened(tmp_path, two_ways(schema(1, b'int8 other\n')))
    assert recording.readable == []
    with pytest.raises(BagError, match='described in two ways'):
        list(recording.blocks())


def test_a_channel_that_the_summary_describes_otherwise_is_an_error(tmp_path: Path) -> None:
    """The summary alone would bring messages of one topic to another."""
    content = bytearray(mcap_bytes(CHUNKS, CompressionType.NONE))
    content[content.rindex(b'\2\0\0\0/c') + 5] = ord('d')
    # Its checksum is taken away, which would show the difference, too.
    content[-12:-8] = bytes(4)
    recording = opened(tmp_path, bytes(content))
    with pytest.raises(BagError, match="'/c', elsewhere as '/d'"):
        read(recording)
    assert read(recording, ['/a']) == expected(CHUNKS, ['/a'])


def test_a_summary_with_a_wrong_checksum_is_not_believed(tmp_path: Path) -> None:
    content = bytearray(mcap_bytes(CHUNKS))
    content[content.rindex(b'\2\0\0\0/c') + 5] = ord('d')
    assert read(opened(tmp_path, bytes(content))) == expected(CHUNKS)
