# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import gzip
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mcap.records import Message
from mcap.stream_reader import StreamReader
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.labels.reader import Truth, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.tables.importer import ImportReport, find_trials, import_table
from m2r2_ros.core.errors import BagError, ConfigError, OutputError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.share import share_path
from test.real_data import DATA

HIRO = share_path('config', 'import', 'hiro_snap_assembly.yaml')
EPOCH = 1_325_376_000 * 10**9
PHASES = ('approach', 'rotation', 'insertion', 'mating')
NUMBER = {
    'file': 'n.txt',
    'topic': '/number',
    'type': 'std_msgs/msg/Float64',
    'time': {'column': 0, 'unit': 's'},
    'columns': {'data': 1},
}


def trial(folder: Path, starts: str = '0.0\n0.02\n0.025\n0.05\n', rows: int = 20) -> Path:
    """Write a trial laid out as the HIRO data is."""
    folder.mkdir()
    times = [f'{0.005 * i:.6g}' for i in range(rows)]
    wrench = ''.join(f'{t}\t{i} \t1.5 \t-2 \t0.1 \t0.2 \t0.3 \t\n' for i, t in enumerate(times))
    pose = ''.join(f'{t}\t0.3\t{i}\t0.5\t0.1\t-1.3\t{i / 10}\n' for i, t in enumerate(times))
    for name, text in (('R_Torques', wrench), ('R_CartPos', pose), ('R_State', starts)):
        with gzip.open(folder / f'{name}.dat.gz', 'wt') as file:
            file.write(text)
    return folder


def messages(bag: Path, topic: str) -> list[tuple[int, Any]]:
    with AnyReader([bag]) as reader:
        links = [link for link in reader.connections if link.topic == topic]
        return [(t, reader.deserialize(raw, c.msgtype)) for c, t, raw in reader.messages(links)]


def run(folder: Path, table: dict[str, Any], files: dict[str, str], **more: Any) -> ImportReport:
    """Import one table, and perhaps labels, written out for it."""
    for name, text in files.items():
        (folder / name).write_text(text)
    spec = folder / 'spec.yaml'
    spec.write_text(yaml.safe_dump({'name': 't', 'epoch': 1, 'tables': [table], **more}))
    return import_table(spec, folder, folder.parent / 'out')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'trial').mkdir()
    return tmp_path / 'trial'


def test_trial_becomes_a_bag(tmp_path: Path) -> None:
    report = import_table(HIRO, trial(tmp_path / 'S-01'), tmp_path / 'bag')
    assert report.messages == {
        '/wrench': 20,
        '/pose': 20,
        '/ground_truth/label_set': 1,
        '/ground_truth/action_segment': 4,
    }
    assert (report.start, report.end) == (EPOCH, EPOCH + 95_000_000)
    time, wrench = messages(tmp_path / 'bag', '/wrench')[7]
    assert time == EPOCH + 35_000_000
    assert (wrench.header.stamp.sec, wrench.header.stamp.nanosec) == (1_325_376_000, 35_000_000)
    assert wrench.header.frame_id == 'end_effector'
    assert (wrench.wrench.force.x, wrench.wrench.force.y, wrench.wrench.force.z) == (7, 1.5, -2)
    assert (wrench.wrench.torque.x, wrench.wrench.torque.z) == (0.1, 0.3)
    _, pose = messages(tmp_path / 'bag', '/pose')[7]
    assert (pose.pose.position.x, pose.pose.position.y) == (0.3, 7)
    turn = pose.pose.orientation
    # Roll, then pitch, then yaw about fixed axes is the half-angle product qz qy qx.
    (cr, sr), (cp, sp), (cy, sy) = (
        (np.cos(angle / 2), np.sin(angle / 2)) for angle in (0.1, -1.3, 0.7)
    )
    assert turn.x == pytest.approx(sr * cp * cy - cr * sp * sy)
    assert turn.y == pytest.approx(cr * sp * cy + sr * cp * sy)
    assert turn.z == pytest.approx(cr * cp * sy - sr * sp * cy)
    assert turn.w == pytest.approx(cr * cp * cy + sr * sp * sy)


