# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips: what is cut out, compared with the recording message by message."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rosbags.rosbag2 import Reader

from m2r2_ros.bags import merge
from m2r2_ros.bags.labels.reader import read_given_labels, read_segments, read_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, SEGMENT_TOPIC
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import ConfigError, OutputError
from m2r2_ros.core.labels import Segment
from m2r2_ros.export.choosing import SegmentChoice
from m2r2_ros.export.clip_bags import cut_bags, has_clip_bag
from m2r2_ros.export.clip_films import cut_films
from m2r2_ros.export.clip_labels import clip_labels
from m2r2_ros.export.clips import clip_name, clips_of, write_manifest
from m2r2_ros.export.labelled import Labelled, labelled_recordings
from test.export.workshop import (
    CAMERA,
    DESCRIPTION,
    INFO,
    LABELS,
    SEGMENTS,
    STATIC,
    label_bag,
    segment,
    workshop,
)
from test.replay.recordings import (
    SECOND,
    START,
    TYPES,
    WRENCH,
    robot,
    truth_of,
    write_bag,
    write_mcap,
    write_sqlite,
)

Messages = dict[str, list[tuple[int, bytes]]]
EVERY = SegmentChoice()


def messages(path: Path) -> Messages:
    """Read a rosbag2 folder with rosbags."""
    found: Messages = {}
    with Reader(path) as reader:
        for connection, log_time, raw in reader.messages():
            found.setdefault(connection.topic, []).append((log_time, bytes(raw)))
    return found


def between(own: list[tuple[int, bytes]], since: int, until: int) -> list[tuple[int, bytes]]:
    return [(time, raw) for time, raw in own if since <= time < until]


@pytest.mark.parametrize('pad', [0.0, 0.25])
def test_bags_hold_the_messages_of_their_spans_unchanged(
    labelled: Labelled, tmp_path: Path, pad: float
) -> None:
    clips = clips_of(labelled, EVERY, pad)
    cut = cut_bags(tmp_path, clip_labels(labelled), clips)
    whole, topics = messages(labelled.recording), open_recording(labelled.recording).topics
    some = [clip.name for clip in clips if between(whole[WRENCH], clip.since, clip.until)]
    assert list(cut.made) == some
    assert len(cut.failed) == len(clips) - len(some)
    for name, clip in cut.made.items():
        found = messages(tmp_path / name)
        for topic in (*TYPES, CAMERA):
            assert found.get(topic, []) == between(whole[topic], clip.since, clip.until)
        assert found[STATIC] == [(clip.since if clip.since > START else START, whole[STATIC][0][1])]
        assert found[DESCRIPTION][-1][1] == whole[DESCRIPTION][-1][1]
        made = open_recording(tmp_path / name).topics
        for topic in (*TYPES, CAMERA, STATIC, INFO):
            assert made[topic].definition == topics[topic].definition
            assert made[topic].qos == topics[topic].qos
            assert made[topic].type_hash == topics[topic].type_hash


def test_labels_of_a_clip_are_cut_at_its_edges(labelled: Labelled, tmp_path: Path) -> None:
    clip = clips_of(labelled, EVERY, 0.1)[1]
    cut_bags(tmp_path, clip_labels(labelled), [clip])
    truth = read_truth(tmp_path / clip.name)
    assert truth.label_set == LABELS
    before, own, after = SEGMENTS[:3]
    assert truth.segments == [
        replace(before, start=clip.since),
        own,
        replace(after, end=clip.until, success=None),
    ]
    assert f'{GROUND_TRUTH}/phase' not in open_recording(tmp_path / clip.name).topics


def test_ground_truth_beside_the_labels_is_cut_too(labelled: Labelled, tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'whole') as bag:
        for name, topic in open_recording(labelled.recording).topics.items():
            if name in TYPES:
                bag.add_topic(name, topic.type_name, definition=topic.definition)
        for name, entries in messages(labelled.recording).items():
            for log_time, raw in entries if name in TYPES else ():
                bag.write(name, raw, log_time)
        writer = LabelWriter(bag, f'{GROUND_TRUTH}/phase', frame_labels=False)
        writer.write_label_set(LABELS, '', START)
        long = replace(SEGMENTS[0], end=SEGMENTS[-1].end, success=True)
        writer.write_segment(long, LABELS.id_of(long.label), 0, '')
    clip = clips_of(labelled, EVERY, 0.1)[1]
    one = replace(labelled, recording=tmp_path / 'whole')
    cut_bags(tmp_path, clip_labels(one), [clip])
    assert read_segments(tmp_path / clip.name, f'{GROUND_TRUTH}/phase{SEGMENT_TOPIC}') == [
        replace(long, start=clip.since, end=clip.until, success=None)
    ]


