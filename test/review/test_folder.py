# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is reviewed, and how far it is."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.bags.labels.layers import Provenance, annotations_of, write_layer
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.review.finding import find_reviewed
from test.cli.run import digest
from test.replay.recordings import SECOND, START, robot, robot_bag, write_bag
from test.review.recordings import session, write_labels, write_session
from test.review.served import served

SURE = [Segment(START, START + SECOND, 'reach', 0.9)]
UNSURE = [*SURE, Segment(START + SECOND, START + 2 * SECOND, 'push', 0.3)]
UNKNOWN = [*SURE, Segment(START + SECOND, START + 2 * SECOND, 'unknown', 0.9)]


def layer(path: Path, *, done: bool, confidence: float = 1.0) -> None:
    segments = [Segment(START, START + SECOND, 'reach', confidence)]
    write_layer(path, segments, LabelSet.of(['reach']), Provenance('Ada', '', 'test', done=done))


def recordings(answer: Any) -> dict[str, Any]:
    return {entry['name']: entry for entry in answer['recordings']}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording in each state, and what is none."""
    folder = tmp_path / 'folder'
    for name in ('bare', 'sure', 'unsure', 'unknown', 'started', 'done'):
        write_session(folder / name, session(2.0))
    write_labels(folder / 'sure_labels', SURE)
    write_labels(tmp_path / 'out' / 'unsure_labels', UNSURE)
    write_labels(tmp_path / 'out' / 'unknown_labels', UNKNOWN)
    write_labels(tmp_path / 'out' / 'done_labels', UNSURE)
    layer(folder / 'started', done=True)
    layer(folder / 'started', done=False, confidence=0.2)
    layer(folder / 'done', done=False)
    layer(folder / 'done', done=True)
    write_labels(folder / 'alone', SURE)
    shutil.copytree(folder / 'bare', folder / 'bare_labelled')
    (folder / 'broken.mcap').write_bytes(b'no recording')
    (folder / 'notes.txt').write_text('mine')
    return folder


def test_states_are_those_of_the_newest_layer_or_the_labels(folder: Path) -> None:
    before = digest(folder)
    with served(folder, labels=[folder.with_name('out')]) as client:
        answer = client.ok('api/folder').json
    found = recordings(answer)
    assert {name: entry['state'] for name, entry in found.items()} == {
        'bare': 'todo', 'sure': 'todo', 'unsure': 'doubtful', 'unknown': 'doubtful',
        'started': 'started', 'done': 'done', 'broken': 'unreadable',
    }  # fmt: skip
    assert answer['counts'] == {
        'done': 1, 'started': 1, 'doubtful': 2, 'todo': 2, 'unreadable': 1,
    }  # fmt: skip
    assert [entry['id'] for entry in answer['recordings']] == sorted(
        entry['id'] for entry in answer['recordings']
    )
    numbers = {name: (e['segments'], e['doubtful'], e['layers']) for name, e in found.items()}
    assert numbers == {
        'bare': (0, 0, 0), 'sure': (1, 0, 0), 'unsure': (2, 1, 0), 'unknown': (2, 1, 0),
        'started': (1, 1, 2), 'done': (1, 0, 2), 'broken': (0, 0, 0),
    }  # fmt: skip
    assert 'not an MCAP file' in found['broken']['problem']
    assert found['bare']['duration'] == pytest.approx(2.0, abs=0.1)
    assert answer['folder'] == 'folder'
    assert answer['annotator'] == 'Someone'
    assert {label['name'] for label in answer['labels']} >= {'reach', 'push'}
    assert answer['progress'] == 1.0
    assert digest(folder) == before


def test_a_label_set_that_is_given_counts_alone(folder: Path) -> None:
    offered = LabelSet(('a', 'b'), ('p', ''))
    with served(folder / 'bare', offered=offered) as client:
        labels = client.ok('api/folder').json['labels']
        page = client.ok('api/recordings/0').json
    assert [(label['name'], label['parent']) for label in labels] == [('a', 'p'), ('b', '')]
    assert labels == page['labels']
    assert all(label['colour'].startswith('#') for label in labels)


def test_a_layer_of_another_person_is_seen(folder: Path) -> None:
    with served(folder / 'bare', folder / 'sure') as client:
        assert client.ok('api/folder').json['counts']['todo'] == 2
        layer(folder / 'bare', done=True)
        assert client.ok('api/folder').json['counts']['done'] == 1
        shutil.rmtree(annotations_of(folder / 'bare'))
        assert client.ok('api/folder').json['counts']['done'] == 0


def test_a_merged_copy_counts_where_the_recording_is_not(tmp_path: Path) -> None:
    write_session(tmp_path / 'one_labelled', session(1.0))
    (found,) = find_reviewed([tmp_path], [], pytest.fail)
    assert found.name == 'one_labelled'
    write_session(tmp_path / 'one', session(1.0))
    (found,) = find_reviewed([tmp_path], [], pytest.fail)
    assert found.name == 'one'
    assert not found.labels


def test_a_recording_that_holds_its_truth_is_one(tmp_path: Path) -> None:
    robot_bag(tmp_path / 'one', 3.0)
    with served(tmp_path) as client:
        (found,) = client.ok('api/folder').json['recordings']
        page = client.ok('api/recordings/0').json
    assert found['state'] == 'todo'
    assert [lane['id'] for lane in page['lanes']] == ['truth']
    assert page['base']['lane'] == 'truth'


def test_recordings_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for day in ('monday', 'tuesday'):
        write_bag(tmp_path / day / 'run', robot(1.0))
    write_bag(tmp_path / 'other', robot(1.0))
    names = [one.name for one in find_reviewed([tmp_path], [], pytest.fail)]
    assert sorted(names) == ['monday/run', 'other', 'tuesday/run']


def test_labels_alone_are_nothing_to_review(tmp_path: Path) -> None:
    write_labels(tmp_path / 'bag' / 'one_labels', SURE)
    with served(tmp_path) as client:
        assert client.ok('api/folder').json['recordings'] == []
    (tmp_path / 'empty').mkdir()
    with pytest.raises(BagError, match='holds no recording'):
        find_reviewed([tmp_path / 'empty'], [], pytest.fail)


def test_labels_that_are_found_twice_count_once(tmp_path: Path) -> None:
    write_session(tmp_path / 'one', session(1.0))
    write_labels(tmp_path / 'out' / 'one_labels', SURE)
    (tmp_path / 'link').symlink_to(tmp_path / 'out')
    given = [tmp_path / 'out', tmp_path / 'link', tmp_path / 'out' / 'one_labels']
    (found,) = find_reviewed([tmp_path], given, pytest.fail)
    assert len(found.labels) == 1


def test_the_list_is_answered_before_all_has_been_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('m2r2_ros.review.folder._PATIENCE', 0.2)
    real = __import__('m2r2_ros.review.folder', fromlist=['_']).open_recording

    def slow(path: Path) -> Any:
        time.sleep(0.3)
        return real(path)

    monkeypatch.setattr('m2r2_ros.review.folder.open_recording', slow)
    with served(folder) as client:
        answer = client.ok('api/folder').json
        assert 0 <= answer['progress'] < 1
        assert len(answer['recordings']) == 8
        while client.ok('api/folder').json['progress'] < 1:
            pass
        assert len(client.ok('api/folder').json['recordings']) == 7


def test_names_from_files_are_text(tmp_path: Path) -> None:
    name = '<script>alert(1)<b>'
    write_bag(tmp_path / name, robot(1.0))
    write_labels(tmp_path / f'{name}_labels', [Segment(START, START + SECOND, '=cmd()"\'<img>')])
    with served(tmp_path) as client:
        answer = client.ok('api/folder')
        page = client.ok('api/recordings/0')
    assert answer.json['recordings'][0]['name'] == name
    assert page.json['labels'][0]['name'] == '=cmd()"\'<img>'
    assert answer.headers['content-type'] == page.headers['content-type'] == 'application/json'


def test_a_bag_of_truth_alone_is_no_recording(tmp_path: Path) -> None:
    layer(write_session(tmp_path / 'one', session(1.0)), done=True)
    shutil.copytree(next(annotations_of(tmp_path / 'one').glob('*/')), tmp_path / 'truth')
    with served(tmp_path) as client:
        assert list(recordings(client.ok('api/folder').json)) == ['one']
