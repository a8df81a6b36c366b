# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels for each frame, as the project's own loader of the layout reads them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN, LabelSet, Segment, label_at
from m2r2_ros.export.labelled import Labelled
from m2r2_ros.export.ms_tcn import plain_names, write_frame_labels, write_layout
from m2r2_ros.export.timed import TimedLabels, timed
from m2r2_ros.training.feature_set import read_feature_set
from test.export.workshop import SEGMENTS
from test.replay.recordings import SECOND, START

RATE = 12.5
PLAIN = ('reach', '把持_grip', 'push_&_"turn"', 'wait')


def test_frames_are_labelled_as_they_are_read_back(labelled: Labelled, tmp_path: Path) -> None:
    one = timed(labelled)
    frames = int((one.end - one.start) * RATE / SECOND) + 1
    for name in ('first', 'second'):
        assert write_frame_labels(tmp_path / 'groundTruth' / f'{name}.txt', one, RATE)
        (tmp_path / 'features').mkdir(exist_ok=True)
        np.save(tmp_path / 'features' / f'{name}.npy', np.zeros((3, frames), np.float32))
    assert tuple(plain_names(one)) == PLAIN
    parents = labelled.label_set.parents
    parts = {'train': ['first'], 'val': [], 'test': ['second']}
    write_layout(tmp_path, LabelSet(PLAIN, parents), parts, RATE, unlabelled=True)
    found = read_feature_set(tmp_path)
    assert found.frame_rate == RATE
    assert found.labels == LabelSet(PLAIN, parents)
    assert (tmp_path / 'mapping.txt').read_text(encoding='utf-8').splitlines()[-1] == '4 background'
    stamps = START + np.round(np.arange(frames) * SECOND / RATE).astype(np.int64)
    ids = {name: k for k, name in enumerate(labelled.label_set.names)}
    expected = [ids.get(label, UNKNOWN) for label in label_at(SEGMENTS, stamps)]
    for part in ('train', 'test'):
        (track,) = found.parts[part]
        assert track.targets.tolist() == expected
    assert {UNKNOWN, 0, 1, 2} <= set(expected)


def test_labels_that_would_become_one_are_refused(labelled: Labelled) -> None:
    both = replace(labelled, label_set=LabelSet.of(('a b', 'a_b')), segments=())
    with pytest.raises(LabelError, match='a b, a_b would both be called a_b'):
        plain_names(timed(both))


def test_a_recording_of_years_is_refused(labelled: Labelled, tmp_path: Path) -> None:
    years = TimedLabels(labelled, 0, 2**62)
    with pytest.raises(LabelError, match='take a lower --fps'):
        write_frame_labels(tmp_path / 'a.txt', years, 1000.0)


def test_a_recording_of_one_moment_has_a_frame(labelled: Labelled, tmp_path: Path) -> None:
    moment = replace(labelled, segments=(Segment(5, 6, 'wait'),))
    assert not write_frame_labels(tmp_path / 'a.txt', TimedLabels(moment, 5, 5), 30.0)
    assert (tmp_path / 'a.txt').read_text() == 'wait\n'
