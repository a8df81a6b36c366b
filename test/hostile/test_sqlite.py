# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from test.hostile import sqlite_files
from test.hostile.fuzzing import tries
from test.hostile.memory import MB, memory_of
from test.real_data import DATA

#: Bytes; a message of 256 MB is the longest that is read.
BOUND = 400 * MB
REAL = sorted((DATA / 'real_bags').glob('*/*.db3'))


@pytest.mark.parametrize('case', sqlite_files.CASES)
def test_hostile_databases_end_in_a_result_or_a_bag_error_within_memory(
    tmp_path: Path, processes: ProcessPoolExecutor, case: Callable[[Path], None]
) -> None:
    path = tmp_path / 'x.db3'
    case(path)
    assert processes.submit(memory_of, sqlite_files.read_all, [path]).result() < BOUND
    path.unlink()


@pytest.fixture(scope='module')
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a recording with metadata.yaml."""
    folder = tmp_path_factory.mktemp('sound')
    sqlite_files.fill(folder / 'sound_0.db3')
    counts = [
        {'topic_metadata': {'name': name}, 'message_count': topic.count}
        for name, topic in open_recording(folder / 'sound_0.db3').topics.items()
    ]
    content = {'rosbag2_bagfile_information': {'topics_with_message_count': counts}}
    (folder / 'metadata.yaml').write_text(yaml.safe_dump(content))
    return folder


def messages(path: Path) -> tuple[list[tuple[int, str]], tuple[str, ...]]:
    """Return times and topics of all messages, and the notes."""
    recording = open_recording(path)
    found = [
        (time, block.topic)
        for blocks in recording.blocks(recording.readable)
        for block in blocks
        for time in block.log_times.tolist()
    ]
    return sorted(found), recording.notes


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Return content with a bit flipped or some bytes overwritten, often at the head of a page."""
    page = draw(st.integers(0, len(content) // 4096 - 1)) * 4096
    at = page + draw(st.integers(0, 11) | st.integers(0, 400) | st.integers(0, 4095))
    kind = draw(st.sampled_from(['flip', 'flip', 'overwrite', 'cut']))
    if kind == 'cut':
        return content[:at]
    if kind == 'flip':
        return (
            content[:at] + bytes([content[at] ^ 1 << draw(st.integers(0, 7))]) + content[at + 1 :]
        )
    new = draw(st.sampled_from([b'\0', b'\xff']) | st.binary(min_size=1, max_size=4))
    new = (new * draw(st.sampled_from([1, 2, 8, 64, 4096])))[: len(content) - at]
    return content[:at] + new + content[at + len(new) :]


@tries(150)
@given(data=st.data())
def test_what_damage_takes_from_a_recording_is_told(
    sound: Path, tmp_path: Path, data: st.DataObject
) -> None:
    before, notes = messages(sound)
    assert not notes
    _expect_told(sound, 'sound_0.db3', tmp_path, before, data)


@pytest.mark.skipif(not REAL, reason=f'no recordings in {DATA}/real_bags')
@tries(25)
@given(data=st.data(), original=st.sampled_from(REAL))
def test_what_damage_takes_from_a_real_recording_is_told(
    tmp_path: Path, data: st.DataObject, original: Path
) -> None:
    before, _ = messages(original.parent)
    _expect_told(original.parent, original.name, tmp_path, before, data)


def _expect_told(
    folder: Path, name: str, tmp_path: Path, before: list[tuple[int, str]], data: st.DataObject
) -> None:
    (tmp_path / 'metadata.yaml').write_bytes((folder / 'metadata.yaml').read_bytes())
    content = data.draw(damaged((folder / name).read_bytes()))
    for old in tmp_path.glob('*.db3'):
        old.unlink()
    (tmp_path / name).write_bytes(content)
    try:
        after, notes = messages(tmp_path)
    except BagError as error:
        assert name in str(error)
    else:
        assert notes or after == before
