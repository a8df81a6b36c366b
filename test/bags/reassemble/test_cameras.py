# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The three cameras of REASSEMBLE: a topic each, and none read that is not asked for."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from m2r2_ros.bags.reassemble.file import ReassembleFile
from m2r2_ros.bags.reassemble.importer import import_reassemble
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.samples import ImageSamples
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from test.bags.reassemble.files import film, stamps, write_file

#: The three cameras of the data set, and a width that tells the film of each from the others.
VIEWS = {'hama1': 64, 'hama2': 80, 'hand': 96}


@pytest.fixture(scope='module')
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_file(tmp_path_factory.mktemp('reassemble') / '2025-01-09-13-59-54.h5')
    with h5py.File(path, 'a') as file:
        for name, width in VIEWS.items():
            del file[name]
            file[name] = np.void(film(60, width, 48))
    return path


@pytest.mark.parametrize('imported', [False, True])
def test_each_of_the_three_cameras_is_a_topic_of_its_own(
    three: Path, tmp_path: Path, imported: bool
) -> None:
    path = three
    if imported:
        path = tmp_path / 'bag'
        import_reassemble(three, path)
    recording = open_recording(path)
    topics = {name: f'/{name}/image/compressed' for name in VIEWS}
    pictures: dict[str, list[Any]] = {topic: [] for topic in topics.values()}
    for blocks in recording.blocks(list(pictures)):
        for block in blocks:
            known = recording.topics[block.topic]
            spec = TopicSpec('image', block.topic)
            samples = make_reader(spec, known.type_name, known.definition).decode(block)
            assert isinstance(samples, ImageSamples)
            pictures[block.topic] += zip(samples.stamps, samples.frames, strict=True)
    for name, topic in topics.items():
        times = np.array([int(stamp) for stamp, _ in pictures[topic]]) / 1e9
        assert np.abs(times - stamps(name, 60, 30)).max() < 1e-6
        assert pictures[topic][7][1].decode().shape == (48, VIEWS[name], 3)


@pytest.mark.parametrize('asked', [('hama1',), ('hama2', 'hand'), ()])
def test_only_the_films_asked_for_are_opened(
    three: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]
) -> None:
    recording, opened = open_recording(three), list[str]()
    blob = ReassembleFile.blob

    def note(file: ReassembleFile, name: str) -> Any:
        opened.append(name)
        return blob(file, name)

    monkeypatch.setattr(ReassembleFile, 'blob', note)
    topics = ['/robot/joint_states', *(f'/{name}/image/compressed' for name in asked)]
    counts = dict.fromkeys(topics, 0)
    for blocks in recording.blocks(topics):
        for block in blocks:
            counts[block.topic] += len(block)
    assert sorted(opened) == sorted(asked)
    assert counts == {topics[0]: 1940, **dict.fromkeys(topics[1:], 60)}
