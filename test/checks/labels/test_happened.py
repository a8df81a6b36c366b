# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels are compared with what happened: how late they are, and what is missing."""

from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.reference import LabelReference, learn_reference
from m2r2_ros.checks.labels.results import label_results
from m2r2_ros.core.taxonomy import LabelClass, Taxonomy
from test.checks.labels.made import (
    LABELS,
    findings,
    made,
    not_run,
    reference,
    shifted,
    with_segments,
)

USUAL = reference()


@pytest.mark.parametrize('seconds', [0.3, -0.4, 0.8, -3.0, 9.0])
def test_labels_that_are_late_are_found_and_measured(seconds: float) -> None:
    labels, events = made(7)
    late = with_segments(labels, shifted(labels.segments, seconds))
    (found,) = findings(label_results(late, USUAL, events, None, ['label.event_drift']))
    assert found.topic == ''
    assert found.measured == pytest.approx(seconds, abs=0.05)
    assert found.severity is (Severity.ERROR if abs(seconds) > 0.5 else Severity.WARNING)


def test_a_class_that_is_late_alone_is_found() -> None:
    labels, events = made(8)
    late = [s for s in labels.segments if s.label == 'insert_a']
    others = [s for s in labels.segments if s.label != 'insert_a']
    assert len(late) > 2
    wrong = with_segments(labels, [*others, *shifted(late, 0.35)])
    (found,) = findings(label_results(wrong, USUAL, events, None, ['label.event_drift']))
    assert found.topic == 'insert_a'
    assert found.measured == pytest.approx(0.35, abs=0.05)


def test_labels_of_another_recording_are_found() -> None:
    labels, _ = made(9, rounds=20)
    _, events = made(10, rounds=20)
    results = label_results(labels, USUAL, events, None, ['label.event_drift'])
    assert 'of this recording' in findings(results)[0].message


def test_without_a_reference_only_a_clear_distance_is_found() -> None:
    labels, _ = made(11)
    moves = SensedEvents({'arm starts': np.array([s.start for s in labels.segments], np.int64)})
    late = with_segments(labels, shifted(labels.segments, 0.4))
    alone = label_results(late, LabelReference(()), moves, None, ['label.event_drift'])
    assert findings(alone)[0].measured == pytest.approx(0.4, abs=0.05)
    rng = np.random.default_rng(0)
    any_time = np.sort(rng.integers(*labels.span, 60))
    unclear = label_results(
        late, LabelReference(()), SensedEvents({'x': any_time}), None, ['label.event_drift']
    )
    assert not_run(unclear)
    assert not findings(unclear)


def test_events_that_are_missing_and_outcomes_that_do_not_fit_are_found() -> None:
    labels, events = made(12)
    k = next(k for k, s in enumerate(labels.segments) if k > 2 and s.label.startswith('pick'))
    pick = labels.segments[k]
    lost = {
        kind: times[(times < pick.start) | (times > pick.end)]
        if kind == 'gripper closes'
        else times
        for kind, times in events.times.items()
    }
    (found,) = findings(
        label_results(labels, USUAL, SensedEvents(lost), None, ['label.event_missing'])
    )
    assert (found.topic, found.start) == (pick.label, pick.start)
    assert "'gripper closes'" in found.message
    many = reference(30)
    for success in (True, False):
        wrong = [
            replace(s, success=not success) if s.success is success and 'insert' in s.label else s
            for s in labels.segments
        ]
        results = label_results(
            with_segments(labels, wrong), many, events, None, ['label.event_missing']
        )
        assert len(findings(results)) == sum(
            s.success is success and 'insert' in s.label for s in labels.segments[1:-1]
        )


def test_recordings_that_cannot_tell_an_event_say_nothing_of_it() -> None:
    labels, events = made(12)
    blind = [(made(seed)[0], SensedEvents({})) for seed in range(4000, 4012)]
    seeing = [made(seed) for seed in range(4100, 4112)]
    never = SensedEvents({**events.times, 'gripper closes': np.zeros(0, np.int64)})
    wanted = ['label.event_missing']
    for examples, found in ((blind, False), (seeing, True), ([*blind, *seeing], True)):
        usual = learn_reference(examples)
        assert bool(findings(label_results(labels, usual, never, None, wanted))) == found
        assert not findings(label_results(labels, usual, events, None, wanted))


def test_a_taxonomy_says_what_to_expect_without_a_reference() -> None:
    labels, events = made(13)
    classes = tuple(
        LabelClass(n, p, expects=('closing',) if p == 'pick' else ()) for n, p in _pairs()
    )
    labels = replace(labels, taxonomy=Taxonomy('t', '1', classes))
    right = label_results(labels, LabelReference(()), events, None, ['label.event_missing'])
    assert not findings(right)
    never = SensedEvents({**events.times, 'gripper closes': np.zeros(0, np.int64)})
    wrong = findings(
        label_results(labels, LabelReference(()), never, None, ['label.event_missing'])
    )
    assert {f.topic for f in wrong} == {'pick_a', 'pick_b'}
    (told,) = label_results(made(13)[0], LabelReference(()), events, None, ['label.event_missing'])
    assert 'expected 20 segments' in not_run([told])[0].why


def test_a_recording_is_no_reference_of_itself() -> None:
    every = [made(seed) for seed in range(6)]
    labels, events = every[0]
    late = with_segments(labels, shifted(labels.segments, 0.4)), events
    usual = learn_reference([late, *every[1:]])
    (found,) = findings(label_results(late[0], usual, events, None, ['label.event_drift']))
    assert found.measured == pytest.approx(0.4, abs=0.05)


def _pairs() -> list[tuple[str, str]]:
    return list(zip(LABELS.names, LABELS.parents, strict=True))
