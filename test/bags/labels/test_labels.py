# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.labels.csv import read_segments_csv, write_segments_csv
from m2r2_ros.bags.labels.older import older_hashes, store_of
from m2r2_ros.bags.labels.reader import Truth, read_label_track, read_segments, read_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN, FrameLabel, LabelSet, Segment

LABELS = LabelSet(('pick', 'insert', 'müde'), ('move', 'assemble', ''))
START = 1_700_000_000_123_456_789
CLOCK = RecordingClock(START, START + 10**10)


def frame(i: int) -> FrameLabel:
    return FrameLabel(
        stamp=START + i * 100_000_000,
        label_id=i % 3,
        label=LABELS.names[i % 3],
        confidence=0.5 + i / 100,
        probabilities=np.array([0.1 * i, 0.25, 0.5], np.float32),
        boundary_score=i / 10,
        segment_index=i // 2,
        segment_start=START + (i // 2) * 200_000_000,
        revision_lag=i,
        modality_mask=4 + i,
    )


def write_frames(path: Path, count: int) -> Path:
    with BagWriter(path) as bag:
        writer = LabelWriter(bag)
        writer.write_label_set(LABELS, 'model-1', START)
        for i in range(count):
            writer.write_label(frame(i), 'model-1', 0.01 * i, START + i * 100_000_000 + 5)
    return path


def write_truth(path: Path, segments: list[Segment]) -> Path:
    with BagWriter(path) as bag:
        writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(LABELS, '', START)
        for i, segment in enumerate(segments):
            writer.write_segment(segment, LABELS.id_of(segment.label), i, '')
    return path


def decoded(path: Path, topic: str) -> list[tuple[int, Any]]:
    with AnyReader([path]) as reader:
        links = [link for link in reader.connections if link.topic == topic]
        return [
            (time, reader.deserialize(raw, link.msgtype))
            for link, time, raw in reader.messages(links)
        ]


def test_labels_read_back(tmp_path: Path) -> None:
    track = read_label_track(write_frames(tmp_path / 'bag', 6))
    frames = [frame(i) for i in range(6)]
    assert track.name == 'bag'
    assert track.model_id == 'model-1'
    assert track.label_set == LABELS
    assert track.labels == [f.label for f in frames]
    assert track.stamps.dtype == np.int64
    assert track.stamps.tolist() == [f.stamp for f in frames]
    assert track.label_ids.tolist() == [f.label_id for f in frames]
    assert track.revision_lags.tolist() == [f.revision_lag for f in frames]
    assert track.masks.dtype == np.uint8
    assert track.masks.tolist() == [f.modality_mask for f in frames]
    np.testing.assert_array_equal(
        track.confidences, np.array([f.confidence for f in frames], np.float32)
    )
    np.testing.assert_array_equal(
        track.boundary_scores, np.array([f.boundary_score for f in frames], np.float32)
    )
    np.testing.assert_array_equal(track.probabilities, [f.probabilities for f in frames])
    np.testing.assert_array_equal(
        track.latencies, np.array([0.01 * i for i in range(6)], np.float32)
    )


def test_labels_are_plain_ros_messages(tmp_path: Path) -> None:
    bag = write_frames(tmp_path / 'bag', 3)
    stored = decoded(bag, '/action_label')
    [(_, label_set)] = decoded(bag, '/label_set')
    time, message = stored[2]
    assert time == START + 200_000_005
    assert message.header.stamp.sec == 1_700_000_000
    assert message.header.stamp.nanosec == 323_456_789
    assert (message.segment_index, message.segment_start.nanosec) == (1, 323_456_789)
    assert (message.label, message.model_id) == ('müde', 'model-1')
    assert label_set.names == list(LABELS.names)
    assert label_set.parents == list(LABELS.parents)
    colour = label_set.colours[1]
    assert (colour.r, colour.g, colour.b, colour.a) == pytest.approx((*LABELS.colours[1], 1.0))


def test_topics_and_their_durability(tmp_path: Path) -> None:
    topics = open_recording(write_frames(tmp_path / 'bag', 0)).topics
    assert set(topics) == {'/action_label', '/action_segment', '/label_set'}
    assert topics['/label_set'].qos == LATCHED
    assert topics['/action_label'].qos != LATCHED
    truth = open_recording(write_truth(tmp_path / 'truth', []))
    assert set(truth.topics) == {'/ground_truth/action_segment', '/ground_truth/label_set'}


def test_no_labels_at_all(tmp_path: Path) -> None:
    track = read_label_track(write_frames(tmp_path / 'bag', 0))
    assert len(track) == 0
    assert track.probabilities.shape == (0, 3)
    assert read_truth(write_truth(tmp_path / 'truth', [])) == Truth([], LABELS)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([*LABELS.names, 'odd'])
        ),
        max_size=5,
    )
)
def test_segments_survive_bag_and_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, str]]
) -> None:
    folder = tmp_path_factory.mktemp('segments')
    segments = sorted(
        (Segment(START + t, START + t + d, name, 0.5) for t, d, name in rows),
        key=lambda s: (s.start, s.end),
    )
    bag = write_truth(folder / 'bag', segments)
    assert read_segments(bag) == segments
    write_segments_csv(folder / 'truth.csv', segments, START)
    lasting = [s for s in segments if s.end > s.start]
    assert read_truth(folder / 'truth.csv', CLOCK) == Truth(lasting, None)


