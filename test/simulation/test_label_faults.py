# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Faults of labels do what they say, the same each time, and say what they did."""

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import Segment
from m2r2_ros.simulation.label_faults import (
    FaultyLabel,
    LabelFault,
    apply_label_faults,
    is_label_fault,
    parse_label_fault,
)

SECOND = 10**9
NAMES = ('pick', 'insert', 'place', 'rest')
LABELS = [Segment(k * SECOND, (k + 1) * SECOND, NAMES[k % 4]) for k in range(20)]


def apply(text: str, seed: int = 0) -> tuple[list[Segment], list[FaultyLabel]]:
    fault = parse_label_fault(text)
    return apply_label_faults(LABELS, [fault], np.random.default_rng(seed), NAMES)


@pytest.mark.parametrize(
    ('text', 'fault'),
    [
        ('label-shift=0.4', LabelFault('shift', 0.4)),
        ('label-shift=-400ms@2s', LabelFault('shift', -0.4, 2.0)),
        ('label-drop=.1@0s+end', LabelFault('drop', 0.1)),
        (' label-swap=1@1500ms+20 ', LabelFault('swap', 1.0, 1.5, 20.0)),
    ],
)
def test_faults_are_read_and_written(text: str, fault: LabelFault) -> None:
    assert is_label_fault(text)
    assert parse_label_fault(text) == fault
    assert parse_label_fault(str(fault)) == fault


@pytest.mark.parametrize(
    'text',
    [
        'label-drop', 'label-drop=0', 'label-drop=1.5', 'label-drop=0.1s', 'label-melt=1',
        'label-shift=0', 'label-shift=nan', 'label-shift=1e3', 'label-shift=9999',
        'label-shift=1.2.3', 'label-shift=1@-2s', 'label-drop=0.1@2s+0s', 'label-drop=0.1@..+1s',
        'wrench-nan@2s',
    ],
)  # fmt: skip
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match='expected label-KIND=VALUE'):
        parse_label_fault(text)


def test_labels_are_dropped_renamed_and_split() -> None:
    left, changes = apply('label-drop=0.2')
    assert len(left) == 16
    assert [change.before for change in changes] == [s for s in LABELS if s not in left]
    renamed, changes = apply('label-rename=0.25')
    assert len(changes) == 5
    for _, before, (after,) in changes:
        assert (after.start, after.end) == (before.start, before.end)
        assert after.label != before.label
        assert after.label in NAMES
        assert after in renamed
    split, changes = apply('label-split=0.1')
    assert len(split) == 22
    for _, before, (first, second) in changes:
        assert (first.start, first.end, second.end) == (before.start, second.start, before.end)
        assert first.label == second.label == before.label


def test_labels_are_swapped_with_the_next_one() -> None:
    swapped, changes = apply('label-swap=0.4')
    assert [(s.start, s.end) for s in swapped] == [(s.start, s.end) for s in LABELS]
    assert sorted(s.label for s in swapped) == sorted(s.label for s in LABELS)
    pairs = list(zip(changes[::2], changes[1::2], strict=True))
    assert pairs
    for one, other in pairs:
        assert one.before.end == other.before.start
        assert (one.after[0].label, other.after[0].label) == (
            other.before.label, one.before.label,
        )  # fmt: skip


def test_labels_are_shifted_for_a_time() -> None:
    shifted, changes = apply('label-shift=0.4@5s+10s')
    assert len(changes) == 10
    moved = [round(s.start / SECOND % 1, 3) for s in shifted]
    assert moved == [0.0] * 5 + [0.4] * 10 + [0.0] * 5


def test_the_same_seed_does_the_same_and_faults_do_not_disturb_each_other() -> None:
    assert apply('label-drop=0.2', 1) == apply('label-drop=0.2', 1)
    assert apply('label-drop=0.2', 1) != apply('label-drop=0.2', 2)
    faults = [parse_label_fault(t) for t in ('label-drop=0.2', 'label-rename=0.2')]
    both = apply_label_faults(LABELS, faults, np.random.default_rng(1), NAMES)[1]
    alone = apply('label-drop=0.2', 1)[1]
    assert [c for c in both if c.kind == 'drop'] == alone


def test_there_may_be_nothing_to_change() -> None:
    rng = np.random.default_rng(0)
    for kind in ('drop', 'rename', 'split', 'swap'):
        fault = LabelFault(kind, 1.0)
        assert apply_label_faults([], [fault], rng) == ([], [])
    alike = [Segment(k, k + 1, 'a') for k in range(3)]
    for kind in ('rename', 'swap'):
        assert apply_label_faults(alike, [LabelFault(kind, 1.0)], rng) == (alike, [])
    late = LabelFault('drop', 1.0, 100.0)
    assert apply_label_faults(LABELS, [late], rng) == (LABELS, [])