def test_ground_truth_of_start_times(tmp_path: Path) -> None:
    report = import_table(HIRO, trial(tmp_path / 'S-01'), tmp_path / 'bag')
    edges = [0, 20_000_000, 25_000_000, 50_000_000, 95_000_000]
    expected = [
        Segment(EPOCH + edges[k], EPOCH + edges[k + 1], name) for k, name in enumerate(PHASES)
    ]
    assert list(report.segments) == expected
    assert read_truth(tmp_path / 'bag') == Truth(expected, LabelSet.of(PHASES))
    recorded = messages(tmp_path / 'bag', '/ground_truth/action_segment')
    assert [t for t, _ in recorded] == [s.end for s in expected]
    assert [(m.segment_index, m.label_id) for _, m in recorded] == [(k, k) for k in range(4)]


def test_messages_lie_in_the_file_in_order(tmp_path: Path) -> None:
    import_table(HIRO, trial(tmp_path / 'S-01', rows=10_000), tmp_path / 'bag')
    with (tmp_path / 'bag' / 'bag_0.mcap').open('rb') as stream:
        times = [r.log_time for r in StreamReader(stream).records if isinstance(r, Message)]
    assert times == sorted(times)
    assert len(times) == 20_005


@pytest.mark.parametrize(
    ('starts', 'labels'),
    [
        ('0\n0.02\n', ['approach', 'rotation']),
        ('0\n0.02\n0.02\n0.05\n', ['approach', 'insertion', 'mating']),
        ('0\n0.02\n0.05\n0.095\n', ['approach', 'rotation', 'insertion']),
        ('', []),
    ],
)
def test_phases_that_did_not_happen(tmp_path: Path, starts: str, labels: list[str]) -> None:
    report = import_table(HIRO, trial(tmp_path / 'S-01', starts), tmp_path / 'bag')
    assert [s.label for s in report.segments] == labels
    truth = read_truth(tmp_path / 'bag')
    assert truth.segments == list(report.segments)
    assert truth.label_set == LabelSet.of(PHASES)


