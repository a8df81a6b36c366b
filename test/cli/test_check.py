# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 check` as it is typed."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from test.checks.test_run import without_wrench
from test.cli.run import done, m2r2
from test.pages.test_report import label_bag
from test.replay.recordings import ACTIONS, WRENCH, robot, robot_bag, truth_of, write_bag


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    robot_bag(tmp_path / 'recordings' / 'good')
    without_wrench(tmp_path / 'recordings' / 'bad', 4.0, 6.0, 1)
    return tmp_path / 'recordings'


def test_the_exit_code_says_whether_something_was_found(recordings: Path) -> None:
    assert m2r2('check', recordings / 'good', '--only', 'time').code == 0
    found = m2r2('check', recordings / 'bad', '--only', 'time')
    assert found.code == 1
    assert '/wrench' in found.out
    assert '3.98-6.00 s' in found.out
    assert m2r2('check', recordings / 'bad', '--only', 'time', '--ignore', 'time.gap').code == 0
    assert m2r2('check', recordings / 'missing').error
    assert 'no such check' in m2r2('check', recordings, '--only', 'tine').error


def test_a_check_may_be_ignored_for_one_topic(recordings: Path) -> None:
    bad = ('check', recordings / 'bad', '--only', 'time')
    shown = m2r2(*bad, '--ignore', f'time:{WRENCH}', '--format', 'json')
    assert shown.code == 0
    (one,) = json.loads(shown.out)
    assert {'check': 'time.gap', 'topic': WRENCH, 'why': 'it is ignored'} in one['not_run']
    assert m2r2(*bad, '--ignore', 'time:/current_pose').code == 1
    assert 'no such check' in m2r2(*bad, '--ignore', 'tine:/wrench').error


def test_warnings_need_not_fail(recordings: Path) -> None:
    arguments = ('check', recordings / 'good', '--only', 'label.duration')
    file = recordings.parent / 'thresholds.yaml'
    file.write_text('label: {shortest: 60}')
    assert m2r2(*arguments, '--thresholds', file).code == 1
    assert m2r2(*arguments, '--thresholds', file, '--fail-on', 'error').code == 0