def test_labels_of_a_model_stay_labels_beside_the_truth(shop: Path, tmp_path: Path) -> None:
    found = label_bag(tmp_path / f'{shop.name}_labels', SEGMENTS[:3], 'model-7')
    (one,) = labelled_recordings([shop], [found])
    clip = clips_of(one, EVERY, 0.0)[2]
    cut_bags(tmp_path / 'clips', clip_labels(one), [clip])
    path = tmp_path / 'clips' / clip.name
    assert read_given_labels(path).segments == [replace(SEGMENTS[2], confidence=0.75)]
    whole = messages(shop)[GROUND_TRUTH + SEGMENT_TOPIC]
    own = between(whole, clip.since, clip.until)
    assert messages(path).get(GROUND_TRUTH + SEGMENT_TOPIC, []) == own


def test_clips_that_overlap_are_cut_in_one_pass(
    labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = [segment(100 * k, 100 * k + 900, 'wait') for k in range(10)]
    one = replace(labelled, segments=(*segments, segment(3900, 4000, 'reach')))
    recording = type(open_recording(labelled.recording))
    spans: list[object] = []
    blocks = recording.blocks

    def counted(self: object, topics: object = None, *span: object) -> object:
        if span and WRENCH in list(topics):  # type: ignore[call-overload]
            spans.append(span)
        return blocks(self, topics, *span)  # type: ignore[arg-type]

    monkeypatch.setattr(recording, 'blocks', counted)
    cut = cut_bags(tmp_path, clip_labels(one), clips_of(one, EVERY, 0.0))
    assert len(cut.made) == 11
    assert len(spans) == 2  # and one for the clip that is far from the others
    monkeypatch.undo()
    whole = messages(labelled.recording)[WRENCH]
    for name, clip in cut.made.items():
        assert messages(tmp_path / name)[WRENCH] == between(whole, clip.since, clip.until)


def test_nothing_but_the_span_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is damaged elsewhere does no harm."""
    monkeypatch.setattr(merge, '_BATCH', 1 << 12)
    entries = robot(6.0, 3)
    whole = write_bag(tmp_path / 'whole', entries, truth_of(6.0, 3))
    bare = write_mcap(tmp_path / 'whole.mcap', entries, chunk=1 << 12)
    data = bytearray(bare.read_bytes())
    damaged = slice(len(data) // 3, len(data) // 2)
    data[damaged] = bytes(damaged.stop - damaged.start)
    bare.write_bytes(data)
    one = replace(labelled_recordings([whole])[0], recording=bare)
    clips = clips_of(one, EVERY, 0.0)
    cut = cut_bags(tmp_path / 'clips', clip_labels(one), clips[:1])
    assert len(messages(tmp_path / 'clips' / clips[0].name)[WRENCH]) > 10
    assert not cut.failed


@pytest.mark.parametrize('write', [write_bag, write_sqlite])
def test_clocks_of_log_and_stamps_may_differ(tmp_path: Path, write: object) -> None:
    shift = -500 * SECOND
    entries = robot(3.0, 4, log_shift=shift)
    bag = write(tmp_path / 'bag', entries)  # type: ignore[operator]
    segments = (Segment(START + SECOND, START + 2 * SECOND, 'reach'),)
    truth = write_bag(tmp_path / 'truth', entries, truth_of(3.0, 4))
    one = Labelled(bag, 'bag', segments, LABELS, truth)
    (clip,) = clips_of(one, EVERY, 0.0)
    cut_bags(tmp_path / 'clips', clip_labels(one), [clip])
    found = messages(tmp_path / 'clips' / clip.name)
    assert found[WRENCH] == between(
        messages(bag)[WRENCH], START + SECOND + shift, START + 2 * SECOND + shift
    )
    assert read_truth(tmp_path / 'clips' / clip.name).segments == list(segments)


def test_what_was_said_before_is_carried_along(labelled: Labelled, tmp_path: Path) -> None:
    """Not what is repeated within the clip anyway, nor what came long before."""
    clips = clips_of(replace(labelled, segments=(segment(2500, 2700, 'wait'),)), EVERY, 0.0)
    cut_bags(tmp_path, clip_labels(labelled), clips)
    found = messages(tmp_path / clips[0].name)
    whole = messages(labelled.recording)
    assert found[INFO] == [(clips[0].since, whole[INFO][1][1])]
    assert found[STATIC] == [(clips[0].since, whole[STATIC][0][1])]


def test_topics_can_be_chosen(labelled: Labelled, tmp_path: Path) -> None:
    clips = clips_of(labelled, SegmentChoice(labels=('push & "turn"',)), 0.0)
    cut_bags(tmp_path, clip_labels(labelled), clips, [WRENCH, STATIC])
    topics = set(open_recording(tmp_path / clips[0].name).topics)
    labels = {f'{GROUND_TRUTH}/label_set', f'{GROUND_TRUTH}/action_segment'}
    assert topics == {WRENCH, STATIC} | labels
    with pytest.raises(ConfigError, match='no topic /nowhere that can be read, but /camera'):
        cut_bags(tmp_path, clip_labels(labelled), clips, ['/nowhere'])


def test_clips_are_kept_unless_they_are_to_be_replaced(labelled: Labelled, tmp_path: Path) -> None:
    clips = clips_of(labelled, EVERY, 0.0)[:2]
    labels = clip_labels(labelled)
    cut_bags(tmp_path, labels, clips)
    (file,) = (tmp_path / clips[0].name).glob('*.mcap')
    made = file.stat().st_mtime_ns
    assert len(cut_bags(tmp_path, labels, clips).made) == 2
    assert file.stat().st_mtime_ns == made
    wider = clips_of(labelled, EVERY, 0.1)[:2]
    failed = cut_bags(tmp_path, labels, wider).failed
    assert len(failed) == 2
    assert 'is no clip of this span' in failed[0]
    assert len(cut_bags(tmp_path, labels, wider, overwrite=True).made) == 2
    assert has_clip_bag(tmp_path, wider[0])
    (tmp_path / clips[0].name / 'notes.txt').write_text('mine')
    with pytest.raises(Exception, match='holds other files'):
        cut_bags(tmp_path, labels, clips, overwrite=True)


def test_an_interrupted_run_leaves_whole_clips_alone(
    labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    clips = clips_of(labelled, EVERY, 0.0)
    monkeypatch.setattr('m2r2_ros.export.clip_bags._TOGETHER', 2)
    with pytest.raises(KeyboardInterrupt):
        cut_bags(tmp_path, clip_labels(labelled), clips, told=stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == [clip.name for clip in clips[:2]]
    killed = tmp_path / f'{clips[2].name}.partial'  # what a run that was killed leaves
    killed.mkdir()
    (killed / f'{clips[2].name}_0.mcap').touch()
    cut = cut_bags(tmp_path, clip_labels(labelled), clips)
    assert clips[2].name in cut.made
    assert not killed.exists()


def test_films_of_clips(labelled: Labelled, tmp_path: Path) -> None:
    two = workshop(tmp_path / 'two', cameras=(CAMERA, '/other/image', '/depth/image'))
    clips = clips_of(labelled, EVERY, 0.0)[:2]
    one = cut_films(tmp_path / 'one', labelled.recording, clips, rate=10.0)
    assert list(one.made) == [f'{clip.name}.mp4' for clip in clips]
    both = cut_films(tmp_path / 'both', two, clips[:1], rate=10.0)
    stem = clips[0].name
    assert list(both.made) == [f'{stem}_camera-image-compressed.mp4', f'{stem}_other-image.mp4']
    file = tmp_path / 'one' / f'{stem}.mp4'
    made = file.stat().st_mtime_ns
    assert not cut_films(tmp_path / 'one', labelled.recording, clips, rate=10.0).failed
    assert file.stat().st_mtime_ns == made
    failed = cut_films(tmp_path / 'one', labelled.recording, clips, rate=20.0).failed
    assert 'is no clip of this span' in failed[0]
    again = cut_films(tmp_path / 'one', labelled.recording, clips, rate=20.0, overwrite=True)
    assert not again.failed


@pytest.mark.parametrize(
    ('label', 'name'),
    [
        ('insert', 'bag_0012_insert'),
        ('把持 grip', 'bag_0012_把持-grip'),
        ('../../etc/passwd', 'bag_0012_etc-passwd'),
        ('..', 'bag_0012_segment'),
        ('a\n\x1b[31mb', 'bag_0012_a-31mb'),
    ],
)
def test_names_of_clips_are_names_of_files(label: str, name: str) -> None:
    assert clip_name('bag', 12, label) == name


def test_long_names_stay_different(tmp_path: Path) -> None:
    names = {clip_name('x' * 250 + end, 1, '把' * 80 + end) for end in 'ab'}
    assert len(names) == 2
    for name in names:
        (tmp_path / f'.{name}.partial.lock').touch()


def test_the_manifest_lists_clips_of_all_runs(labelled: Labelled, tmp_path: Path) -> None:
    clips = clips_of(labelled, EVERY, 0.0)
    for clip in clips[:2]:
        (tmp_path / clip.name).mkdir()
        write_manifest(tmp_path, [{'path': clip.name, **clip.facts()}])
    rows = json.loads((tmp_path / 'clips.json').read_text(encoding='utf-8'))
    assert [row['path'] for row in rows] == [clip.name for clip in clips[:2]]
    assert rows[1]['start_ns'] == SEGMENTS[1].start
    assert rows[1]['outcome'] == 'failure'
    with (tmp_path / 'clips.csv').open(encoding='utf-8', newline='') as file:
        table = list(csv.DictReader(file))
    assert [int(row['end_ns']) for row in table] == [s.end for s in SEGMENTS[:2]]
    (tmp_path / clips[0].name).rmdir()
    write_manifest(tmp_path, [])
    rows = json.loads((tmp_path / 'clips.json').read_text(encoding='utf-8'))
    assert [row['path'] for row in rows] == [clips[1].name]


@pytest.mark.parametrize('content', ['{', '[1]', '[{"path": "../other"}]', '7'])
def test_a_manifest_of_others_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / 'clips.json').write_text(content)
    with pytest.raises(OutputError, match='a manifest of clips'):
        write_manifest(tmp_path, [])
    assert (tmp_path / 'clips.json').read_text() == content
