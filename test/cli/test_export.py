# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export` from its options to its files; test/export compares what is in them."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from pympi.Elan import Eaf

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.cli.export import FORMATS
from m2r2_ros.cli.lazy import Imported
from m2r2_ros.training.feature_set import read_feature_set
from test.cli.run import Result, digest, done, m2r2
from test.export.workshop import CAMERA, SEGMENTS, label_bag, workshop
from test.replay.recordings import robot, write_bag

#: Formats of segments, and what each writes for a recording called one.
WRITTEN = {
    'elan': ['one.eaf'],
    'label-studio': ['config.xml', 'tasks.json'],
    'atlas': ['annotations/m2r2_annotations.json', 'bags/one/one.db3', 'm2r2.yaml'],
    'ms-tcn': ['groundTruth/one.txt', 'mapping.txt', 'splits/train.split1.bundle'],
    'coco': ['segments.json'],
    'foxglove': ['events.ndjson', 'one_events/one_events_0.mcap'],
    'clips': ['clips.csv', 'clips.json', 'one_0000_reach/one_0000_reach_0.mcap'],
}
each = pytest.mark.parametrize('kind', WRITTEN)


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings one and two with labels; not to be written to."""
    folder = tmp_path_factory.mktemp('bags')
    workshop(folder / 'one', SEGMENTS[:3])
    workshop(folder / 'two', SEGMENTS[:2], seconds=2.0)
    return folder


def export(kind: str, *arguments: object) -> Result:
    return m2r2('export', kind, *arguments)


def test_the_list_of_formats_says_what_their_own_help_says() -> None:
    for name, command in Imported(FORMATS).items():
        first = command.help.split('\n\n')[0].replace('\n', ' ')
        assert first == FORMATS[name].help, name
    listed = done('export', '--help').out
    assert all(name in listed for name in FORMATS)


def test_help_of_one_format_needs_no_library_of_another() -> None:
    """Nor its own."""
    tell = (
        'import sys; from m2r2_ros.cli.export import FORMATS\n'
        'from m2r2_ros.cli.lazy import Imported\n'
        'assert len(Imported(FORMATS).items()) == len(FORMATS)\n'
        'print(sorted({"av", "cv2", "pyarrow", "pympi", "rosbags", "sqlite3"} & {*sys.modules}))'
    )
    command = [sys.executable, '-c', tell]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == '[]'


@each
def test_what_a_format_writes(bags: Path, tmp_path: Path, kind: str) -> None:
    before = digest(bags)
    result = done('export', kind, bags, '--out', tmp_path / 'out')
    assert '2 recordings' in result.out or '2 ELAN files' in result.out or '2 tasks' in result.out
    for file in WRITTEN[kind]:
        assert (tmp_path / 'out' / file).is_file(), file
    leftover = [
        p for p in (tmp_path / 'out').rglob('*') if p.suffix in {'.partial', '.bak', '.lock'}
    ]
    assert not leftover
    assert digest(bags) == before


@each
def test_what_fails_is_told_and_the_others_are_exported(
    bags: Path, tmp_path: Path, kind: str
) -> None:
    plain = write_bag(tmp_path / 'plain', robot(1.0))
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(b'no recording' * 10)
    result = export(kind, bags / 'one', plain, broken, '--out', tmp_path / 'out')
    assert '2 of 3 recordings could not be exported' in result.error
    assert 'plain' in result.error
    assert 'broken.mcap' in result.error
    for file in WRITTEN[kind]:
        assert (tmp_path / 'out' / file).is_file(), file


@pytest.mark.parametrize('kind', ['elan', 'coco', 'clips'])
def test_without_anything_to_export_nothing_is_left(tmp_path: Path, kind: str) -> None:
    plain = write_bag(tmp_path / 'plain', robot(1.0))
    result = export(kind, plain, '--out', tmp_path / 'out')
    assert '1 of 1 recordings could not be exported' in result.error
    assert not [p for p in (tmp_path / 'out').rglob('*') if p.is_file()]


@each
def test_existing_outputs_stay_unless_they_are_to_be_replaced(
    bags: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / 'out'
    arguments = (bags / 'one', '--out', out)
    done('export', kind, *arguments)
    for name in ('clips.csv', 'clips.json'):
        (out / name).unlink(missing_ok=True)
    kept = digest(out)
    again = export(kind, *arguments)
    if kind in ('elan', 'clips'):  # which go on where they were
        assert again.code == 0
    else:
        assert 'replace it with --overwrite' in again.error
    assert {f: h for f, h in digest(out).items() if f in kept} == kept
    if kind == 'elan':
        assert '1 are there already' in again.err
        (out / 'one.eaf').write_text('')
    done('export', kind, *arguments, '--overwrite')
    if kind == 'elan':
        assert (out / 'one.eaf').stat().st_size > 1000


@pytest.mark.parametrize('kind', ['elan', 'coco'])
def test_outputs_are_never_written_into_a_recording(bags: Path, tmp_path: Path, kind: str) -> None:
    bag = workshop(tmp_path / 'bag', SEGMENTS[:1], seconds=1.0)
    assert 'never changed' in export(kind, bag, '--out', bag / 'out').error
    assert sorted(p.name for p in bag.iterdir()) == ['bag_0.mcap', 'metadata.yaml']


def test_segments_are_chosen_by_options(bags: Path, tmp_path: Path) -> None:
    chosen = ['--label', 'handle', '--outcome', 'failure', '--min-duration', '0.01']
    bounds = ['--max-duration', '0.1', '--min-confidence', '0.2']
    done('export', 'coco', bags / 'one', '--out', tmp_path, *chosen, *bounds)
    content = json.loads((tmp_path / 'segments.json').read_text(encoding='utf-8'))
    (one,) = content['annotations']
    assert one['segment_ns'] == [SEGMENTS[1].start, SEGMENTS[1].end]
    assert 'no label grasp' in export(
        'clips', bags / 'one', '--label', 'grasp', '--out', tmp_path / 'clips'
    ).error  # fmt: skip
    none = done('export', 'clips', bags / 'one', '--min-duration', 99, '--out', tmp_path / 'none')
    assert 'one: no segment is as asked for' in none.err


def test_layers_of_elan_and_their_video(bags: Path, tmp_path: Path) -> None:
    for who in ('anna', 'bo'):
        label_bag(tmp_path / who / 'one_labels', SEGMENTS[:2], who)
    layers = ['--labels', tmp_path / 'anna', '--labels', tmp_path / 'bo']
    films = ['--camera', CAMERA, '--fps', 10, '--media', 'https://host/{name}.webm']
    done('export', 'elan', bags / 'one', *layers, *films, '--out', tmp_path / 'out')
    file = Eaf(str(tmp_path / 'out' / 'one.eaf'))
    assert {'anna', 'bo', 'anna coarse', 'bo coarse'} == set(file.get_tier_names())
    places = [media['MEDIA_URL'] for media in file.media_descriptors]
    assert places == ['https://host/one.webm', './one.mp4']
    with av.open(str(tmp_path / 'out' / 'one.mp4')) as film:
        assert film.streams.video[0].frames == 40


def test_parts_of_ms_tcn_are_read_by_the_trainer(bags: Path, tmp_path: Path) -> None:
    done('export', 'ms-tcn', bags / 'one', '--test', bags / 'two', '--fps', 20, '--out', tmp_path)
    (tmp_path / 'features').mkdir()
    for name in ('one', 'two'):
        lines = (tmp_path / 'groundTruth' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
        np.save(tmp_path / 'features' / f'{name}.npy', np.zeros((2, len(lines)), np.float32))
    found = read_feature_set(tmp_path)
    assert {part: [t.name for t in own] for part, own in found.parts.items()} == {
        'train': ['one'], 'val': [], 'test': ['two'],
    }  # fmt: skip


def test_signals_instead_of_a_video(bags: Path, tmp_path: Path) -> None:
    done('export', 'label-studio', bags / 'one', '--signals', '--fps', 20, '--out', tmp_path)
    with (tmp_path / 'one.csv').open(encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    steps = np.diff([float(row['time']) for row in rows])
    assert steps == pytest.approx(0.05, abs=1e-5)
    assert len(rows) > 70
    forces = [float(row['wrench_force_z']) for row in rows]
    assert min(forces) < -15 < max(forces)
    config = (tmp_path / 'config.xml').read_text(encoding='utf-8')
    assert '<Channel column="wrench_force_z"' in config
    wrong = export(
        'label-studio', bags / 'one', '--signals', '--camera', CAMERA, '--out', tmp_path / 'b'
    )
    assert 'leave out --camera' in wrong.error


def test_annotations_of_atlas_are_taken_for_labels(bags: Path, tmp_path: Path) -> None:
    done('export', 'atlas', bags, '--no-copy', '--dataset', 'cell', '--out', tmp_path)
    assert not (tmp_path / 'bags').exists()
    path = tmp_path / 'annotations' / 'cell_annotations.json'
    done('export', 'coco', bags, '--labels', path, '--out', tmp_path / 'coco')
    content = json.loads((tmp_path / 'coco' / 'segments.json').read_text(encoding='utf-8'))
    spans = [one['segment_ns'] for one in content['annotations']]
    assert spans == [[s.start, s.end] for s in (*SEGMENTS[:3], *SEGMENTS[:2])]
    done('export', 'clips', bags, '--labels', path, '--out', tmp_path / 'clips')
    done('export', 'elan', bags, '--labels', path, '--out', tmp_path / 'elan')
    elan = ['--labels', tmp_path / 'elan', '--out', tmp_path / 'tasks']
    done('export', 'label-studio', bags, *elan)
    tasks = json.loads((tmp_path / 'tasks' / 'tasks.json').read_text(encoding='utf-8'))
    labels = [r['value']['timelinelabels'] for t in tasks for r in t['annotations'][0]['result']]
    assert labels == [[s.label] for s in (*SEGMENTS[:3], *SEGMENTS[:2])]
    assert 'a name that a file can have' in export(
        'atlas', bags, '--dataset', '../x', '--out', tmp_path / 'b'
    ).error  # fmt: skip


def test_clips_as_bags_and_as_films(bags: Path, tmp_path: Path) -> None:
    done('export', 'clips', bags / 'one', '--topic', '/wrench', '--pad', 0.1, '--out', tmp_path)
    topics = set(open_recording(tmp_path / 'one_0000_reach').topics)
    assert topics == {'/wrench', '/ground_truth/label_set', '/ground_truth/action_segment'}
    films = ['--as', 'mp4', '--camera', CAMERA, '--fps', 10, '--label', 'reach']
    done('export', 'clips', bags / 'one', *films, '--out', tmp_path)
    with av.open(str(tmp_path / 'one_0000_reach.mp4')) as film:
        assert film.streams.video[0].frames == 13
    rows = json.loads((tmp_path / 'clips.json').read_text(encoding='utf-8'))
    assert [row['path'] for row in rows] == [
        'one_0000_reach',
        'one_0000_reach.mp4',
        'one_0001_把持-grip',
        'one_0002_push-turn',
    ]
    wrong = export('clips', bags / 'one', '--camera', CAMERA, '--out', tmp_path)
    assert '--camera for --as mp4' in wrong.error


@pytest.mark.parametrize(
    ('kind', 'library', 'extra'),
    [('elan', 'pympi', 'elan'), ('clips --as mp4', 'av', 'lerobot')],
)
def test_what_is_not_installed_is_told(
    bags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    result = m2r2('export', *kind.split(), bags / 'one', '--out', tmp_path / 'out')
    assert f'this needs {library}' in result.error
    assert f"pip install 'm2r2_ros[{extra}]'" in result.error
