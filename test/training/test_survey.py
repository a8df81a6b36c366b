# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a survey says of recordings of which some rotate and some do not."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, Segment
from m2r2_ros.core.modalities import declared
from m2r2_ros.core.time import SECOND
from m2r2_ros.training.data import prepare
from m2r2_ros.training.recordings import open_labelled
from m2r2_ros.training.survey import Survey, kinds_of, sequence_of, survey
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import START, robot, write_bag

SENSORS = ('sound', 'wrench', 'pose', 'twist', 'gripper')


def cut(*ends: float, labels: tuple[str, ...] = ('reach', 'push', 'grip')) -> list[Segment]:
    """Make segments that end at these seconds."""
    times = [START, *(START + round(end * SECOND) for end in ends)]
    return [
        Segment(lo, hi, label) for lo, hi, label in zip(times[:-1], times[1:], labels, strict=True)
    ]


@pytest.fixture(scope='module')
def found(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    folder = tmp_path_factory.mktemp('survey')
    truths = {
        'a': cut(1.0, 2.0, 3.0),
        'b': cut(1.2, 1.9, 3.0),
        'c': cut(1.51, 1.515, 3.0),
        'd': cut(1.61, 1.612, 3.0),
    }
    bags = [write_bag(folder / name, robot(3.0, 1), truth) for name, truth in truths.items()]
    labelled = open_labelled(bags)
    data = prepare(
        labelled,
        modalities=declared(SENSORS),
        windows=WindowConfig(),
        folder=folder / 'windows',
        image_encoders={},
    )
    return survey(data.recordings, labelled, data.labels, SENSORS)


def test_frames_and_segments_are_counted(found: Survey) -> None:
    assert found.segments == {'reach': 4, 'push': 2, 'grip': 4}
    assert found.frames['push'] == 17
    assert found.without == {'push': ('c', 'd')}


def test_segments_shorter_than_a_frame_are_named(found: Survey) -> None:
    assert [line.partition(' at ')[0] for line in found.too_short] == ['c: push', 'd: push']


def test_kinds_of_recordings_differ(found: Survey) -> None:
    assert [(k.labels, k.recordings) for k in found.kinds] == [
        (('reach', 'push', 'grip'), ('a', 'b')),
        (('reach', 'grip'), ('c', 'd')),
    ]


def test_what_is_missing_is_said(found: Survey) -> None:
    assert found.missing == ('sound',)
    text = '\n'.join(found.lines())
    for part in (
        'push 17 (2)',
        '2 segments are shorter',
        '2 kinds',
        '2 of 4: reach, grip',
        'sound',
    ):
        assert part in text


def test_labels_of_no_frame_are_said(found: Survey) -> None:
    none = replace(
        found, frames={**found.frames, 'lift': 0}, segments={**found.segments, 'lift': 0}
    )
    assert 'without a frame in any recording: lift' in '\n'.join(none.lines())


def test_a_survey_fits_into_yaml(found: Survey) -> None:
    entries = found.to_dict()
    assert entries['kinds'][1] == {'labels': ['reach', 'grip'], 'recordings': ['c', 'd']}
    assert all(isinstance(v, dict | list) for v in entries.values())


def targets(*runs: int) -> NDArray[np.int64]:
    return np.repeat(np.array(runs, np.int64), 4)


def test_a_sequence_has_a_label_for_each_segment() -> None:
    assert sequence_of(targets(UNKNOWN, 0, 2, UNKNOWN, 1, 0)) == [0, 2, 1, 0]


def test_repetitions_are_of_one_kind() -> None:
    assert kinds_of([targets(0, 1, 0), targets(0, 1, 0, 1, 0), targets(2, 1), targets(2, 1)]) == [
        [0, 1],
        [2, 3],
    ]


def test_where_every_recording_is_alone_there_are_no_kinds() -> None:
    assert kinds_of([targets(0, 1, 2), targets(2, 1, 0), targets(1, 0, 2)]) == [[0, 1, 2]]