def test_segment_message(tmp_path: Path) -> None:
    bag = write_truth(tmp_path / 'bag', [Segment(START, START + 7, 'odd')])
    [(time, message)] = decoded(bag, '/ground_truth/action_segment')
    assert time == START + 7
    assert message.label_id == UNKNOWN
    assert message.header.stamp == message.end
    assert (message.start.nanosec, message.end.nanosec) == (123_456_789, 123_456_796)


def test_success_survives_and_is_told_by_the_constants_of_the_bag(tmp_path: Path) -> None:
    told = (True, False, None)
    segments = [Segment(START + k, START + k + 1, 'pick', 1.0, s) for k, s in enumerate(told)]
    bag = write_truth(tmp_path / 'bag', segments)
    assert read_segments(bag) == read_truth(bag).segments == segments
    messages = [message for _, message in decoded(bag, '/ground_truth/action_segment')]
    kind = type(messages[0])
    outcomes = [kind.OUTCOME_SUCCESS, kind.OUTCOME_FAILURE, kind.OUTCOME_UNKNOWN]
    assert [message.outcome for message in messages] == outcomes


def test_lanes_of_truth_are_read_apart(tmp_path: Path) -> None:
    lanes = ('', '/coarse', '/phase')
    with BagWriter(tmp_path / 'bag') as bag:
        for lane in lanes:
            writer = LabelWriter(bag, GROUND_TRUTH + lane, frame_labels=False)
            writer.write_segment(Segment(START, START + 9, f'in {lane}'), UNKNOWN, 0, '')
    assert [s.label for s in read_truth(tmp_path / 'bag').segments] == ['in ']
    for lane in lanes:
        [segment] = read_segments(tmp_path / 'bag', f'{GROUND_TRUTH}{lane}/action_segment')
        assert segment.label == f'in {lane}'


def test_reasons_read_back_and_labels_from_before_have_none(tmp_path: Path) -> None:
    unknown = replace(frame(0), label_id=UNKNOWN, label='unknown', reason='unlike: wrench')
    with BagWriter(tmp_path / 'new') as bag:
        LabelWriter(bag).write_label(unknown, 'model-1', 0.0, START)
    assert read_label_track(tmp_path / 'new').reasons == ['unlike: wrench']
    (old,) = older_hashes(LABEL)
    store = store_of(LABEL, old)
    header = store.types['std_msgs/msg/Header']
    time = store.types['builtin_interfaces/msg/Time']
    stamp = time(sec=1, nanosec=2)
    message = store.types[LABEL](
        header=header(stamp=stamp, frame_id=''), label_id=1, label='insert', confidence=0.5,
        probabilities=np.array([0.5, 0.5], np.float32), boundary_score=0.0, segment_index=0,
        segment_start=stamp, revision_lag=0, modality_mask=4, latency=0.0, model_id='m',
    )  # fmt: skip
    with BagWriter(tmp_path / 'old') as bag:
        definition = store.generate_msgdef(LABEL, ros_version=2)[0]
        bag.add_topic('/action_label', LABEL, definition=definition, type_hash=old)
        bag.write('/action_label', bytes(store.serialize_cdr(message, LABEL)), START)
    track = read_label_track(tmp_path / 'old')
    assert (track.labels, track.reasons, track.model_id) == (['insert'], [''], 'm')


