# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings checked by all checks, whatever is wrong with some of them."""

from dataclasses import replace
from pathlib import Path

import pytest
from mcap.writer import Writer as McapWriter

from m2r2_ros.bags.labels.sources import Rank, TruthSource
from m2r2_ros.checks.catalogue import CHECKS, chosen_checks
from m2r2_ros.checks.checked import TOGETHER, Checked
from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.looking import CheckOptions
from m2r2_ros.checks.run import check_recordings, reference_of
from m2r2_ros.checks.thresholds import Thresholds, read_thresholds
from m2r2_ros.core.errors import ConfigError
from test.pages.test_report import label_bag
from test.replay.recordings import ACTIONS, START, WRENCH, robot, robot_bag, truth_of, write_bag

ALL = CheckOptions(chosen_checks())


def ids(one: Checked) -> set[str]:
    return {finding.check for finding in one.findings}


def without_wrench(path: Path, first: float, last: float, seed: int = 0) -> Path:
    """Write a recording whose wrench is missing for a while."""
    gone = range(START + round(first * 1e9), START + round(last * 1e9))
    entries = [e for e in robot(10.0, seed) if e.topic != WRENCH or e.log_time not in gone]
    return write_bag(path, entries, truth_of(10.0, seed))


def test_a_gap_is_found_where_it_is(tmp_path: Path) -> None:
    good = robot_bag(tmp_path / 'good')
    bad = without_wrench(tmp_path / 'bad', 4.0, 6.0)
    checked = {one.name: one for one in check_recordings([good, bad], ALL)}
    assert not {c for c in ids(checked['good']) if c.startswith(('file', 'time', 'value'))}
    (gap,) = [f for f in checked['bad'].findings if f.check == 'time.gap']
    assert (gap.severity, gap.topic) == (Severity.ERROR, WRENCH)
    assert gap.start is not None
    assert gap.start == pytest.approx(START + 4e9, abs=5e7)
    assert gap.measured == pytest.approx(2.0, abs=0.1)


def test_only_what_is_wanted_is_run(tmp_path: Path) -> None:
    bad = without_wrench(tmp_path / 'bad', 4.0, 6.0)
    (one,) = check_recordings([bad], replace(ALL, wanted=('time.order',)))
    assert (one.ran, one.findings) == (('time.order',), ())


def test_thresholds_decide(tmp_path: Path) -> None:
    bad = without_wrench(tmp_path / 'bad', 4.0, 6.0)
    file = tmp_path / 'thresholds.yaml'
    file.write_text('label: {shortest: 5.0}\n')
    options = replace(ALL, wanted=('label.duration',), thresholds=read_thresholds(file))
    (one,) = check_recordings([bad], options)
    inner = truth_of(10.0, 0)[1:-1]  # the first and the last are cut by the recording
    assert len([f for f in one.findings if f.threshold == 5.0]) == len(inner)


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('time: {gap: -1}', 'time.gap'),
        ('time: {gab: 2}', 'gab'),
        ('times: {}', 'times'),
        ('time: 3', 'time'),
        ('[1]', 'sections'),
        ('label: {kappa: .nan}', 'kappa'),
    ],
)
def test_thresholds_that_are_none_are_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / 'thresholds.yaml'
    file.write_text(text)
    with pytest.raises(ConfigError, match=told) as error:
        read_thresholds(file)
    assert str(file) in str(error.value)


def test_no_thresholds_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / 'thresholds.yaml'
    file.write_text('')
    assert read_thresholds(file) == Thresholds()


def test_what_cannot_be_opened_is_told_beside_the_others(tmp_path: Path) -> None:
    good = robot_bag(tmp_path / 'good')
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(b'no recording' * 50)
    checked = {one.name: one for one in check_recordings([broken, good], ALL)}
    assert any(f.severity is Severity.ERROR for f in checked['broken'].findings)
    assert 'time.gap' not in checked['broken'].ran
    assert 'time.gap' in checked['good'].ran


def test_labels_of_a_model_are_checked_and_compared_with_the_truth(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'rec')
    labels = label_bag(tmp_path / 'out' / 'rec_labels', ACTIONS, [0] * 50)
    source = TruthSource(labels, bag, given=True, rank=Rank.LABEL_BAG)
    options = replace(ALL, wanted=tuple(c for c in CHECKS if c.startswith('label')))
    (one,) = check_recordings([bag], options, {bag: [source]})
    assert {'label.agreement', 'label.coverage'} <= ids(one)


def test_labels_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'rec')
    table = tmp_path / 'rec.csv'
    table.write_text('start,end,label\n1,nonsense,push\n')
    source = TruthSource(table, bag, rank=Rank.TABLE)
    (one,) = check_recordings([bag], ALL, {bag: [source]})
    (found,) = [f for f in one.findings if f.check.startswith('label')]
    assert 'nonsense' in found.message
    assert found.severity is Severity.ERROR


def test_without_labels_their_checks_are_not_run_and_why(tmp_path: Path) -> None:
    (one,) = check_recordings([write_bag(tmp_path / 'rec', robot())], ALL)
    why = {n.check: n.why for n in one.not_run}
    assert '--labels' in why['label.grammar']
    assert not [check for check in one.ran if check.startswith('label')]


def test_recordings_are_also_seen_together(tmp_path: Path) -> None:
    one = robot_bag(tmp_path / 'one')
    same = robot_bag(tmp_path / 'same')
    other = robot_bag(tmp_path / 'other', seed=1)
    together = check_recordings([one, same, other], ALL)[-1]
    assert together.name == TOGETHER
    assert [f for f in together.findings if f.check == 'set.duplicate']


def test_a_reference_says_what_is_usual(tmp_path: Path) -> None:
    """Which is that segments take one to two seconds."""
    good = [robot_bag(tmp_path / f'good{k}', 40.0, k) for k in range(4)]
    truth = truth_of(20.0, 9)
    long = replace(truth[2], end=truth[6].end)
    bad = write_bag(tmp_path / 'bad', robot(20.0, 9), [*truth[:2], long, *truth[7:]])
    options = replace(ALL, wanted=('label.duration',))
    (alone,) = check_recordings([bad], options)
    assert not alone.findings
    (beside,) = check_recordings([bad], options, reference=reference_of(good, options))
    (found,) = beside.findings
    assert (found.start, found.end, found.topic) == (long.start, long.end, long.label)


def test_groups_and_ids_choose_checks() -> None:
    assert chosen_checks(['time.gap']) == ('time.gap',)
    assert chosen_checks(['file'], ['file.cut']) == ('file.chunk',)
    assert chosen_checks() == tuple(CHECKS)
    for only, ignored in ((['tim'], []), ([], ['nothing']), (['file'], ['file'])):
        with pytest.raises(ConfigError):
            chosen_checks(only, ignored)


def test_of_no_messages_nothing_is_said(tmp_path: Path) -> None:
    with (tmp_path / 'none.mcap').open('wb') as file:
        writer = McapWriter(file)
        writer.start('ros2')
        writer.finish()
    (one,) = check_recordings([tmp_path / 'none.mcap'], ALL)
    assert one.findings == ()
    assert all(check.startswith('file') for check in one.ran)
    assert {n.check for n in one.not_run} >= {*ALL.wanted} - {*one.ran}