@pytest.mark.parametrize(
    ('starts', 'told'),
    [
        ('0\n1\n2\n3\n4\n', r'R_State.dat.gz:5 has a start time more than the phases approach'),
        ('0\n0.02\n0.01\n', r'R_State.dat.gz:3 has start time 0.01, which is before'),
        ('0\nsoon\n', r"R_State.dat.gz:2 has time 'soon', expected a number"),
        ('0\n0.01\n0.02\n0.5\n', 'mating starts 0.405 s after the last sample'),
    ],
)
def test_wrong_start_times_are_told(tmp_path: Path, starts: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        import_table(HIRO, trial(tmp_path / 'S-01', starts), tmp_path / 'bag')
    assert [p.name for p in tmp_path.iterdir()] == ['S-01']


def test_missing_files_are_told(tmp_path: Path) -> None:
    source = trial(tmp_path / 'S-01')
    (source / 'R_State.dat.gz').unlink()
    with pytest.raises(ConfigError, match='no R_State'):
        import_table(HIRO, source, tmp_path / 'bag')
    content = yaml.safe_load(HIRO.read_text())
    content['labels']['optional'] = True
    spec = tmp_path / 'spec.yaml'
    spec.write_text(yaml.safe_dump(content))
    report = import_table(spec, source, tmp_path / 'bag')
    assert report.segments == ()
    assert set(report.messages) == {'/wrench', '/pose'}
    (source / 'R_Torques.dat.gz').unlink()
    with pytest.raises(ConfigError, match='no R_Torques'):
        import_table(spec, source, tmp_path / 'bag2')


def test_uncompressed_files_do_too(tmp_path: Path) -> None:
    source = trial(tmp_path / 'S-01')
    for file in list(source.iterdir()):
        (source / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert import_table(HIRO, source, tmp_path / 'bag').messages['/wrench'] == 20


def test_output_is_kept_unless_told(tmp_path: Path) -> None:
    source = trial(tmp_path / 'S-01')
    import_table(HIRO, source, tmp_path / 'bag')
    with pytest.raises(BagError, match='exists'):
        import_table(HIRO, source, tmp_path / 'bag')
    import_table(HIRO, source, tmp_path / 'bag', overwrite=True)
    with pytest.raises(OutputError, match='overlaps'):
        import_table(HIRO, source, source / 'bag')


def test_csv_with_header_comments_and_empty_lines(folder: Path) -> None:
    table = NUMBER | {
        'delimiter': ',',
        'header': True,
        'time': {'column': 'stamp', 'unit': 'ns'},
        'columns': {'data': 'width'},
        'units': {'data': 'mm'},
    }
    text = '# made by hand\nnote,width, stamp\n"a, b",1000,5\n\n,2e3,1700000000123456789 # late\n'
    report = run(folder, table, {'n.txt': text})
    assert (report.start, report.end) == (10**9 + 5, 1_700_000_001_123_456_789)
    assert [m.data for _, m in messages(report.out, '/number')] == [1.0, 2.0]


def test_nan_and_infinity_are_passed_on(folder: Path) -> None:
    report = run(folder, NUMBER, {'n.txt': '0 nan\n1 -inf\n1 3\n'})
    values = [m.data for _, m in messages(report.out, '/number')]
    np.testing.assert_array_equal(values, [np.nan, -np.inf, 3.0])


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('0 1\n1 x\n', r"n.txt:2 has 'x' in column 1, expected a number"),
        ('0 1\n\n# note\n1\n', r'n.txt:4 has 1 columns, expected 2'),
        ('0 1\n1 2 3\n', r'n.txt:2 has 3 columns, expected 2'),
        ('0\n', r'n.txt:1 has 1 columns, so no column 1'),
        ('0 1\n2 1\n1 1\n', r'n.txt:3 has time 1, which goes back'),
        ('0 1\nnan 1\n', r"n.txt:2 has time 'nan'"),
        ('-1 1\n', r'n.txt:1 has time -1, which is not after 1970: set `epoch`'),
        ('', 'the tables have no rows'),
        ('# nothing\n', 'the tables have no rows'),
    ],
)
def test_wrong_tables_are_told(folder: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        run(folder, NUMBER, {'n.txt': text})
    assert list(folder.parent.iterdir()) == [folder]


def test_wrong_line_is_told_beyond_the_first_block(folder: Path) -> None:
    text = ''.join(f'{i} {i}\n' for i in range(10_000)) + '10000 x\n'
    with pytest.raises(ConfigError, match=r"n.txt:10001 has 'x'"):
        run(folder, NUMBER, {'n.txt': text})
    assert list(folder.parent.iterdir()) == [folder]


def test_wrong_names_and_archives_are_told(folder: Path) -> None:
    named = NUMBER | {'columns': {'data': 'width'}}
    with pytest.raises(ConfigError, match=r'say `header: true`'):
        run(folder, named, {'n.txt': '0 1\n'})
    with pytest.raises(ConfigError, match=r"no column 'width', but t, w"):
        run(folder, named | {'header': True}, {'n.txt': 't w\n0 1\n'})
    with pytest.raises(ConfigError, match='cannot be read: BadGzipFile'):
        run(folder, NUMBER | {'file': 'x.gz'}, {'x.gz': 'no archive'})


def test_listed_segments(folder: Path) -> None:
    labels = {
        'file': 'l.csv', 'kind': 'segments', 'unit': 'ms', 'delimiter': ',', 'header': True,
        'start': 'start', 'end': 'end', 'label': 'label',
    }  # fmt: skip
    text = 'label,start,end\nplace,500,2500\npick,0,500\nnothing,500,500\n'
    report = run(folder, NUMBER, {'n.txt': '0 1\n1 2\n2 3\n', 'l.csv': text}, labels=labels)
    second = 10**9
    expected = [
        Segment(second, second + 500_000_000, 'pick'),
        Segment(second + 500_000_000, second + 2_500_000_000, 'place'),
    ]
    assert list(report.segments) == expected
    assert read_truth(report.out) == Truth(expected, LabelSet.of(('pick', 'place', 'nothing')))
    assert open_recording(report.out).end == second + 2_500_000_000


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('1 0 pick\n', 'l.txt:1 has a segment from 1 to 0, which ends before it starts'),
        ('0 1 drop\n', "l.txt:1 has label 'drop', expected one of pick"),
        ('0 x pick\n', "l.txt:1 has time 'x'"),
    ],
)
def test_wrong_segments_are_told(folder: Path, text: str, told: str) -> None:
    labels = {
        'file': 'l.txt', 'kind': 'segments', 'unit': 's', 'names': ['pick'],
        'start': 0, 'end': 1, 'label': 2,
    }  # fmt: skip
    with pytest.raises(ConfigError, match=told):
        run(folder, NUMBER, {'n.txt': '0 1\n', 'l.txt': text}, labels=labels)


