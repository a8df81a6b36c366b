# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import yaml
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.folder import storage_files
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.readers.definitions import typestore
from test.bags.files import Item, expected, mcap_bytes, read
from test.real_data import DATA

REAL = sorted((DATA / 'real_bags').glob('*/metadata.yaml'))
FIRST: list[Item] = [('/a', 10 * k, k) for k in range(20)]
SECOND: list[Item] = [('/b' if k % 2 else '/a', 150 + 10 * k, 100 + k) for k in range(20)]


def folder(path: Path, files: dict[str, list[Item]], **information: object) -> Path:
    """Make a rosbag2 folder; without information it has no metadata.yaml."""
    path.mkdir(parents=True)
    for name, items in files.items():
        (path / name).write_bytes(mcap_bytes([items]))
    if information:
        content = {'rosbag2_bagfile_information': information}
        (path / 'metadata.yaml').write_text(yaml.safe_dump(content))
    return path


def test_a_split_recording_is_one(tmp_path: Path) -> None:
    files = {f'old_{k}.mcap': items for k, items in zip((2, 10), (FIRST, SECOND), strict=True)}
    bag = folder(tmp_path / 'bag', files, relative_file_paths=[f'bag/{name}' for name in files])
    recording = open_recording(bag)
    assert recording.name == 'bag'
    assert read(recording) == expected([FIRST, SECOND])
    assert recording.topics['/a'].count == 30
    assert (recording.message_count, recording.start, recording.end) == (40, 0, 340)


