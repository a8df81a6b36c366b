# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What ATLAS gets: annotations that come back, and copies that rosbags, its reader, opens."""

from pathlib import Path

import pytest
import yaml
from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.rosbag2 import Reader

from m2r2_ros.bags.labels.sources import find_truths
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import OutputError
from m2r2_ros.export.atlas import annotations_of_atlas, copy_to_sqlite, write_atlas_config
from m2r2_ros.export.labelled import Labelled, labelled_recordings
from m2r2_ros.export.timed import timed, write_json
from test.export.workshop import CAMERA, SEGMENTS, STATIC
from test.replay.recordings import POSE, TWIST, WRENCH


def messages(path: Path) -> list[tuple[str, int, bytes]]:
    recording = open_recording(path)
    return [
        (block.topic, time, block.message(k).tobytes())
        for blocks in recording.blocks()
        for block in blocks
        for k, time in enumerate(block.log_times.tolist())
    ]


def test_annotations_come_back_to_the_nanosecond(labelled: Labelled, tmp_path: Path) -> None:
    path = tmp_path / 'cell_annotations.json'
    write_json(path, {labelled.name: annotations_of_atlas(timed(labelled)), 'other': {}})
    expected = [(s.start, s.end, s.label, s.success) for s in SEGMENTS]
    for given in (path, tmp_path):
        (found,) = labelled_recordings([labelled.recording], [given])
        assert found.source == path
        assert [(s.start, s.end, s.label, s.success) for s in found.segments] == expected
    assert set(find_truths([path], [])) == {labelled.name, 'other'}


def test_a_copy_holds_the_same_messages(shop: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    copy_to_sqlite(tmp_path / 'copy', open_recording(shop), shares.append)
    assert shares[-1] == 1.0
    assert sorted(p.name for p in (tmp_path / 'copy').iterdir()) == ['copy.db3', 'metadata.yaml']
    assert sorted(messages(tmp_path / 'copy')) == sorted(messages(shop))
    topics = open_recording(shop).topics
    with Reader(tmp_path / 'copy') as reader:
        assert reader.message_count == open_recording(shop).message_count
        for connection in reader.connections:
            assert connection.digest == topics[connection.topic].type_hash
            assert connection.msgdef.data == topics[connection.topic].definition
        (static,) = (c for c in reader.connections if c.topic == STATIC)
        assert isinstance(static.ext, ConnectionExtRosbag2)
        assert static.ext.offered_qos_profiles[0].durability.name == 'TRANSIENT_LOCAL'


def test_a_copy_is_replaced_only_where_that_is_asked_for(shop: Path, tmp_path: Path) -> None:
    recording, out = open_recording(shop), tmp_path / 'copy'
    copy_to_sqlite(out, recording)
    with pytest.raises(OutputError, match='exists already'):
        copy_to_sqlite(out, recording)
    copy_to_sqlite(out, recording, overwrite=True)
    (out / 'notes.txt').write_text('mine')
    with pytest.raises(OutputError, match='exists already'):
        copy_to_sqlite(out, recording, overwrite=True)
    assert (out / 'notes.txt').read_text() == 'mine'


def test_what_is_interrupted_leaves_nothing(shop: Path, tmp_path: Path) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_to_sqlite(tmp_path / 'copy', open_recording(shop), stop)
    assert not list(tmp_path.iterdir())


def test_the_configuration_names_topics_and_actions(labelled: Labelled, tmp_path: Path) -> None:
    path = tmp_path / 'cell.yaml'
    write_atlas_config(path, 'cell', [timed(labelled)], labelled.label_set.names, 25.0)
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    assert content['dataset_type'] == 'rosbag'
    assert content['camera_keys'] == [CAMERA]
    assert {WRENCH, POSE, TWIST} <= set(content['low_level_keys'])
    assert list(content['action_map'].values()) == list(labelled.label_set.names)
    assert content['annotation_dir'] == str(tmp_path / 'annotations')
