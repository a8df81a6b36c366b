# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exports of segments as JSON: COCO-like, and events of Foxglove."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rosbags.highlevel import AnyReader

from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.export.choosing import OutcomeKind
from m2r2_ros.export.coco import write_coco
from m2r2_ros.export.foxglove import EVENTS_TOPIC, write_event_bag, write_events
from m2r2_ros.export.labelled import Labelled
from m2r2_ros.export.timed import timed
from test.export.workshop import SEGMENTS
from test.replay.recordings import SECOND, START

#: Of foxglove_msgs/msg/Event, as ROS 2 computes it.
EVENT_HASH = 'RIHS01_298036f6835aedfec4eb3ad27236afdc698a88e6c14a3f71899a2421fe6e28e5'


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding='utf-8'))


def as_segment(one: dict[str, Any], names: dict[int, str]) -> Segment:
    start, end = one['segment_ns']
    return Segment(start, end, names[one['category_id']], one['score'], one['success'])


def test_coco_has_every_segment_to_the_nanosecond(labelled: Labelled, tmp_path: Path) -> None:
    second = replace(labelled, name='second', segments=SEGMENTS[:2])
    path = tmp_path / 'a.json'
    assert write_coco(path, [timed(labelled), timed(second)], 'films/{name}.mp4') == 8
    found = read(path)
    names = {c['id']: c['name'] for c in found['categories']}
    parents = {c['name']: c['supercategory'] for c in found['categories']}
    assert parents == dict(zip(labelled.label_set.names, labelled.label_set.parents, strict=True))
    assert all(c['color'].startswith('#') and len(c['color']) == 7 for c in found['categories'])
    for number, segments in ((1, SEGMENTS), (2, SEGMENTS[:2])):
        own = [one for one in found['annotations'] if one['video_id'] == number]
        assert tuple(as_segment(one, names) for one in own) == segments
    assert len({one['id'] for one in found['annotations']}) == 8
    assert found['annotations'][3]['segment'] == [3.0, 3.0003]
    video = found['videos'][0]
    assert video['file_name'] == f'films/{labelled.name}.mp4'
    assert video['start_ns'] == START
    assert video['duration'] == pytest.approx(4.0, abs=0.1)


def test_coco_refuses_two_parents_of_one_label(labelled: Labelled, tmp_path: Path) -> None:
    other = replace(labelled, label_set=LabelSet(('reach',), ('elsewhere',)), segments=())
    with pytest.raises(LabelError, match='reach has the parent elsewhere, elsewhere move'):
        write_coco(tmp_path / 'a.json', [timed(labelled), timed(other)])
    with pytest.raises(ConfigError, match=r'expected \{name\} in it'):
        write_coco(tmp_path / 'a.json', [timed(labelled)], 'film.mp4')
    assert not list(tmp_path.iterdir())


def nanoseconds(date: str) -> int:
    whole, _, rest = date.removesuffix('Z').partition('.')
    return int(datetime.fromisoformat(f'{whole}+00:00').timestamp()) * SECOND + int(rest)


def test_events_are_requests_to_the_api(labelled: Labelled, tmp_path: Path) -> None:
    path = tmp_path / 'events.ndjson'
    assert write_events(path, [labelled], 'arm {name}') == len(SEGMENTS)
    events = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
    for event, one in zip(events, SEGMENTS, strict=True):
        assert set(event) == {'deviceName', 'start', 'end', 'metadata'}
        assert event['deviceName'] == f'arm {labelled.name}'
        assert (nanoseconds(event['start']), nanoseconds(event['end'])) == (one.start, one.end)
        assert all(isinstance(value, str) for value in event['metadata'].values())
        assert event['metadata']['label'] == one.label
        assert event['metadata']['outcome'] == OutcomeKind.of(one).value
    assert events[1]['metadata']['parent'] == 'handle'
    assert 'parent' not in events[4]['metadata']
    never = replace(labelled, segments=(Segment(2**62, 2**62 + 1, 'wait'),))
    late = replace(labelled, segments=(Segment(2**80, 2**80 + 1, 'wait'),))
    assert write_events(path, [never], '') == 1
    with pytest.raises(LabelError, match='is no date'):
        write_events(path, [late], '')


def test_events_are_messages_of_the_schema_that_foxglove_knows(
    labelled: Labelled, tmp_path: Path
) -> None:
    write_event_bag(tmp_path / 'a_events', labelled)
    with AnyReader([tmp_path / 'a_events']) as reader:
        assert reader.topics[EVENTS_TOPIC].msgtype == 'foxglove_msgs/msg/Event'
        assert reader.connections[0].digest == EVENT_HASH
        found: list[Any] = [
            reader.deserialize(raw, kind.msgtype) for kind, _, raw in reader.messages()
        ]
    for message, one in zip(found, SEGMENTS, strict=True):
        times = [t.sec * SECOND + t.nanosec for t in (message.start_time, message.end_time)]
        assert times == [one.start, one.end]
        assert {pair.key: pair.value for pair in message.metadata}['label'] == one.label
