# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the page gets of a recording that is open."""

import io
import json
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.readers.topics import TopicSpec
from test.replay.recordings import SECOND, START, Entry, robot, robot_bag, write_bag, write_mcap
from test.review.recordings import (
    CAMERA,
    COMPRESSED,
    OTHER,
    RATE,
    compressed,
    images_of,
    session,
    sound,
    write_session,
)
from test.review.served import Client, served


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('pages')
    write_session(folder / 'a', session(6.0))
    for name in ('b', 'c', 'd'):
        robot_bag(folder / name, 2.0)
    return folder


@pytest.fixture(scope='module')
def client(folder: Path) -> Iterator[Client]:
    with served(folder) as client:
        yield client


def container(body: bytes) -> Any:
    length = int.from_bytes(body[:4], 'little')
    return json.loads(body[4 : 4 + length])


def overview(client: Client, number: int) -> Any:
    """Ask until all has been read, as the page does."""
    for _ in range(200):
        found = container(client.ok(f'api/recordings/{number}/overview').body)
        if found['progress'] == 1:
            return found
        time.sleep(0.05)
    pytest.fail('the overview is never whole')


def test_the_page_of_a_recording(client: Client) -> None:
    page = client.ok('api/recordings/0').json
    assert page['name'] == 'a'
    assert page['duration'] == pytest.approx(6.0, abs=0.1)
    assert abs(int(page['start_ns']) - START) < SECOND
    assert page['signals'] == []
    assert [(c['id'], c['topic'], c['thumbs']) for c in page['cameras']] == [('image', CAMERA, [])]
    assert page['sound'] is True
    assert page['base'] == {'lane': None, 'title': ''}
    other = client.ok('api/recordings/1').json
    assert other['base'] == {'lane': 'truth', 'title': 'ground truth'}
    assert other['sound'] is False
    assert other['cameras'] == []


def test_the_overview_is_read_in_the_background(client: Client) -> None:
    client.ok('api/recordings/0')
    found = overview(client, 0)
    assert found['cameras'][0]['thumbs']
    assert {signal['topic'] for signal in found['signals']} >= {'/wrench'}


def test_samples_of_a_short_time(client: Client) -> None:
    found = container(client.ok('api/recordings/0/stretch?start=1&end=3').body)
    (stretch,) = next(s for s in found['signals'] if s['id'].startswith('wrench'))['stretches']
    assert stretch['offsets'][2] == pytest.approx(200, abs=2)


def test_every_image_is_the_recorded_one(client: Client, folder: Path) -> None:
    start = int(client.ok('api/recordings/0').json['start_ns'])
    for stamp, jpeg in images_of(open_recording(folder / 'a'), CAMERA):
        seconds = (stamp - start) / SECOND
        answer = client.ok(f'api/recordings/0/frame?camera=image&t={seconds + 0.01}')
        assert answer.headers['content-type'] == 'image/jpeg'
        assert answer.body == jpeg
        time_told = float(answer.headers['x-time'])
        assert round(time_told * SECOND) == stamp - start
        assert client.ok(f'api/recordings/0/frame?camera=image&t={time_told!r}').body == jpeg
    assert client.get('api/recordings/0/frame?camera=image&t=-1').status == 204
    assert client.get('api/recordings/0/frame?camera=none&t=1').status == 404


def test_sound_is_the_recorded_one(client: Client) -> None:
    start = int(client.ok('api/recordings/0').json['start_ns'])
    since = (START - start) / SECOND
    answer = client.ok(f'api/recordings/0/sound?start={since + 1}&end={since + 3}')
    assert answer.headers['content-type'] == 'audio/wav'
    with wave.open(io.BytesIO(answer.body)) as file:
        heard = file.readframes(file.getnframes())
    assert heard == sound(6.0)[1][RATE : 3 * RATE].tobytes()
    assert client.get('api/recordings/0/sound?start=100&end=101').status == 204
    assert client.get('api/recordings/1/sound?start=0&end=1').status == 204


def test_several_recordings_stay_open(client: Client) -> None:
    for number in (0, 1, 2, 3, 0, 3, 1):
        client.ok(f'api/recordings/{number}')
        assert overview(client, number)['progress'] == 1
    assert client.ok('api/recordings/0/frame?camera=image&t=1').body


def test_opening_another_recording_stops_the_reading(tmp_path: Path) -> None:
    for name in ('one', 'two'):
        write_session(tmp_path / name, session(20.0))
    with served(tmp_path) as client:
        client.ok('api/recordings/0')
        client.ok('api/recordings/1')
        time.sleep(0.2)
        first = client.ok('api/recordings/0/overview').body
        overview(client, 1)
        assert client.ok('api/recordings/0/overview').body == first
        client.ok('api/recordings/0')
        overview(client, 0)


def test_topics_that_are_given_are_shown(tmp_path: Path) -> None:
    write_session(tmp_path / 'one', session(1.0))
    topics = {'wide': TopicSpec('wide', OTHER, like='image'), 'sound': TopicSpec('sound', '')}
    with served(tmp_path, topics=topics) as client:
        page = client.ok('api/recordings/0').json
        assert {c['id']: c['topic'] for c in page['cameras']}['wide'] == OTHER
        assert page['sound'] is False
        assert client.ok('api/recordings/0/frame?camera=wide&t=0.5').body.startswith(b'\xff\xd8')


def test_a_recording_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write_bag(tmp_path / 'good', robot(1.0))
    (tmp_path / 'bad.mcap').write_bytes(b'nothing')
    with served(tmp_path) as client:
        for path in ('', '/overview', '/frame?camera=image&t=1', '/stretch?start=0&end=1'):
            answer = client.get(f'api/recordings/0{path}')
            assert answer.status == 409
            assert 'bad.mcap' in answer.error


def test_damage_in_the_middle_is_told_where_it_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(100_000)
    stamps = [START + k * SECOND // 10 for k in range(60)]
    images = [Entry(CAMERA, COMPRESSED, t, compressed(t, noise)) for t in stamps]
    file = write_mcap(tmp_path / 'one.mcap', images, chunk=200_000)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    file.write_bytes(data)
    with served(tmp_path) as client:
        assert client.ok('api/recordings/0').json['duration'] > 5
        for _ in range(100):
            answer = client.get('api/recordings/0/overview')
            if answer.status != 200:
                break
            time.sleep(0.05)
        assert answer.status == 409
        assert 'one' in answer.error
