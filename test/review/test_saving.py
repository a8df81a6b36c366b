# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a person saves is on the disk, beside all that was saved before."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.bags.labels.layers import annotations_of, layers_of
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.labels.sources import own_truth
from m2r2_ros.core.labels import Segment
from m2r2_ros.review.session.saving import with_outcomes
from test.cli.run import digest
from test.hostile.disks import small_disk
from test.replay.recordings import SECOND, START
from test.review.recordings import film, session, write_labels, write_session
from test.review.served import LAYER, Client, served

LABELS = [
    Segment(START, START + SECOND, 'reach', 0.9),
    Segment(START + SECOND, START + 3 * SECOND, 'push', 0.4),
]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = write_session(tmp_path / 'folder' / 'one', session(4.0))
    write_labels(tmp_path / 'folder' / 'one_labels', LABELS)
    return path


@pytest.fixture
def client(recording: Path) -> Iterator[Client]:
    with served(recording.parent) as client:
        yield client


def test_a_layer_is_what_was_sent(client: Client, recording: Path) -> None:
    before = digest(recording.parent)
    page = client.ok('api/recordings/0').json
    start = int(page['start_ns'])
    assert page['base'] == {'lane': 'labels:0', 'title': 'labels'}
    answer = client.save(0, **{'from': 'labels:0'})
    assert answer.status == 201
    (layer,) = layers_of(recording)
    truth = read_truth(layer.path)
    assert truth.segments == [
        Segment(start, start + SECOND, 'reach', 1.0),
        Segment(start + SECOND, start + 2 * SECOND, 'push', float(np.float32(0.4))),
    ]
    assert truth.label_set is not None
    assert truth.label_set.names == ('reach', 'push')
    assert truth.label_set.parents == ('move', '')
    p = layer.provenance
    assert (p.annotator, p.corrected_from, p.done, p.edits, p.seconds) == (
        'Ada', 'labels one_labels', True, 3, 12.5,
    )  # fmt: skip
    assert p.tool.startswith('m2r2 review')
    assert own_truth(recording).path == layer.path
    lane = answer.json['lane']
    assert lane['kind'] == 'layer'
    assert [row[:3] for row in lane['segments']] == [[0, SECOND, 0], [SECOND, 2 * SECOND, 1]]
    assert answer.json['folder']['recordings'][0]['state'] == 'done'
    assert before.items() < digest(recording.parent).items()
    assert len(client.log) == 1
    assert str(layer.path) in client.log[0]
    assert client.ok('api/recordings/0').json['base']['lane'] == lane['id']


def test_no_layer_replaces_another(client: Client, recording: Path) -> None:
    first = client.save(0, done=False).json['lane']['id']
    kept = digest(annotations_of(recording))
    second = client.save(0, **{'from': first}).json['lane']['id']
    assert first != second
    assert kept.items() < digest(annotations_of(recording)).items()
    one, other = layers_of(recording)
    assert other.provenance.corrected_from == f'layer {one.name}'
    assert [layer.provenance.done for layer in (one, other)] == [False, True]


def test_layers_of_two_at_once_are_two(client: Client, recording: Path) -> None:
    with served(recording.parent) as other, ThreadPoolExecutor(8) as pool:
        saves = [
            pool.submit(who.save, 0, annotator=f'{name} {k}')
            for k in range(4)
            for name, who in (('Ada', client), ('Bob', other))
        ]
        answers = [save.result() for save in saves]
        assert [a.status for a in answers] == [201] * 8, answers
    layers = layers_of(recording)
    assert len({layer.path for layer in layers}) == 8
    assert len({layer.provenance.annotator for layer in layers}) == 8
    assert all(len(read_truth(layer.path).segments) == 2 for layer in layers)