@pytest.mark.parametrize('name', ['S-02', 'S-22'])
def test_real_trials(tmp_path: Path, name: str) -> None:
    source = DATA / 'hiro_snap_assembly' / name
    if not source.is_dir():
        pytest.skip(f'no HIRO trials in {DATA}')
    report = import_table(HIRO, source, tmp_path / 'bag')
    end = 0.0
    for topic, file in (('/wrench', 'R_Torques.dat.gz'), ('/pose', 'R_CartPos.dat.gz')):
        rows = np.loadtxt(source / file)
        assert report.messages[topic] == len(rows)
        end = max(end, rows[-1, 0])
    starts = np.loadtxt(source / 'R_State.dat.gz')
    assert report.end - report.start == pytest.approx(end * 1e9)
    assert [s.label for s in report.segments] == list(PHASES)
    np.testing.assert_allclose([(s.start - EPOCH) / 1e9 for s in report.segments], starts)
    assert report.segments[-1].end == report.end


def test_optional_tables_may_be_missing(folder: Path) -> None:
    other = deepcopy(NUMBER) | {'file': 'm.txt', 'topic': '/other', 'optional': True}
    labels = {'file': 'l.txt', 'kind': 'segments', 'unit': 's', 'optional': True}
    labels |= {'start': 0, 'end': 1, 'label': 2}
    more = {'tables': [NUMBER, other], 'labels': labels}
    report = run(folder, NUMBER, {'n.txt': '0 1\n1 2\n'}, **more)
    assert (report.messages, report.missing) == ({'/number': 2}, ('m.txt', 'l.txt'))
    (folder / 'm.txt').write_text('0 5\n')
    report = import_table(folder / 'spec.yaml', folder, folder.parent / 'both')
    assert (report.messages, report.missing) == ({'/number': 2, '/other': 1}, ('l.txt',))
    (folder / 'n.txt').unlink()
    with pytest.raises(ConfigError, match=r'has no n\.txt'):
        import_table(folder / 'spec.yaml', folder, folder.parent / 'none')


def test_trials_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / 'data' / 'notes').mkdir(parents=True)
    trials = [trial(tmp_path / 'data' / name) for name in ('S-02', 'S-01')]
    assert find_trials(HIRO, tmp_path / 'data') == sorted(trials)
    assert find_trials(HIRO, trials[0]) == [trials[0]]
    # An error names a folder that holds none.
    assert find_trials(HIRO, tmp_path / 'data' / 'notes') == [tmp_path / 'data' / 'notes']