def test_a_recording_is_read_without_its_metadata_as_after_a_crash(tmp_path: Path) -> None:
    bag = folder(tmp_path / 'bag', {'bag_2.mcap': FIRST, 'bag_10.mcap': SECOND})
    content = (bag / 'bag_10.mcap').read_bytes()
    (bag / 'bag_10.mcap').write_bytes(content[: len(content) // 2])
    recording = open_recording(bag)
    assert recording.truncated
    found = read(recording)
    assert [item for item in found if item[2] < 100] == FIRST
    (bag / 'metadata.yaml').write_text('')
    assert read(open_recording(bag)) == found


def test_files_of_equal_times_keep_their_order(tmp_path: Path) -> None:
    one: list[Item] = [('/a', 5, 1), ('/b', 5, 2)]
    two: list[Item] = [('/b', 5, 3), ('/a', 5, 4)]
    bag = folder(tmp_path / 'bag', {'bag_2.mcap': one, 'bag_10.mcap': two})
    assert read(open_recording(bag)) == [*one, *two]


def test_files_may_be_called_as_lyrical_calls_them(tmp_path: Path) -> None:
    names = [f'{k}_bag_2026_05_23-10_{k:02}_00.mcap' for k in (2, 10)]
    bag = folder(tmp_path / 'bag', dict(zip(names, (FIRST, SECOND), strict=True)))
    assert find_recordings([tmp_path]) == [bag]
    assert read(open_recording(bag)) == expected([FIRST, SECOND])
    assert [file.name for file in storage_files(bag)] == names


def test_no_messages_is_a_recording_too(tmp_path: Path) -> None:
    recording = open_recording(folder(tmp_path / 'bag', {'bag_0.mcap': []}))
    assert read(recording) == []
    assert (recording.start, recording.end, recording.message_count) == (0, 0, 0)


@pytest.mark.parametrize(
    ('information', 'expected'),
    [
        ({'relative_file_paths': ['gone_0.mcap']}, r'metadata.yaml: gone_0.mcap is not in'),
        ({'relative_file_paths': ['x_0.mcap.zstd']}, r'x_0.mcap.zstd.*zstd -d'),
        ({'compression_mode': 'MESSAGE'}, 'ros2 bag convert'),
    ],
)
def test_folders_that_cannot_be_read_say_the_way_out(
    tmp_path: Path, information: dict[str, object], expected: str
) -> None:
    bag = folder(tmp_path / 'bag', {'bag_0.mcap': FIRST}, **information)
    (bag / 'x_0.mcap.zstd').write_bytes(b'')
    with pytest.raises(BagError, match=expected):
        open_recording(bag)


def test_messages_that_metadata_counts_and_files_have_not_are_told(tmp_path: Path) -> None:
    counts = [
        {'topic_metadata': {'name': '/a'}, 'message_count': 25},
        {'topic_metadata': {'name': '/b'}, 'message_count': 10},
        {'topic_metadata': {'name': '/c'}, 'message_count': 3},
        'nonsense',
        {'topic_metadata': None, 'message_count': 'many'},
    ]
    bag = folder(
        tmp_path / 'bag',
        {'bag_0.mcap': FIRST},
        relative_file_paths=['bag_0.mcap'],
        topics_with_message_count=counts,
    )
    (note,) = open_recording(bag).notes
    assert '/a: 20 of 25 messages, /b: 0 of 10 messages, /c: 0 of 3 messages' in note
    whole = folder(
        tmp_path / 'whole', {'bag_0.mcap': [*FIRST, *SECOND]}, topics_with_message_count=counts[:2]
    )
    assert open_recording(whole).notes == ()


def test_files_that_metadata_does_not_list_are_told(tmp_path: Path) -> None:
    files: dict[str, list[Item]] = {f'bag_{k}.mcap': FIRST for k in range(3)}
    bag = folder(tmp_path / 'bag', files, relative_file_paths=['bag_0.mcap', 'bag_2.mcap'])
    recording = open_recording(bag)
    assert recording.message_count == 40
    assert recording.notes == (
        'metadata.yaml does not list bag_1.mcap: remove it to open all files',
    )


@pytest.mark.parametrize(
    'listed',
    [['bag_0.mcap', 'bag_0.mcap'], ['bag_0.mcap', '../bag/bag_0.mcap', '/bag_0.mcap'], None],
)
def test_a_file_is_read_once_however_often_it_is_there(
    tmp_path: Path, listed: list[str] | None
) -> None:
    information = {'relative_file_paths': [*listed, 'link_1.mcap', 'hard_2.mcap']} if listed else {}
    bag = folder(tmp_path / 'bag', {'bag_0.mcap': FIRST}, **information)
    (bag / 'link_1.mcap').symlink_to('bag_0.mcap')
    (bag / 'hard_2.mcap').hardlink_to(bag / 'bag_0.mcap')
    recording = open_recording(bag)
    assert read(recording) == FIRST
    assert recording.notes == ()


def test_a_huge_metadata_is_not_read(tmp_path: Path) -> None:
    bag = folder(tmp_path / 'bag', {'bag_0.mcap': FIRST}, relative_file_paths=['gone.mcap'])
    with (bag / 'metadata.yaml').open('ab') as file:
        file.truncate(1 << 40)
    recording = open_recording(bag)
    assert read(recording) == FIRST
    assert 'ignored' in recording.notes[0]


@pytest.mark.parametrize('text', ['a: [', 'just text', 'rosbag2_bagfile_information: 3'])
def test_broken_metadata_is_refused(tmp_path: Path, text: str) -> None:
    bag = folder(tmp_path / 'bag', {'bag_0.mcap': FIRST})
    (bag / 'metadata.yaml').write_text(text)
    with pytest.raises(BagError, match=r'metadata\.yaml'):
        open_recording(bag)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [('a.bag.active', 'ROS 1'), ('a.mcap.zstd', 'zstd -d'), ('a.txt', 'expected a rosbag2 folder')],
)
def test_other_files_are_refused(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_bytes(b'x')
    with pytest.raises(BagError, match=expected):
        open_recording(tmp_path / name)
    with pytest.raises(BagError, match=expected):
        find_recordings([tmp_path / name])


def test_nothing_there_is_said(tmp_path: Path) -> None:
    for refuse in (open_recording, lambda path: find_recordings([path])):
        with pytest.raises(BagError, match='no recording'):
            refuse(tmp_path)
        with pytest.raises(BagError, match='none does not exist'):
            refuse(tmp_path / 'none')


def test_recordings_are_found_at_any_depth_and_once(tmp_path: Path) -> None:
    bag = folder(tmp_path / 'day' / 'bag', {'x_0.mcap': FIRST}, relative_file_paths=['x_0.mcap'])
    crashed = folder(tmp_path / 'crashed', {'crashed_0.mcap': FIRST, 'crashed_1.mcap': SECOND})
    bare = folder(tmp_path / 'bare', {'demo_0.mcap': FIRST, 'demo_1.mcap': SECOND})
    found = find_recordings([bag, tmp_path, bare / 'demo_1.mcap', tmp_path / 'day' / '..' / 'bare'])
    assert found == [bare / 'demo_0.mcap', bare / 'demo_1.mcap', crashed, bag]
    assert open_recording(crashed).message_count == 40
    assert open_recording(bare / 'demo_0.mcap').name == 'demo_0'


def test_links_to_what_was_not_fetched_are_told(tmp_path: Path) -> None:
    (tmp_path / 'there.mcap').write_bytes(mcap_bytes([FIRST]))
    (tmp_path / 'annexed.mcap').symlink_to('.git/annex/objects/x')
    told: list[str] = []
    assert find_recordings([tmp_path], told.append) == [tmp_path / 'there.mcap']
    assert told == [f'{tmp_path / "annexed.mcap"} is a link to nothing: fetch what it stands for']


@pytest.mark.parametrize('name', ['a', 'b'])
def test_real_recordings_read_as_rosbags_reads_them(name: str, tmp_path: Path) -> None:
    if not REAL:
        pytest.skip(f'no recordings in {DATA}/real_bags')
    for metadata in REAL[::2] if name == 'a' else REAL[1::2]:
        recording = open_recording(metadata.parent)
        found = {topic: [] for topic in recording.topics}  # type: dict[str, list[object]]
        for blocks in recording.blocks():
            for block in blocks:
                rows = zip(block.log_times.tolist(), range(len(block)), strict=True)
                found[block.topic] += [(time, block.message(k).tobytes()) for time, k in rows]
        theirs = {topic: [] for topic in recording.topics}  # type: dict[str, list[object]]
        with AnyReader([metadata.parent], default_typestore=typestore()) as reader:
            for connection, time, raw in reader.messages():
                theirs[connection.topic].append((time, bytes(raw)))
        assert found == theirs
        assert {t: topic.count for t, topic in recording.topics.items()} == {
            topic: len(messages) for topic, messages in theirs.items()
        }
