# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What differs between two layers, and what labels hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.label_changes import ChangeKind, LabelChange, label_changes
from m2r2_ros.evaluation.label_statistics import label_statistics

BASE = [
    Segment(0, 10, 'a'),
    Segment(10, 20, 'b', success=True),
    Segment(20, 30, 'a', success=False),
    Segment(40, 50, 'c'),
]
segments = st.lists(
    st.builds(
        lambda start, length, label: Segment(start, start + length, label),
        st.integers(0, 60),
        st.integers(0, 20),
        st.sampled_from(['a', 'b', '', UNKNOWN_LABEL]),
    ),
    max_size=8,
)
#: Segments without overlaps.
lanes = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(['a', 'b', ''])), max_size=8).map(
    lambda runs: [
        Segment(sum(n for n, _ in runs[:k]), sum(n for n, _ in runs[: k + 1]), label)
        for k, (_, label) in enumerate(runs)
    ]
)


def kinds(other: list[Segment], tolerance: int = 0) -> list[tuple[str, int]]:
    return [(c.kind.value, c.start) for c in label_changes(BASE, other, tolerance)]


@pytest.mark.parametrize(
    ('other', 'wanted'),
    [
        (BASE, []),
        ([replace(BASE[0], end=8), *BASE[1:]], [('moved', 0)]),
        ([*BASE[:3], replace(BASE[3], label='d')], [('renamed', 40)]),
        (BASE[:3], [('only first', 40)]),
        ([*BASE, Segment(60, 70, 'd')], [('only second', 60)]),
        ([*BASE[:3], Segment(40, 47, 'c'), Segment(48, 50, 'c')], [('moved', 40), ('split', 48)]),
        (
            [Segment(0, 50, 'a')],
            [('moved', 0), ('only first', 10), ('joined', 20), ('only first', 40)],
        ),
        ([], [('only first', s.start) for s in BASE]),
    ],
)
def test_each_kind_of_change_is_told(other: list[Segment], wanted: list[tuple[str, int]]) -> None:
    assert kinds(other) == wanted


def test_an_edge_within_the_tolerance_has_not_moved() -> None:
    other = [replace(BASE[0], end=8), *BASE[1:]]
    assert kinds(other, 2) == []
    (change,) = label_changes(BASE, other, 1)
    assert change.moved == (0, -2)
    assert change.kind == ChangeKind.MOVED


@given(lanes, lanes)
def test_the_other_way_round_is_the_mirror_image(one: list[Segment], two: list[Segment]) -> None:
    def only(kind: ChangeKind, changes: list[LabelChange]) -> int:
        return sum(change.kind == kind for change in changes)

    there, back = label_changes(one, two), label_changes(two, one)
    assert only(ChangeKind.ONLY_FIRST, there) == only(ChangeKind.ONLY_SECOND, back)
    assert only(ChangeKind.ONLY_SECOND, there) == only(ChangeKind.ONLY_FIRST, back)
    assert only(ChangeKind.RENAMED, there) == only(ChangeKind.RENAMED, back)


@given(segments)
def test_nothing_differs_from_itself(one: list[Segment]) -> None:
    assert label_changes(one, one) == []


def test_labels_are_counted_and_measured() -> None:
    seconds = [replace(s, start=s.start * SECOND, end=s.end * SECOND) for s in BASE]
    found = label_statistics({'one': seconds, 'two': seconds[:1]}, ['z', 'c', 'a'])
    assert list(found.classes) == ['c', 'a', 'b']
    assert found.missing == ('z',)
    own = found.classes['a']
    assert (own.segments, own.recordings, own.total_s) == (3, 2, 30.0)
    assert (own.median_s, own.min_s, own.max_s) == (10.0, 10.0, 10.0)
    assert (own.succeeded, own.failed) == (0, 1)
    assert found.transitions == {('a', 'b'): 1, ('b', 'a'): 1, ('a', 'c'): 1}
    assert found.recordings == 2


def test_layers_that_overlap_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('m2r2_ros.evaluation.label_changes.MOST_OVERLAPS', 100)
    crowd = [Segment(k, 100, 'a') for k in range(20)]
    with pytest.raises(LabelError, match='more than 100 pairs of segments overlap'):
        label_changes(crowd, crowd)