@pytest.mark.parametrize('form', ['json', 'html', 'sarif', 'junit', 'table'])
def test_each_format_can_be_written(recordings: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / 'found'
    assert m2r2('check', recordings, '--only', 'time', '--format', form, '--out', out).code == 1
    text = out.read_text()
    assert 'time.gap' in text
    printed = m2r2('check', recordings, '--only', 'time', '--format', form).out
    if form in {'json', 'sarif'}:
        json.loads(text)
        json.loads(printed)
    if form in {'html', 'junit'}:
        assert ElementTree.fromstring(printed) if form == 'junit' else '<html' in printed


def test_labels_are_matched_by_name(recordings: Path, tmp_path: Path) -> None:
    label_bag(tmp_path / 'labels' / 'good_labels', ACTIONS, [0] * 50)
    done_ = m2r2(
        'check', recordings, '--labels', tmp_path / 'labels', '--only', 'label', '--format', 'json'
    )
    found = {one['name']: one for one in json.loads(done_.out)}
    checks = {f['check'] for f in found['good']['findings']}
    assert 'label.agreement' in checks
    nothing = m2r2('check', recordings / 'bad', '--labels', tmp_path / 'labels')
    assert 'no labels of bad there, but of good' in nothing.error


def test_a_baseline_is_kept_to(recordings: Path) -> None:
    """A recording at half the rate throughout is only found beside a good one."""
    entries = [e for k, e in enumerate(robot()) if e.topic != WRENCH or (k // 4) % 2]
    half = write_bag(recordings.parent / 'half', entries, truth_of(10.0, 0))
    done('check', half, '--only', 'time.loss')
    found = m2r2('check', half, '--only', 'time.loss', '--baseline', recordings / 'good')
    assert found.code == 1
    assert '/wrench' in found.out


def test_two_recordings_of_one_name_are_checked_unless_labels_are_given(
    recordings: Path, tmp_path: Path
) -> None:
    robot_bag(tmp_path / 'others' / 'good', seed=3)
    both = recordings / 'good', tmp_path / 'others' / 'good'
    table = done('check', *both, '--only', 'time').out
    assert all(f'{path}: nothing found' in table for path in both)
    label_bag(tmp_path / 'labels' / 'good_labels', ACTIONS, [0] * 50)
    refused = m2r2(
        'check', recordings / 'good', tmp_path / 'others', '--labels', tmp_path / 'labels'
    )
    assert 'one name' in refused.error


def test_a_fleet_finds_the_same_and_goes_on(recordings: Path, tmp_path: Path) -> None:
    arguments = ('check', recordings, '--only', 'time', '--only', 'value', '--format', 'json')
    alone = json.loads(m2r2(*arguments).out)
    out = tmp_path / 'found'
    fleet = (*arguments, '--fleet', '--workers', 2, '--out', out)
    first = m2r2(*fleet)
    assert first.code == 1, first.err
    found = json.loads(first.out)
    assert [one['findings'] for one in found] == [one['findings'] for one in alone[:2]]
    assert sorted(path.name for path in out.glob('*.json')) == [
        'bad_checks.json',
        'good_checks.json',
    ]
    again = m2r2(*fleet)
    assert '2 done already' in again.err
    assert json.loads(again.out) == found
    assert '--out' in m2r2('check', recordings, '--fleet').error


def test_where_nothing_can_be_checked_the_exit_code_is_2(recordings: Path, tmp_path: Path) -> None:
    (tmp_path / 'empty.mcap').touch()
    for arguments in (
        (tmp_path / 'empty.mcap', '--only', 'label'),
        (recordings / 'good', '--only', 'set'),
    ):
        nothing = m2r2('check', *arguments)
        assert nothing.code == 2
        assert ': not checked' in nothing.out
        assert 'nothing could be checked' in nothing.error


def test_what_is_there_stays(recordings: Path, tmp_path: Path) -> None:
    """A recording, a folder or a device that --out names by mistake is no place for findings."""
    arguments = ('check', recordings / 'good', '--only', 'time', '--out')
    (there := tmp_path / 'there.mcap').write_text('mine')
    (device := tmp_path / 'null').symlink_to('/dev/null')
    assert 'exists' in m2r2(*arguments, there).error
    for out in (tmp_path, device, '/dev/null'):
        assert 'Error' not in m2r2(*arguments, out, '--overwrite').err
        assert m2r2(*arguments, out, '--overwrite').code == 2
    assert there.read_text() == 'mine'
    assert device.is_symlink()
    done(*arguments, there, '--overwrite')
    assert 'good' in there.read_text()


def test_a_folder_of_tables_has_labels_too(recordings: Path, tmp_path: Path) -> None:
    tables = tmp_path / 'tables'
    tables.mkdir()
    (tables / 'good.csv').write_text('start_s,end_s,label\n0,5,reach\n5,9,lift\n8,10,reach\n')
    found = m2r2('check', recordings / 'good', '--labels', tables, '--only', 'label.coverage')
    assert found.code == 1
    assert "'reach' begins 1.000 s before 'lift' ends" in found.out


def test_a_fleet_judges_labels_by_the_reference(tmp_path: Path) -> None:
    for seed in range(4):
        robot_bag(tmp_path / 'usual' / f'good{seed}', 40.0, seed)
    truth = truth_of(20.0, 9)
    long = replace(truth[2], end=truth[6].end)
    write_bag(tmp_path / 'long', robot(20.0, 9), [*truth[:2], long, *truth[7:]])
    check = ('check', tmp_path / 'long', '--only', 'label.duration', '--fleet', '--workers', 1)
    assert m2r2(*check, '--out', tmp_path / 'alone').code != 1
    found = m2r2(*check, '--reference', tmp_path / 'usual', '--out', tmp_path / 'beside')
    assert found.code == 1, found
    assert 'label.duration' in found.out
