# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of older versions, by the hash that a recording has or by its definition alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.bags.labels.older import older_hashes, store_of
from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.labels.topics import LABEL, LABEL_SET
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import modality_names

LABELS = LabelSet(('pick', 'insert', 'place'), ('move', 'assemble', ''))
START = 1_700_000_000_123_456_789


def write_old(path: Path, label_hash: str, *, hashes: bool = True, mask: int = 37) -> Path:
    """Write a label, and its label set, as an older version did."""
    store = store_of(LABEL, label_hash)
    time = store.types['builtin_interfaces/msg/Time'](sec=1, nanosec=2)
    kept = (name for name, _ in store.fielddefs[LABEL][1])
    fields: dict[str, Any] = {
        'header': store.types['std_msgs/msg/Header'](stamp=time, frame_id=''),
        'label_id': 1, 'label': 'insert', 'confidence': 0.5,
        'probabilities': np.array([0.5, 0.25, 0.25], np.float32), 'boundary_score': 0.0,
        'segment_index': 0, 'segment_start': time, 'revision_lag': 3, 'modality_mask': mask,
        'latency': 0.25, 'model_id': 'm', 'reason': 'unlike: pose',
    }  # fmt: skip
    label = store.types[LABEL](**{name: fields[name] for name in kept})
    (set_hash,) = older_hashes(LABEL_SET)
    sets = store_of(LABEL_SET, set_hash)
    colour = sets.types['std_msgs/msg/ColorRGBA'](r=0.0, g=0.0, b=0.0, a=1.0)
    label_set = sets.types[LABEL_SET](
        names=list(LABELS.names), parents=list(LABELS.parents), colours=[colour] * 3, model_id='m'
    )
    with BagWriter(path) as bag:
        for topic, name, own, message, type_hash in (
            ('/label_set', LABEL_SET, sets, label_set, set_hash),
            ('/action_label', LABEL, store, label, label_hash),
        ):
            definition = own.generate_msgdef(name, ros_version=2)[0]
            bag.add_topic(topic, name, definition=definition, type_hash=type_hash if hashes else '')
            bag.write(topic, bytes(own.serialize_cdr(message, name)), START)
    return path


@pytest.mark.parametrize('version', [0, 1])
def test_labels_from_before_are_read(tmp_path: Path, version: int) -> None:
    """They had masks of one byte without names, and the oldest of them no reason."""
    hashes = older_hashes(LABEL)
    assert len(set(hashes)) == 2
    track = read_label_track(write_old(tmp_path / 'old', hashes[version]))
    assert (track.labels, track.model_id) == (['insert'], 'm')
    assert track.reasons == [['', 'unlike: pose'][version]]
    assert track.masks.dtype == np.uint32
    assert track.masks.tolist() == [37]
    assert modality_names(37, track.modalities) == ('image', 'wrench', 'gripper')
    assert track.latencies.tolist() == [0.25]
    assert track.revision_lags.tolist() == [3]
    assert track.label_set == LABELS


@pytest.mark.parametrize('version', [0, 1])
def test_labels_from_before_are_known_by_their_definition(tmp_path: Path, version: int) -> None:
    path = write_old(tmp_path / 'old', older_hashes(LABEL)[version], hashes=False)
    track = read_label_track(path)
    assert (track.labels, track.masks.tolist()) == (['insert'], [37])
    assert track.label_set == LABELS


def test_another_definition_is_refused_without_a_hash_too(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'other') as bag:
        bag.add_topic('/action_label', LABEL, definition='string label\n')
        bag.write('/action_label', b'\0\1\0\0\1\0\0\0\0', START)
    with pytest.raises(LabelError, match=r'/action_label holds another version of m2r2_ros/msg'):
        read_label_track(tmp_path / 'other')
