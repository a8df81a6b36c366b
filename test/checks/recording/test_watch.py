# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Collection
from pathlib import Path

import pytest

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.catalogue import RECORDING_CHECKS
from m2r2_ros.checks.recording.options import FileOptions, OffsetOptions, TimeOptions, ValueOptions
from m2r2_ros.checks.recording.watch import ALL, RecordingOptions, recording_observers
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import read_options
from test.checks.recording.robot import POSE_TOPIC, check, findings, robot, write


@pytest.fixture(scope='module')
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return open_recording(write(tmp_path_factory.mktemp('bag') / 'bag', robot()))


def uses(recording: Recording, wanted: Collection[str]) -> tuple[bool, bool]:
    """Return whether messages are looked at, and whether samples are decoded."""
    observers = recording_observers(recording, RecordingOptions(), wanted=wanted)
    return (
        any(type(o).messages is not Observer.messages for o in observers),
        any(type(o).samples is not Observer.samples for o in observers),
    )


def test_work_that_nobody_wants_is_not_done(recording: Recording) -> None:
    assert recording_observers(recording, RecordingOptions(), wanted=['label.coverage']) == []
    assert uses(recording, ['time.gap', 'time.loss', 'time.order']) == (True, False)
    assert uses(recording, ['value.finite', 'value.clip', 'time.content_offset']) == (False, True)
    assert uses(recording, ALL) == (True, True)


def test_only_what_is_wanted_is_told(tmp_path: Path) -> None:
    streams = robot()
    pose = streams[POSE_TOPIC]
    values = pose.values.copy()
    values[pose.during(4, 5)] = float('nan')
    spoilt = pose.with_values(values)[~pose.during(9, 10)]
    path = write(tmp_path / 'bag', streams | {POSE_TOPIC: spoilt})
    assert {f.check for f in findings(check(path))} == {'time.gap', 'value.finite'}
    for one in ('time.gap', 'value.finite'):
        assert {f.check for f in findings(check(path, [one]))} == {one}


def test_every_check_has_one_entry_and_says_what_it_is() -> None:
    assert len(set(ALL)) == len(ALL) == 10
    for facts in RECORDING_CHECKS:
        assert facts.what.endswith('.') and facts.severities
        assert list(facts.severities) == sorted(
            facts.severities, key=[Severity.WARNING, Severity.ERROR].index
        )


@pytest.mark.parametrize(
    ('kind', 'entry'),
    [
        (FileOptions, {'most': 0}),
        (TimeOptions, {'gap': 1}),
        (TimeOptions, {'loss': 1.5}),
        (TimeOptions, {'skew': 'much'}),
        (OffsetOptions, {'step': 0}),
        (OffsetOptions, {'lags': 1}),
        (ValueOptions, {'clip_samples': 1}),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(kind: type, entry: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f'{next(iter(entry))}'):
        read_options(kind, entry, 'thresholds')


def test_thresholds_count(tmp_path: Path) -> None:
    pose = robot()[POSE_TOPIC]
    path = write(tmp_path / 'bag', robot() | {POSE_TOPIC: pose[~pose.during(9, 9.1)]})
    assert [f.check for f in findings(check(path))] == ['time.gap']
    options = RecordingOptions(time=TimeOptions(gap=15))
    assert findings(check(path, options=options)) == []
