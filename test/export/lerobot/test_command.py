# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.labels import label_at
from m2r2_ros.readers.image import decode_compressed
from test.cli.run import digest, done, m2r2
from test.export.frames.numbered import (
    COMMAND,
    HAND,
    RATE,
    RAW,
    SIDE,
    START,
    TRUTH,
    camera,
    commands,
    every,
    forces,
    jpeg,
    messages,
    number_in,
    part,
    raw_camera,
    write,
)
from test.export.lerobot.readback import (
    episodes,
    frames,
    info,
    origins,
    pictures,
    stats,
    texts,
)
from test.replay.recordings import Entry
from test.review.recordings import compressed, write_labels

HAND_KEY = 'observation.images.hand_camera'
STATE = 'observation.state'


@pytest.fixture(scope='module')
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings with labels of their own; not to be written to."""
    folder = tmp_path_factory.mktemp('shop floor') / 'aufnahmen ü'
    for k, name in enumerate(('first', 'second')):
        entries = [*messages(4.0 - k, 100 * k), *commands(every(10, 4.0 - k))]
        write(folder / name, entries)
    return folder


@pytest.fixture(scope='module')
def exported(recordings: Path) -> Path:
    """Both as one data set."""
    out = recordings.parent / 'data set'
    done('export', 'lerobot', recordings, '--out', out)
    return out


def test_frames_are_those_of_the_recordings(exported: Path) -> None:
    table = frames(exported)
    assert table['frame_index'] == [*range(80), *range(60)]
    assert table['episode_index'] == [0] * 80 + [1] * 60
    assert table['index'] == list(range(140))
    assert table['stamp_ns'] == every(RATE, 4.0) + every(RATE, 3.0)
    times = np.array(table['timestamp'], np.float32)
    assert (times == (np.array(table['frame_index']) / RATE).astype(np.float32)).all()
    names = info(exported)['features'][STATE]['names']
    assert [n for n in names if 'force' in n or 'joints' in n] == [
        'wrench.force_x', 'wrench.force_y', 'wrench.force_z', 'joints.left.pos', 'joints.right.pos',
    ]  # fmt: skip
    forces_read = [row[0] for row in table[STATE][:70]]
    assert forces_read == pytest.approx([k / RATE for k in range(70)], abs=1e-3)
    assert [row[0] for row in table['action'][:4]] == [0, 0, 1, 1]


def test_videos_hold_the_images_of_each_episode(exported: Path) -> None:
    first, second = episodes(exported)
    assert [number_in(image) for image in pictures(exported, HAND_KEY, first)] == list(range(80))
    assert [number_in(i) for i in pictures(exported, HAND_KEY, second)] == list(range(100, 160))
    assert second[f'videos/{HAND_KEY}/from_timestamp'] == 4.0


def test_labels_are_subtasks_and_are_kept_to_the_nanosecond(exported: Path) -> None:
    names, table = texts(exported, 'subtask'), frames(exported)
    assert names == ['ein fügen', 'pick', 'unknown']
    stamps = np.array(table['stamp_ns'])
    expected = [label or 'unknown' for label in label_at(TRUTH, stamps)]
    assert [names[k] for k in table['subtask_index']] == expected
    tasks = texts(exported, 'task')
    assert [tasks[k] for k in table['task_index']] == expected  # there is no coarse level
    (first, second) = origins(exported)
    assert [(s['start_ns'], s['end_ns'], s['label']) for s in first['segments']] == [
        (s.start, s.end, s.label) for s in TRUTH
    ]
    assert [s['success'] for s in second['segments']] == [True, False, True]
    assert (first['recording'], first['labels']['origin']) == ('first', 'imported')
    assert (first['first_stamp_ns'], second['episode_index']) == (START, 1)


def test_metadata_says_what_is_there(exported: Path) -> None:
    found = info(exported)
    assert (found['codebase_version'], found['fps']) == ('v3.0', RATE)
    assert (found['total_episodes'], found['total_frames']) == (2, 140)
    assert found['features'][HAND_KEY]['shape'] == [48, 160, 3]
    assert found['features'][HAND_KEY]['info']['video.codec'] == 'h264'
    columns = {k for k, f in found['features'].items() if f['dtype'] != 'video'}
    assert columns == set(frames(exported))
    assert set(stats(exported)) == set(found['features'])
    first, second = episodes(exported)
    assert (first['dataset_from_index'], first['dataset_to_index']) == (0, 80)
    assert (second['dataset_from_index'], second['length']) == (80, 60)
    assert first['tasks'] == ['pick', 'ein fügen', 'unknown']
    assert first[f'stats/{STATE}/min'][0] == 0.0
    assert str(exported.parent) not in (exported / 'meta' / 'm2r2_episodes.jsonl').read_text()


def test_statistics_are_those_of_the_frames(exported: Path) -> None:
    states = np.array(frames(exported)[STATE])
    found = stats(exported)[STATE]
    assert found['count'] == [140]
    assert found['mean'] == pytest.approx(states.mean(axis=0), rel=1e-5, abs=1e-6)
    assert found['std'] == pytest.approx(states.std(axis=0), rel=1e-5, abs=1e-6)
    assert found['q50'] == pytest.approx(np.median(states, axis=0), rel=0.05, abs=1e-6)
    assert stats(exported)['stamp_ns']['min'] == [START]
    assert 0 < np.array(stats(exported)[HAND_KEY]['mean']).mean() < 1


def test_validators_find_nothing_wrong(exported: Path) -> None:
    doctor = [sys.executable, '-m', 'lerobot_doctor.cli', 'check', str(exported), '--json']
    ran = subprocess.run(doctor, check=False, capture_output=True, text=True)
    report = json.loads(ran.stdout)
    failed = [check for check in report['checks'] if check['severity'].upper() == 'FAIL']
    assert not failed
    checked = exported.parent / 'rdq.json'
    rdq = [sys.executable, '-m', 'rdq.cli', 'check', str(exported), '--json', str(checked)]
    subprocess.run(rdq, check=False, capture_output=True)
    findings = json.loads(checked.read_text())['findings']
    assert not [f for f in findings if f['severity'].upper() == 'CRITICAL']


def test_episodes_of_segments(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    done('export', 'lerobot', recordings / 'first', '--out', out, '--episodes', 'segment')
    assert [e['length'] for e in episodes(out)] == [20, 20, 14]
    assert [o['success'] for o in origins(out)] == [True, False, True]
    numbers = [[number_in(i) for i in pictures(out, HAND_KEY, e)] for e in episodes(out)]
    assert [(n[0], n[-1]) for n in numbers] == [(0, 19), (20, 39), (50, 63)]
    assert frames(out)['frame_index'][:22] == [*range(20), 0, 1]
    out = tmp_path / 'good'
    done('export', 'lerobot', recordings / 'first', '--out', out, '--episodes', 'success')
    assert [e['length'] for e in episodes(out)] == [20, 14]


def test_language_rows(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    options = ('--language', '--task', 'assemble it', '--per-sensor', '--robot', 'arm')
    done('export', 'lerobot', recordings / 'first', '--out', out, *options)
    table = frames(out)
    assert all(rows == table['language_persistent'][0] for rows in table['language_persistent'])
    rows = [(row['timestamp'], row['content']) for row in table['language_persistent'][0]]
    assert rows == [
        (0.0, 'pick'),
        (1.0, 'ein fügen'),
        (2.0, 'unknown'),
        (2.5, 'pick'),
        (pytest.approx(3.2), 'unknown'),
    ]
    assert {row['style'] for row in table['language_persistent'][0]} == {'subtask'}
    assert info(out)['features']['language_persistent']['dtype'] == 'language'
    assert (info(out)['robot_type'], texts(out, 'task')) == ('arm', ['assemble it'])
    assert len(table['observation.wrench'][0]) == 6


def test_images_stay_as_they_were_recorded(tmp_path: Path) -> None:
    stamps = every(RATE, 1.0)
    entries = [*camera(HAND, stamps), *raw_camera(RAW, stamps), *forces(every(50, 1.0))]
    write(tmp_path / 'a', entries)
    out = tmp_path / 'out'
    done('export', 'lerobot', tmp_path / 'a', '--out', out, '--images')
    table = frames(out)
    assert [row['bytes'] for row in table[HAND_KEY]] == [jpeg(k) for k in range(20)]
    png = table['observation.images.raw'][7]['bytes']
    assert decode_compressed(png)[0, 0].tolist() == [7, 0, 1]
    assert info(out)['features']['observation.images.raw']['shape'] == [5, 7, 3]
    assert info(out)['video_path'] is None


@pytest.mark.parametrize('codec', ['av1', 'hevc'])
def test_other_codecs(recordings: Path, tmp_path: Path, codec: str) -> None:
    out = tmp_path / 'out'
    options = ('--codec', codec, '--episodes', 'segment', '--fps', '10')
    done('export', 'lerobot', recordings / 'first', '--out', out, *options)
    numbers = [[number_in(i) for i in pictures(out, HAND_KEY, e)] for e in episodes(out)]
    assert numbers[0] == list(range(0, 20, 2))
    assert numbers[1] == list(range(20, 40, 2))


def test_the_next_state_as_action(tmp_path: Path) -> None:
    write(tmp_path / 'a', messages())
    out = tmp_path / 'out'
    options = ('--action', 'next-state', '--episodes', 'segment')
    done('export', 'lerobot', tmp_path / 'a', '--out', out, *options)
    table = frames(out)
    joints = [row[-2:] for row in table[STATE]]
    assert [number_in(i) for i in pictures(out, HAND_KEY, episodes(out)[0])] == list(range(20))
    for _, rows in groupby(range(len(joints)), key=lambda k: int(table['episode_index'][k])):
        own = list(rows)
        assert [table['action'][k] for k in own] == [joints[k] for k in [*own[1:], own[-1]]]


def test_what_fails_is_told_and_leaves_the_others(recordings: Path, tmp_path: Path) -> None:
    bags = tmp_path / 'bags'
    stamps = every(RATE, 2.0)
    write(bags / 'good', messages(2.0))
    # Another size in the middle: what was written of it before is gone.
    sizes = [
        *camera(HAND, stamps[:30]),
        *camera(HAND, stamps[30:], 30, (176, 48)),
        *[e for e in messages(2.0) if e.topic != HAND],
    ]
    write(bags / 'sizes', sizes)
    write(bags / 'unlike', forces(stamps))
    write(bags / 'unlabelled', messages(2.0), ())
    (bags / 'broken.mcap').write_bytes(b'no recording' * 10)
    write(bags / 'last', messages(1.0, 300))
    result = m2r2('export', 'lerobot', bags, '--out', tmp_path / 'out')
    assert '4 of 6 recordings could not be exported' in result.error
    for told in ('176 by 48 pixels', 'has no hand_camera', 'unlabelled', 'broken.mcap'):
        assert told in result.error
    assert 'Traceback' not in result.err
    out = tmp_path / 'out'
    assert [o['recording'] for o in origins(out)] == ['good', 'last']
    table = frames(out)
    assert table['index'] == list(range(60))
    numbers = [number_in(i) for i in pictures(out, HAND_KEY, episodes(out)[1])]
    assert numbers == list(range(300, 320))
    assert texts(out, 'task') == ['pick', 'ein fügen']
    assert not (out / 'drafts').exists()


def test_damaged_images_are_those_before(tmp_path: Path) -> None:
    entries = messages(2.0)
    films = [k for k, e in enumerate(entries) if e.topic == HAND]
    for place in (5, 6):
        e = entries[films[place]]
        broken = compressed(e.log_time - 30_000_000, b'\xff\xd8\xff' + bytes(60))
        entries[films[place]] = Entry(e.topic, e.type_name, e.log_time, broken)
    write(tmp_path / 'a', entries)
    result = done('export', 'lerobot', tmp_path / 'a', '--out', tmp_path / 'out')
    assert 'hand_camera: 2 damaged images' in result.err
    numbers = [
        number_in(i) for i in pictures(tmp_path / 'out', HAND_KEY, episodes(tmp_path / 'out')[0])
    ]
    assert numbers[4:8] == [4, 4, 4, 7]


def test_labels_that_are_given_count(recordings: Path, tmp_path: Path) -> None:
    odd = [part(-1, 0.5, 'früh'), part(0.5, 0.5 + 1e-9, 'kurz'), part(0.8, 9, 'lang ' * 20)]
    write_labels(tmp_path / 'labels' / 'first_labels', odd)
    out = tmp_path / 'out'
    options = ('--labels', tmp_path / 'labels', '--episodes', 'segment')
    done('export', 'lerobot', recordings / 'first', '--out', out, *options)
    assert origins(out)[0]['segments'][0]['label'] == 'früh'
    assert [e['length'] for e in episodes(out)] == [10, 1, 64]
    assert origins(out)[0]['labels'] == {
        'source': 'first_labels', 'origin': 'automatic', 'by': 'model', 'time': '', 'tool': '',
        'started_from': '',
    }  # fmt: skip


def test_existing_outputs_stay(recordings: Path, exported: Path, tmp_path: Path) -> None:
    before = digest(exported)
    arguments = ('export', 'lerobot', recordings / 'first', '--out')
    assert 'exists' in m2r2(*arguments, exported).error
    assert digest(exported) == before
    inside = recordings / 'first' / 'out'
    assert 'overlaps' in m2r2(*arguments, inside).error
    done(*arguments, tmp_path / 'out')
    done(*arguments, tmp_path / 'out', '--overwrite', '--fps', '5')
    assert info(tmp_path / 'out')['fps'] == 5


@pytest.mark.parametrize(
    ('options', 'told'),
    [
        (('--action', '/nowhere'), 'no such topic'),
        (('--episodes', 'success', '--labels', 'labels'), 'nothing to export'),
        (('--labels', 'others'), 'no labels of first'),
        (('--topics', 'map.yaml'), '/nowhere'),
    ],
)
def test_what_cannot_be_done_is_told(
    recordings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path / 'labels' / 'first_labels', [part(0, 2, 'a')])
    write_labels(tmp_path / 'others' / 'third_labels', [part(0, 2, 'a')])
    (tmp_path / 'map.yaml').write_text('pose: /nowhere\n')
    result = m2r2('export', 'lerobot', recordings / 'first', '--out', 'out', *options)
    assert told in result.error
    assert not (tmp_path / 'out').exists()
    assert not list(tmp_path.glob('out*'))


def test_recordings_without_labels_or_camera_or_message(tmp_path: Path) -> None:
    write(tmp_path / 'a', [*forces(every(50, 2.0)), *camera(SIDE, [])], ())
    out = tmp_path / 'out'
    assert '--unlabelled' in m2r2('export', 'lerobot', tmp_path / 'a', '--out', out).error
    done('export', 'lerobot', tmp_path / 'a', '--out', out, '--unlabelled')
    assert texts(out, 'subtask') == ['unknown']
    assert info(out)['fps'] == 10
    assert origins(out)[0]['labels'] is None
    write(tmp_path / 'empty', [], TRUTH)
    result = m2r2('export', 'lerobot', tmp_path / 'empty', '--out', tmp_path / 'none')
    assert 'neither a camera nor numbers' in result.error
    write(tmp_path / 'one', [*forces([START]), *camera(HAND, [START])], TRUTH)
    done('export', 'lerobot', tmp_path / 'one', '--out', tmp_path / 'single')
    assert len(frames(tmp_path / 'single')['index']) == 1
    assert COMMAND not in (tmp_path / 'single' / 'meta' / 'info.json').read_text()