def test_names_are_kept_as_text(client: Client, recording: Path) -> None:
    names = ['<script>alert(1)</script>', '=cmd()|x', '</script>', '../../x', 'a,"b"\n', '🦾', '']
    labels = [{'name': name, 'parent': name[::-1]} for name in names[:-1]]
    segments = [[k * SECOND // 4, (k + 1) * SECOND // 4, k, 1, True] for k in range(len(labels))]
    answer = client.save(labels=labels, segments=segments, annotator='../<b>&=x\n\x1b[2J')
    assert answer.status == 201, answer
    (layer,) = layers_of(recording)
    assert layer.path.parent == annotations_of(recording)
    assert [s.label for s in read_truth(layer.path).segments] == names[:-1]
    assert '\x1b' not in layer.provenance.annotator
    table = layer.path.with_name(layer.name + '.csv').read_text()
    assert "'=cmd()" in table
    assert client.save(labels=[{'name': '', 'parent': ''}], segments=[]).status == 400


def row(*changes: Any) -> list[Any]:
    return list(changes)


@pytest.mark.parametrize(
    ('changes', 'word'),
    [
        ({'annotator': 3}, 'annotator'),
        ({'annotator': 'x' * 300}, 'annotator'),
        ({'annotator': '\udcff'}, 'annotator'),
        ({'done': 1}, 'done'),
        ({'done': 'true'}, 'done'),
        ({'edits': -1}, 'edits'),
        ({'edits': 1.5}, 'edits'),
        ({'edits': True}, 'edits'),
        ({'edits': 10**30}, 'edits'),
        ({'seconds': -0.1}, 'seconds'),
        ({'seconds': 'x'}, 'seconds'),
        ({'seconds': 10**40}, 'seconds'),
        ({'from': None}, 'from'),
        ({'from': 'layer:none'}, 'from'),
        ({'from': '../../etc/passwd'}, 'from'),
        ({'labels': None}, 'labels'),
        ({'labels': {}}, 'labels'),
        ({'labels': ['reach']}, 'labels[0]'),
        ({'labels': [{'name': 1}]}, 'labels[0].name'),
        ({'labels': [{'name': 'a', 'parent': []}]}, 'labels[0].parent'),
        ({'labels': [{'name': 'a'}, {'name': 'a'}]}, 'differ'),
        ({'labels': [{'name': 'a' * 257}]}, '256'),
        ({'labels': [{'name': 'a', 'parent': 'a' * 257}]}, '256'),
        ({'labels': [{'name': 'a\0'}]}, 'NUL'),
        ({'labels': [{'name': '\ud800'}]}, 'Unicode'),
        ({'labels': [{'name': str(k)} for k in range(4097)]}, '4096'),
        ({'segments': None}, 'segments'),
        ({'segments': {}}, 'segments'),
        ({'segments': [3]}, 'segments[0]'),
        ({'segments': [[]]}, 'segments[0]'),
        ({'segments': [row(0, SECOND, 0, 1)]}, 'segments[0]'),
        ({'segments': [row(0, SECOND, 0, 1, True, 0)]}, 'segments[0]'),
        ({'segments': [row(0.0, SECOND, 0, 1, True)]}, 'whole'),
        ({'segments': [row('0', SECOND, 0, 1, True)]}, 'whole'),
        ({'segments': [row(False, SECOND, 0, 1, True)]}, 'whole'),
        ({'segments': [row(None, SECOND, 0, 1, True)]}, 'whole'),
        ({'segments': [row(SECOND, SECOND, 0, 1, True)]}, 'ends after its start'),
        ({'segments': [row(SECOND, 0, 0, 1, True)]}, 'ends after its start'),
        ({'segments': [row(-SECOND, SECOND, 0, 1, True)]}, 'within'),
        ({'segments': [row(0, 3600 * SECOND, 0, 1, True)]}, 'within'),
        ({'segments': [row(0, 10**300, 0, 1, True)]}, 'within'),
        ({'segments': [row(-(10**300), 1, 0, 1, True)]}, 'within'),
        ({'segments': [row(9, SECOND, 0, 1, True), row(3, 9, 0, 1, True)]}, 'in order'),
        ({'segments': [row(0, SECOND, 2, 1, True)]}, 'label'),
        ({'segments': [row(0, SECOND, -2, 1, True)]}, 'label'),
        ({'segments': [row(0, SECOND, 0.0, 1, True)]}, 'label'),
        ({'segments': [row(0, SECOND, True, 1, True)]}, 'label'),
        ({'segments': [row(0, SECOND, 'reach', 1, True)]}, 'label'),
        ({'segments': [row(0, SECOND, 0, 1.1, True)]}, 'confidence'),
        ({'segments': [row(0, SECOND, 0, -0.1, True)]}, 'confidence'),
        ({'segments': [row(0, SECOND, 0, 'x', True)]}, 'confidence'),
        ({'segments': [row(0, SECOND, 0, 1, 1)]}, 'accepted'),
        ({'segments': [row(0, SECOND, 0, 1, None)]}, 'accepted'),
        ({'segments': [row(0, SECOND, -1, 1, True)] * 100_001}, '100000'),
    ],
)
def test_what_is_not_as_it_has_to_be_is_refused_by_name(
    changes: dict[str, Any], word: str, shared: tuple[Client, Path]
) -> None:
    client, recording = shared
    answer = client.save(**changes)
    assert answer.status == 400
    assert word in answer.error
    assert len(answer.error) < 2000
    assert not layers_of(recording)


@pytest.mark.parametrize(
    'body',
    [
        b'', b'{', b'[]', b'null', b'3', b'"x"', b'\xff', b'{"annotator": NaN}', b'[' * 100_000,
        b'{"a":' * 50_000, b'{"seconds": Infinity}', b'1' * 10_000,
        b'{"edits": %s}' % (b'9' * 9999),
        b'\x00', '{}'.encode('utf-16'), json.dumps({**LAYER, 'seconds': float('nan')}).encode(),
    ],
)  # fmt: skip
def test_bodies_that_are_no_layer_are_refused(body: bytes, shared: tuple[Client, Path]) -> None:
    client, recording = shared
    answer = client.post('api/recordings/0/layers', body)
    assert answer.status == 400
    assert answer.error
    assert not layers_of(recording)


@pytest.mark.parametrize('key', LAYER)
def test_all_entries_have_to_be_there(key: str, shared: tuple[Client, Path]) -> None:
    client, _ = shared
    rest = {name: value for name, value in LAYER.items() if name != key}
    answer = client.post('api/recordings/0/layers', rest)
    assert answer.status == 400
    assert key in answer.error


@pytest.fixture(scope='module')
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    path = write_session(tmp_path_factory.mktemp('shared') / 'one', session(4.0))
    with served(path.parent) as client:
        yield client, path


def test_without_a_name_the_annotator_is_that_of_the_server(
    client: Client, recording: Path
) -> None:
    assert client.save(annotator=' ').status == 201
    assert layers_of(recording)[0].provenance.annotator == 'Someone'


def test_segments_may_reach_as_far_as_labels_do(tmp_path: Path) -> None:
    path = write_session(tmp_path / 'one', film('/camera', [START, START + SECOND]))
    write_labels(tmp_path / 'one_labels', [Segment(START - SECOND, START + 2 * SECOND, 'reach')])
    with served(tmp_path) as client:
        ((start, end, *_),) = client.ok('api/recordings/0').json['lanes'][0]['segments']
        assert start < 0
        assert client.save(segments=[[start, end, 0, 1, True]]).status == 201
        assert client.save(segments=[[start - SECOND, end, 0, 1, True]]).status == 400
    assert read_truth(layers_of(path)[0].path).segments[0].start == START - SECOND


def test_a_full_disk_is_told_and_leaves_nothing(
    client: Client, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    assert client.save(0).status == 201
    kept = digest(annotations_of(recording))
    with monkeypatch.context() as patch:
        patch.setattr('m2r2_ros.review.session.saving.write_layer', full)
        answer = client.save(0)
    assert answer.status == 507
    assert 'No space left' in answer.error
    assert digest(annotations_of(recording)) == kept
    with small_disk(300):
        answer = client.save(0)
    assert answer.status == 507
    assert 'not saved' in answer.error
    assert digest(annotations_of(recording)) == kept
    assert client.save(0).status == 201
    assert len(layers_of(recording)) == 2


def test_a_folder_that_cannot_be_written_is_told(client: Client, recording: Path) -> None:
    annotations_of(recording).write_text('mine')
    answer = client.save(0)
    assert answer.status == 507
    assert annotations_of(recording).read_text() == 'mine'


def test_a_recording_that_is_gone_is_told(client: Client, recording: Path) -> None:
    client.ok('api/recordings/0')
    recording.rename(recording.with_name('moved'))
    answer = client.save(0)
    assert answer.status in {409, 507}
    assert 'one' in answer.error


def test_what_was_saved_outlives_a_killed_server(recording: Path) -> None:
    command = [sys.executable, '-m', 'm2r2_ros.cli.main', 'review', str(recording.parent)]
    server = subprocess.Popen(
        [*command, '--no-browser', '--port', '0'], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        client = Client(server.stdout.readline().strip())
        assert client.save(0, annotator='before').status == 201
        os.kill(server.pid, signal.SIGKILL)
    finally:
        server.kill()
        server.wait()
    (layer,) = layers_of(recording)
    assert layer.provenance.annotator == 'before'
    assert len(read_truth(layer.path).segments) == 2
    with served(recording.parent) as again:
        assert again.save(0).status == 201
    assert len(layers_of(recording)) == 2


def test_what_was_known_of_success_is_kept() -> None:
    base = [Segment(0, 10, 'a', success=True), Segment(10, 20, 'b', success=False)]
    made = [Segment(1, 9, 'a'), Segment(9, 12, 'c'), Segment(12, 25, 'b'), Segment(30, 40, 'a')]
    assert [s.success for s in with_outcomes(made, base)] == [True, None, False, None]
