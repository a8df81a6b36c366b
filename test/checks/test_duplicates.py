# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.checks.duplicates import duplicate_results
from m2r2_ros.checks.finding import Finding, NotRun
from test.checks.recording.robot import POSE_TOPIC, SOUND_TOPIC, Streams, robot, write


@pytest.fixture
def some() -> Streams:
    return {name: robot()[name] for name in (POSE_TOPIC, SOUND_TOPIC)}


def test_a_copy_is_found_and_a_recording_of_the_same_length_is_none(
    tmp_path: Path, some: Streams
) -> None:
    other = some | {POSE_TOPIC: some[POSE_TOPIC].with_values(some[POSE_TOPIC].values + 1e-9)}
    paths = [write(tmp_path / name, s) for name, s in (('a', some), ('b', some), ('c', other))]
    (found,) = duplicate_results(paths)
    assert isinstance(found, Finding)
    assert (found.check, found.measured) == ('set.duplicate', 2)
    assert found.message == 'a, b have the same content'


def test_neither_the_day_nor_the_file_of_a_recording_counts(tmp_path: Path, some: Streams) -> None:
    first = write(tmp_path / 'a', some)
    (file,) = first.glob('*.mcap')
    bare = tmp_path / 'bare.mcap'
    bare.write_bytes(file.read_bytes())
    later = {name: stream.moved(3600, 3600) for name, stream in some.items()}
    paths = [first, write(tmp_path / 'later', later), bare]
    (found,) = duplicate_results(paths)
    assert isinstance(found, Finding)
    assert found.measured == 3


def test_the_same_messages_in_another_order_are_other_content(
    tmp_path: Path, some: Streams
) -> None:
    pose = some[POSE_TOPIC]
    values = pose.values[::-1].copy()
    paths = [
        write(tmp_path / 'a', some),
        write(tmp_path / 'b', some | {POSE_TOPIC: pose.with_values(values)}),
    ]
    assert duplicate_results(paths) == []


def test_recordings_that_cannot_be_read_are_told_and_empty_ones_are_not_alike(
    tmp_path: Path, some: Streams
) -> None:
    odd = tmp_path / 'odd.mcap'
    odd.write_bytes(b'no recording')
    paths = [write(tmp_path / 'a', {}), write(tmp_path / 'b', {}), odd]
    (told,) = duplicate_results(paths)
    assert isinstance(told, NotRun)
    assert 'odd cannot be opened' in told.why


def test_a_damaged_copy_is_not_said_to_be_the_same(tmp_path: Path, some: Streams) -> None:
    paths = [write(tmp_path / name, some) for name in 'ab']
    (file,) = paths[1].glob('*.mcap')
    content = bytearray(file.read_bytes())
    content[200_000] ^= 1
    file.write_bytes(content)
    (told,) = duplicate_results(paths)
    assert isinstance(told, NotRun)
    assert 'b cannot be' in told.why


def test_how_many_messages_a_block_holds_does_not_matter(tmp_path: Path, some: Streams) -> None:
    # Another topic cuts the file into other chunks.
    pose = some[POSE_TOPIC]
    labels = replace(pose, logs=pose.logs + 1, values=np.zeros_like(pose.values))
    paths = [
        write(tmp_path / 'a', some),
        write(tmp_path / 'b', some | {'/ground_truth/pose': labels}),
    ]
    (found,) = duplicate_results(paths)
    assert isinstance(found, Finding)
    assert found.measured == 2
