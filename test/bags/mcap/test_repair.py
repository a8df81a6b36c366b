# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import io
import os
import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType, Writer
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.mcap import names
from m2r2_ros.bags.mcap.records import MESSAGE
from m2r2_ros.bags.mcap.repair import RepairReport, repair
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, OutputError
from test.bags.files import mcap_bytes, payload
from test.hostile.damaged_mcap_files import Way, messages, written
from test.hostile.mcap_files import channel, file, message, record, schema, zstd_chunk
from test.real_data import DATA

NUMBER = b'\0\1\0\0' + struct.pack('<d', 1)
FLOAT = 'std_msgs/msg/Float64'
QOS = '- {history: unknown, depth: 0, reliability: best_effort, durability: volatile}'


def recorded(
    compression: CompressionType = CompressionType.ZSTD,
    *,
    messages: int = 400,
    chunked: bool = True,
    per_chunk: int = 100,
) -> bytes:
    """Return a file with a topic /number, and a topic /late announced in the second chunk."""
    stream = io.BytesIO()
    writer = Writer(stream, compression=compression, use_chunking=chunked)
    writer.start('ros2', 'recorder')
    schema = writer.register_schema(FLOAT, 'ros2msg', b'float64 data\n')
    metadata = {'offered_qos_profiles': QOS, 'topic_type_hash': 'RIHS01_0'}
    channel = writer.register_channel('/number', 'cdr', schema, metadata)
    for i in range(messages):
        if i == per_chunk:
            channel = writer.register_channel('/late', 'cdr', schema, metadata)
        writer.add_message(channel, i, b'\0\1\0\0' + struct.pack('<d', i), i)
        if i % per_chunk == per_chunk - 1:
            writer.flush()
    writer.finish()
    return stream.getvalue()


def chunk_spans(data: bytes) -> list[tuple[int, int]]:
    summary = make_reader(io.BytesIO(data)).get_summary()
    assert summary is not None
    return [(c.chunk_start_offset, c.chunk_length) for c in summary.chunk_indexes]


def repaired(folder: Path, data: bytes) -> tuple[RepairReport, list[int]]:
    folder.mkdir(exist_ok=True)
    source = folder / 'damaged.mcap'
    source.write_bytes(data)
    report = repair(source, folder / 'out')
    assert source.read_bytes() == data
    recording = open_recording(folder / 'out')
    assert not recording.truncated
    values = [
        int(struct.unpack('<d', block.message(i)[4:].tobytes())[0])
        for blocks in recording.blocks()
        for block in sorted(blocks, key=lambda b: int(b.arrival[0]))
        for i in range(len(block))
    ]
    assert sum(report.messages.values()) == len(values)
    assert report.bytes_read == len(data)
    return report, values


ALL_COMPRESSIONS = pytest.mark.parametrize('compression', list(CompressionType))


@ALL_COMPRESSIONS
@pytest.mark.parametrize('chunked', [True, False])
def test_valid_file_is_copied_whole(
    tmp_path: Path, compression: CompressionType, chunked: bool
) -> None:
    report, values = repaired(tmp_path, recorded(compression, chunked=chunked))
    assert values == list(range(400))
    assert report.messages == {'/number': 100, '/late': 300}
    assert report.losses == ()
    topic = open_recording(tmp_path / 'out').topics['/number']
    assert (topic.type_name, topic.definition) == (FLOAT, 'float64 data\n')
    assert topic.type_hash == 'RIHS01_0'
    assert 'best_effort' in topic.qos


@ALL_COMPRESSIONS
def test_file_without_end_keeps_all_messages(tmp_path: Path, compression: CompressionType) -> None:
    data = recorded(compression)
    start, length = chunk_spans(data)[-1]
    report, values = repaired(tmp_path, data[: start + length])
    assert values == list(range(400))
    [loss] = report.losses
    assert 'no end' in loss.reason
    assert (loss.offset, loss.length) == (start + length, 0)