def test_csv_rows_with_a_reason_are_no_labels(tmp_path: Path) -> None:
    file = tmp_path / 'a.csv'
    write_segments_csv(
        file, [Segment(1, 2, 'pick'), Segment(2, 3, 'unknown', 0.4, reason='unlike: pose')], 0
    )
    assert file.read_text().splitlines()[2].endswith('unknown,0.4,unlike: pose')
    assert [s.label for s in read_segments_csv(file, RecordingClock(0, 9))] == ['pick']


def test_csv_layout(tmp_path: Path) -> None:
    file = tmp_path / 'segments.csv'
    write_segments_csv(file, [Segment(10**9, 2 * 10**9 + 5, 'a, "b"', 0.25)], 10**9 // 2)
    assert file.read_text().splitlines() == [
        'start_s,end_s,label,confidence,reason',
        '0.500000000,1.500000005,"a, ""b""",0.25,',
    ]
    write_segments_csv(file, [], 0)
    assert read_truth(file).segments == []


def test_csv_in_seconds_is_exact(tmp_path: Path) -> None:
    file = tmp_path / 'truth.csv'
    file.write_text(
        '\ufeffnote,start,end,label\n'
        'x,1700000000.123456789,1700000001,b\n'
        ',1600000000,1700000000.000000001,a\n'
        ',1600000005,1600000005,gone\n'
    )
    assert read_truth(file).segments == [
        Segment(1_600_000_000_000_000_000, 1_700_000_000_000_000_001, 'a'),
        Segment(START, 1_700_000_001_000_000_000, 'b'),
    ]


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('', 'start_s'),
        ('a,b\n1,2\n', 'columns a, b'),
        ('start,end,label\n1,x,a\n', r"csv:2: end is 'x'"),
        ('start,end,label\n1,nan,a\n', 'csv:2: end'),
        ('start,end,label\n1,2\n', 'csv:2: expected a label'),
        ('start,end,label\n1700000002,1700000001,a\n', 'line 2: .* after the start'),
        ('start,end,label,confidence\n1,2,a,high\n', "confidence is 'high'"),
    ],
)
def test_wrong_csv_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / 'truth.csv'
    file.write_text(text)
    with pytest.raises(LabelError, match=told):
        read_truth(file)
    with pytest.raises(LabelError, match='no such file'):
        read_truth(tmp_path / 'absent.csv')


def test_missing_labels_are_told(tmp_path: Path) -> None:
    bag = write_frames(tmp_path / 'bag', 1)
    with pytest.raises(LabelError, match=r'ground_truth/action_segment.*CSV'):
        read_truth(bag)
    with pytest.raises(LabelError, match='m2r2 label'):
        read_label_track(write_truth(tmp_path / 'truth', []))
    with pytest.raises(LabelError, match='holds m2r2_ros/msg/LabelSet'):
        read_label_track(bag, '/label_set')


def test_labels_of_two_models_are_not_one_track(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        writer = LabelWriter(bag)
        writer.write_label(frame(0), 'one', 0.0, 1)
        writer.write_label(frame(1), 'two', 0.0, 2)
    with pytest.raises(LabelError, match='one, two'):
        read_label_track(tmp_path / 'bag')


def test_other_version_of_a_message_is_told(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        bag.add_topic(
            '/action_label', 'm2r2_ros/msg/ActionLabel', definition='int32 x', type_hash='RIHS01_0'
        )
    with pytest.raises(LabelError, match='another version'):
        read_label_track(tmp_path / 'bag')
