# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that end anywhere: what can be read of them is in the bag that they become."""

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.mcap.leftovers import finish_leftover, leftovers
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError
from test.bags.files import payload
from test.hostile.fuzzing import tries

Message = tuple[str, int, bytes]


def written(folder: Path) -> list[int]:
    """Write a recording in three flushes, and leave it; return where each one ended."""
    bag = BagWriter(folder / 'bag', flush_interval=1000.0)
    noise, ends = random.Random(0).randbytes, []
    bag.add_topic('/a', 'std_msgs/msg/String')
    for flush in range(3):
        if flush == 1:
            bag.add_topic('/b', 'std_msgs/msg/String')
        for k in range(20):
            topic = '/b' if flush and k % 3 == 0 else '/a'
            bag.write(topic, payload(k) + noise(300), 100 * flush + k)
        bag._part.flush()
        ends.append((bag.partial / 'bag_0.mcap').stat().st_size)
    # As a kill does: the lock goes, and the file stays as it is.
    bag._part.abandon()
    bag._claim.release()
    return ends


@pytest.fixture(scope='module')
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    folder = tmp_path_factory.mktemp('template')
    return folder / 'bag.partial', written(folder)


def ours(bag: Path) -> list[Message]:
    return [
        (block.topic, int(block.log_times[i]), block.message(i).tobytes())
        for blocks in open_recording(bag).blocks()
        for block in blocks
        for i in range(len(block))
    ]


def theirs(bag: Path) -> list[Message]:
    with AnyReader([bag]) as reader:
        return [(c.topic, time, bytes(raw)) for c, time, raw in reader.messages()]


def by_mcap(file: Path) -> list[Message]:
    with file.open('rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        return [(c.topic, m.log_time, m.data) for _, c, m in reader.iter_messages()]


def check(template: tuple[Path, list[int]], folder: Path, cut: int, junk: bytes) -> None:
    source, ends = template
    shutil.rmtree(folder, ignore_errors=True)
    partial = folder / 'bag.partial'
    shutil.copytree(source, partial)
    file = partial / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:cut] + junk)
    assert leftovers(folder) == [partial]
    before = ours(partial)
    assert len(before) >= 20 * sum(end <= cut for end in ends)
    try:
        done = finish_leftover(partial)
    except BagError as error:
        # Zeros in place of the end of a chunk: a repair may find something in front of them.
        assert len(junk) > 1 and 'm2r2 repair' in str(error)
        assert file.read_bytes() == (source / 'bag_0.mcap').read_bytes()[:cut] + junk
        return
    assert list(folder.iterdir()) == [folder / 'bag']
    assert done.path == folder / 'bag'
    assert done.messages == len(before)
    if len(before) % 20 or (cut in ends and not junk):
        assert bool(done.damaged) == bool(len(before) % 20)
    assert not open_recording(done.path).truncated
    expected = sorted(before)
    assert sorted(ours(done.path)) == expected
    assert sorted(theirs(done.path)) == expected
    assert sorted(by_mcap(done.path / 'bag_0.mcap')) == expected
    # It is finished, and is never touched again.
    assert leftovers(folder) == []


@tries(15)
@given(share=st.floats(0.0, 1.0), junk=st.sampled_from([b'', bytes(1), bytes(500)]))
def test_a_recording_that_ends_anywhere_is_made_whole(
    template: tuple[Path, list[int]],
    tmp_path_factory: pytest.TempPathFactory,
    share: float,
    junk: bytes,
) -> None:
    ends = template[1]
    cut = round(ends[0] + share * (ends[-1] - ends[0]))
    check(template, tmp_path_factory.mktemp('cut') / 'bags', cut, junk)


def test_a_recording_that_ends_at_a_flush_loses_nothing(
    template: tuple[Path, list[int]], tmp_path: Path
) -> None:
    for end in template[1]:
        check(template, tmp_path / 'bags', end, b'')


def test_what_is_no_leftover_of_a_recorder_is_left_alone(
    template: tuple[Path, list[int]], tmp_path: Path
) -> None:
    derived = BagWriter(tmp_path / 'import', discard_failed=True)
    living = BagWriter(tmp_path / 'living')
    (tmp_path / 'mine.partial').mkdir()
    (tmp_path / 'mine.partial' / 'notes.txt').write_text('x')
    (tmp_path / 'empty.partial').mkdir()
    (tmp_path / 'link.partial').symlink_to(template[0])
    assert leftovers(tmp_path) == [living.partial]
    with pytest.raises(Exception, match='another run'):
        finish_leftover(living.partial)
    living.close()
    derived.close()


def test_a_name_that_is_taken_and_a_damaged_file_are_told_and_change_nothing(
    template: tuple[Path, list[int]], tmp_path: Path
) -> None:
    partial = tmp_path / 'bag.partial'
    shutil.copytree(template[0], partial)
    (tmp_path / 'bag').mkdir()
    with pytest.raises(BagError, match='exists'):
        finish_leftover(partial)
    (tmp_path / 'bag').rmdir()
    file = partial / 'bag_0.mcap'
    content = bytearray(file.read_bytes())
    content[200:400] = bytes(200)
    file.write_bytes(content)
    with pytest.raises(BagError, match='m2r2 repair'):
        finish_leftover(partial)
    assert file.read_bytes() == content


def test_a_recording_without_a_message_goes(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'bag')
    bag._claim.release()
    done = finish_leftover(bag.partial)
    assert done.path is None
    assert list(tmp_path.iterdir()) == []