@pytest.mark.parametrize('compression', [CompressionType.NONE, CompressionType.LZ4])
def test_front_of_a_cut_chunk_is_kept(tmp_path: Path, compression: CompressionType) -> None:
    data = recorded(compression, messages=20_000, per_chunk=10_000)
    start, length = chunk_spans(data)[-1]
    report, values = repaired(tmp_path, data[: start + length * 3 // 4])
    assert values == list(range(len(values)))
    assert 10_000 < len(values) < 20_000
    [loss] = report.losses
    assert (loss.offset, loss.messages) == (start, None)


def test_front_of_a_cut_zstd_chunk_is_kept(tmp_path: Path) -> None:
    noise = os.urandom(1000)
    with BagWriter(tmp_path / 'bag', flush_interval=60) as bag:
        bag.add_topic('/noise', 'std_msgs/msg/UInt8MultiArray')
        for i in range(800):
            bag.write('/noise', noise[i:] + noise[:i], i)
    data = (tmp_path / 'bag' / 'bag_0.mcap').read_bytes()
    [(start, length)] = chunk_spans(data)
    (tmp_path / 'cut.mcap').write_bytes(data[: start + length - 100])
    report = repair(tmp_path / 'cut.mcap', tmp_path / 'out')
    assert 0 < report.messages['/noise'] < 800


@ALL_COMPRESSIONS
@given(st.data())
def test_any_cut_gives_a_valid_prefix(
    tmp_path_factory: pytest.TempPathFactory, compression: CompressionType, draw: st.DataObject
) -> None:
    data = recorded(compression, messages=40, per_chunk=10)
    cut = draw.draw(st.integers(8, len(data)))
    report, values = repaired(tmp_path_factory.mktemp('cut'), data[:cut])
    assert values == list(range(len(values)))
    whole = sum(start + length <= cut for start, length in chunk_spans(data))
    assert len(values) >= 10 * whole
    assert len(values) == 40 or report.losses


@ALL_COMPRESSIONS
def test_what_still_reads_of_a_damaged_chunk_is_kept_and_marked(
    tmp_path: Path, compression: CompressionType
) -> None:
    data = bytearray(recorded(compression))
    start, length = chunk_spans(bytes(data))[2]
    data[start + length // 2] ^= 0xFF
    report, values = repaired(tmp_path, bytes(data))
    whole = {*range(200), *range(300, 400)}
    assert whole <= set(values)
    [loss] = report.losses
    assert loss.offset == start
    assert loss.doubtful == len(values) - 300
    assert loss.messages == 400 - len(values)
    late = next(topic for topic in report.topics if topic.topic == '/late')
    assert (late.doubtful, late.lost, late.exact) == (loss.doubtful, loss.messages, True)
    (note,) = open_recording(report.out).notes
    assert f'{late.topic}: {late.doubtful} doubtful, {late.lost} lost' in note
    assert late.start is not None
    assert late.end is not None
    assert 200 <= late.start <= late.end < 300


def test_topics_of_a_damaged_chunk_come_from_the_summary(tmp_path: Path) -> None:
    data = bytearray(recorded())
    start, _ = chunk_spans(bytes(data))[1]
    data[start + 200] ^= 0xFF
    report, values = repaired(tmp_path, bytes(data))
    assert {*range(100), *range(200, 400)} <= set(values)
    assert report.messages['/late'] == len(values) - 100


def test_a_name_from_a_damaged_chunk_alone_is_told_as_such(tmp_path: Path) -> None:
    chunks = [[('/number', 10 * k, k)] for k in range(3)]
    whole = mcap_bytes(chunks, CompressionType.NONE, summary=False)
    data = bytearray(whole)
    data[whole.index(b'/number') + 1] ^= 1
    report, _ = repaired(tmp_path, bytes(data))
    assert report.messages == {'/oumber': 3}
    [remark] = [text for text in report.remarks if 'describes topics' in text]
    assert f'the damaged chunk at {report.losses[0].offset} ' in remark
    # The second chunk describes nothing, or nothing new.
    data = bytearray(whole)
    data[whole.rindex(payload(1))] ^= 1
    report, _ = repaired(tmp_path / 'second', bytes(data))
    assert report.messages == {'/number': 3}
    assert not [text for text in report.remarks if 'describes topics' in text]


def test_messages_of_a_lost_topic_are_counted(tmp_path: Path) -> None:
    data = bytearray(recorded())
    start, _ = chunk_spans(bytes(data))[1]
    end = sum(chunk_spans(bytes(data))[-1])
    data[start + 60 : start + 90] = bytes(30)
    report, values = repaired(tmp_path, bytes(data[:end]))
    assert values == list(range(100))
    assert [loss.messages for loss in report.losses] == [100, 100, 100, None]
    assert 'channel 2' in report.losses[1].reason
    [number, lost] = report.topics
    assert (number.topic, number.recovered, number.lost) == ('/number', 100, 0)
    assert ('channel 2' in lost.topic, lost.recovered, lost.lost) == (True, 0, 300)
    assert (lost.start, lost.end) == (100, 399)


@pytest.mark.parametrize('at', [0, 3, 9 + 30, 9 + 38])
def test_the_summary_makes_up_for_the_head_of_a_chunk(tmp_path: Path, at: int) -> None:
    data = bytearray(recorded())
    start, _ = chunk_spans(bytes(data))[2]
    data[start + at] ^= 0x7F
    report, values = repaired(tmp_path, bytes(data))
    assert values == list(range(400))
    doubtful = 100 * (at == 39)  # with its head, the checksum of the chunk is lost
    assert sum(loss.doubtful for loss in report.losses) == doubtful


def test_zeros_after_a_power_cut(tmp_path: Path) -> None:
    data = recorded()
    start, _ = chunk_spans(data)[3]
    report, values = repaired(tmp_path, data[:start] + bytes(5000))
    assert values == list(range(300))
    assert report.losses[0].length == 5000


@given(st.data())
def test_no_damage_breaks_the_repair(
    tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    data = bytearray(recorded(messages=40, per_chunk=10))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(8, len(data) - 1))] = draw.draw(st.integers(0, 255))
    source = tmp_path_factory.mktemp('noise') / 'damaged.mcap'
    source.write_bytes(data)
    report = repair(source, source.parent / 'out')
    assert open_recording(source.parent / 'out').message_count == sum(report.messages.values())


def test_file_without_chunks_and_index(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = Writer(stream, use_chunking=False, index_types=IndexType.NONE)
    writer.start('ros2', 'recorder')
    schema = writer.register_schema(FLOAT, 'ros2msg', b'float64 data\n')
    channel = writer.register_channel('/number', 'cdr', schema)
    for i in range(10):
        writer.add_message(channel, i, b'\0\1\0\0' + struct.pack('<d', i), i)
    data = stream.getvalue()
    report, values = repaired(tmp_path, data[:-5])
    assert values == list(range(9))
    assert 'inside a record' in report.losses[0].reason


def test_messages_that_turned_into_another_record_are_missed(tmp_path: Path) -> None:
    data = bytearray(recorded(messages=20, chunked=False))
    data[data.index(NUMBER[:4] + struct.pack('<d', 7)) - MESSAGE.itemsize] = Opcode.METADATA
    report, values = repaired(tmp_path, bytes(data))
    assert values == [*range(7), *range(8, 20)]
    [loss] = report.losses
    assert loss.messages == 1
    assert 'summary counts are nowhere: of /number' in loss.reason


def test_chunks_that_turned_into_another_record_are_missed(tmp_path: Path) -> None:
    chunks = [[('/a', 10 * k + i, k) for i in range(10)] for k in range(3)]
    data = bytearray(mcap_bytes(chunks, index=IndexType.CHUNK, summary=False))
    data[chunk_spans(bytes(data))[1][0]] = Opcode.METADATA
    report, values = repaired(tmp_path, bytes(data))
    assert len(values) == 20
    assert any('1 chunks are not where the summary says' in x.reason for x in report.losses)
    assert not report.topics[0].exact


def test_a_summary_with_chunks_that_cannot_be_is_not_believed(tmp_path: Path) -> None:
    chunks = [[('/a', 10 * k + i, k) for i in range(10)] for k in range(2)]
    data = bytearray(mcap_bytes(chunks, index=IndexType.CHUNK, summary=False))
    start, length = chunk_spans(bytes(data))[1]
    at = data.rindex(struct.pack('<QQ', start, length))
    data[at + 8 : at + 16] = bytes(8)
    data[-12:-8] = bytes(4)  # no checksum of the summary
    report, values = repaired(tmp_path, bytes(data))
    assert len(values) == 20
    assert any('its summary is damaged' in remark for remark in report.remarks)


def test_folder_of_several_files(tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    bag.mkdir()
    data = recorded()
    for k in (10, 9):
        (bag / f'bag_{k}.mcap').write_bytes(data[: sum(chunk_spans(data)[0])])
    steps: list[tuple[int, int]] = []
    report = repair(bag, tmp_path / 'out', progress=lambda n, total: steps.append((n, total)))
    assert report.messages == {'/number': 200}
    assert [loss.file.name for loss in report.losses] == ['bag_9.mcap', 'bag_10.mcap']
    assert steps == sorted(steps)
    assert steps[-1] == (report.bytes_read, report.bytes_read)


def test_what_a_killed_writer_left_is_repaired(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'bag', flush_interval=0.01)
    bag.add_topic('/number', FLOAT)
    for i in range(100):
        bag.write('/number', b'\0\1\0\0' + struct.pack('<d', i), i)
    while open_recording(tmp_path / 'bag.partial').message_count < 100:  # until it is flushed
        pass
    report = repair(tmp_path / 'bag.partial', tmp_path / 'repaired')
    assert report.messages == {'/number': 100}
    with AnyReader([tmp_path / 'repaired']) as reader:
        assert reader.message_count == 100
    bag.close()


@pytest.mark.parametrize('invalid', ['{' * 30, '[' * 10_000, '- {depth: [[1]]}'])
def test_invalid_qos_is_no_obstacle(tmp_path: Path, invalid: str) -> None:
    damaged = channel(1, b'/number', invalid.encode())
    repaired(tmp_path, file(schema(1), damaged, message(1, NUMBER)))
    assert open_recording(tmp_path / 'out').topics['/number'].qos == ''


def test_many_losses_of_one_kind_are_one(tmp_path: Path) -> None:
    known = schema(1) + channel(1, b'/number')
    unknown = b''.join(message(key) for key in range(2, 100))
    damaged = record(Opcode.SCHEMA, b'') * 100
    content = known + unknown + damaged + message(1, NUMBER) + damaged
    report, values = repaired(tmp_path, file(zstd_chunk(content), damaged, message(3), message(3)))
    assert values == [1]
    assert [loss.messages for loss in report.losses] == [None, 98, None, 2, None]
    assert 'channels 2, 3, 4, 5, 6 and 93 more are lost' in report.losses[1].reason
    assert report.losses[2].length == 99 * 9


def test_messages_that_no_reader_takes_are_left_out(tmp_path: Path) -> None:
    late = message(1, NUMBER, log_time=2**63)
    known = schema(1) + channel(1, b'/number')
    report, values = repaired(tmp_path, file(known, late, message(1, NUMBER)))
    assert values == [1]
    assert 'beyond the year 2262' in report.losses[0].reason


def test_number_of_topics_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, '_MAX_TOPICS', 2)
    channels = [channel(key, b'/topic%d' % key) for key in range(3)]
    messages = [message(key, NUMBER, log_time=key) for key in range(3)]
    report, _ = repaired(tmp_path, file(schema(1), *channels, *messages))
    assert report.messages == {'/topic0': 1, '/topic1': 1}
    assert report.losses[0].messages == 1


def test_messages_go_by_the_description_before_them(tmp_path: Path) -> None:
    known = schema(1) + channel(1, b'/a') + message(1, NUMBER, 1)
    report, _ = repaired(tmp_path, file(known, channel(1, b'/b'), message(1, NUMBER, 2)))
    assert report.messages == {'/a': 1, '/b': 1}
    assert not report.complete
    assert any('different ways (/a, /b)' in loss.reason for loss in report.losses)


@pytest.mark.parametrize('flipped', [1, 9])
def test_a_chunk_goes_on_after_a_damaged_record(tmp_path: Path, flipped: int) -> None:
    """Without a checksum, only the records themselves and the index tell of the damage."""
    data = bytearray(written(Way(crcs=False)))
    whole = Counter(topic for topic, _, _ in messages())
    record = bytes([Opcode.MESSAGE]) + struct.pack('<Q', 22 + len(messages()[20][2]))
    at = data.index(record + struct.pack('<H', 3))
    data[at + flipped] ^= 0x10  # its length, or its channel
    (tmp_path / 'damaged.mcap').write_bytes(data)
    report = repair(tmp_path / 'damaged.mcap', tmp_path / 'out')
    assert not report.complete
    missing = whole - Counter(report.messages)
    assert missing.total() <= 1
    for topic, count in missing.items():
        row = next(row for row in report.topics if row.topic == topic)
        assert (row.lost, row.exact) == (count, True)
        assert row.start == row.end is not None


def test_misuse_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='no MCAP file'):
        repair(tmp_path / 'absent', tmp_path / 'out')
    (tmp_path / 'bag').mkdir()
    with pytest.raises(BagError, match=r'\.recover'):
        repair(tmp_path / 'bag', tmp_path / 'out')
    (tmp_path / 'bag' / 'x.mcap').write_bytes(b'no such thing')
    with pytest.raises(BagError, match='does not begin'):
        repair(tmp_path / 'bag', tmp_path / 'out')
    (tmp_path / 'bag' / 'x.mcap').write_bytes(recorded())
    with pytest.raises(OutputError, match='overlaps'):
        repair(tmp_path / 'bag', tmp_path / 'bag', overwrite=True)
    repair(tmp_path / 'bag', tmp_path / 'out')
    with pytest.raises(BagError, match='exists'):
        repair(tmp_path / 'bag', tmp_path / 'out')
    repair(tmp_path / 'bag', tmp_path / 'out', overwrite=True)


def test_real_recording_cut_at_70_percent(tmp_path: Path) -> None:
    name = 'ros2bag_ats_2025-12-02_12-48-52'
    file = DATA / 'real_bags' / name / f'{name}_0.mcap'
    if not file.is_file():
        pytest.skip(f'no real bags in {DATA}')
    content = file.read_bytes()
    (tmp_path / 'cut.mcap').write_bytes(content[: len(content) * 7 // 10])
    report = repair(tmp_path / 'cut.mcap', tmp_path / 'out')
    # The file is a single uncompressed chunk of 5481 messages and its index.
    assert 4000 < sum(report.messages.values()) < 5481
    with AnyReader([tmp_path / 'out']) as reader:
        assert reader.message_count == sum(report.messages.values())
