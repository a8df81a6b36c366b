# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Agreement of layers, against other people's code and against frames."""

from itertools import pairwise
from unittest import mock

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment, label_at
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.agreement import agreement, pooled_agreement
from m2r2_ros.evaluation.agreement_edges import closest_pairs

SPAN = 60

#: Segments in whatever order, overlapping or not, some beyond the span, some without a label.
layers = st.lists(
    st.builds(
        lambda start, length, label: Segment(start, start + length, label),
        st.integers(-5, SPAN),
        st.integers(0, 20),
        st.sampled_from(['a', 'b', 'c', 'ü', '', UNKNOWN_LABEL]),
    ),
    max_size=8,
)


def frames(layer: list[Segment]) -> list[str]:
    """Return the label of each nanosecond."""
    ordered = sorted(layer, key=lambda s: s.start)
    found = label_at(ordered, np.arange(SPAN))
    return ['' if label == UNKNOWN_LABEL else label for label in found]


@given(st.lists(layers, min_size=2, max_size=4))
def test_alpha_is_that_of_the_library_over_every_nanosecond(
    given_layers: list[list[Segment]],
) -> None:
    names = [f'layer {k}' for k in range(len(given_layers))]
    found = agreement(dict(zip(names, given_layers, strict=True)), (0, SPAN)).alpha
    labels = ['', 'a', 'b', 'c', 'ü']
    rows = [[labels.index(label) for label in frames(layer)] for layer in given_layers]
    values = np.array(rows, float)
    values[values == 0] = np.nan
    paired = values[:, (~np.isnan(values)).sum(axis=0) >= 2]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        assert found is None
        return
    wanted = krippendorff.alpha(reliability_data=values, level_of_measurement='nominal')
    assert found == pytest.approx(wanted, abs=1e-9)


@given(layers, layers)
def test_kappa_is_that_of_the_frames_that_both_label(
    one: list[Segment], two: list[Segment]
) -> None:
    pair = agreement({'one': one, 'two': two}, (0, SPAN)).pairs[0]
    both = [(a, b) for a, b in zip(frames(one), frames(two), strict=True) if a and b]
    assert pair.both_s == pytest.approx(len(both) / SECOND)
    if not both:
        assert pair.kappa is pair.same is None
        return
    same = np.mean([a == b for a, b in both])
    chance = sum(
        np.mean([a == label for a, _ in both]) * np.mean([b == label for _, b in both])
        for label in 'abcü'
    )
    assert pair.same == pytest.approx(same)
    if chance > 1 - 1e-9:
        assert pair.kappa is None
    else:
        assert pair.kappa == pytest.approx((same - chance) / (1 - chance))


@given(layers, layers)
def test_both_ways_are_the_same(one: list[Segment], two: list[Segment]) -> None:
    a = agreement({'one': one, 'two': two}, (0, SPAN))
    b = agreement({'two': two, 'one': one}, (0, SPAN))
    x, y = a.pairs[0], b.pairs[0]
    assert a.alpha == pytest.approx(b.alpha)
    assert x.kappa == pytest.approx(y.kappa)
    assert x.f1 == y.f1
    assert (x.only_first, x.only_first_s) == (y.only_second, y.only_second_s)


@given(layers.filter(lambda layer: any(frames(layer))))
def test_a_layer_agrees_with_itself(layer: list[Segment]) -> None:
    pair = agreement({'one': layer, 'two': layer}, (0, SPAN)).pairs[0]
    assert pair.same == 1
    assert set(pair.f1.values()) == {1.0}
    assert (pair.only_first, pair.only_second) == (0, 0)
    assert pair.edges.only_first == pair.edges.only_second == 0
    assert pair.edges.median in (0, None)


def cut(edges: list[float], labels: str) -> list[Segment]:
    times = [round(t * SECOND) for t in edges]
    return [Segment(a, b, label) for (a, b), label in zip(pairwise(times), labels, strict=True)]


def test_what_a_person_would_count() -> None:
    """The second edge is 0.3 s late, the third 1.5 s; one segment is another one."""
    one = cut([0, 10, 20, 30, 40], 'abca')
    two = cut([0, 10, 20.3, 31.5, 40], 'abcd')
    pair = agreement({'one': one, 'two': two}, (0, 40 * SECOND)).pairs[0]
    assert pair.edges.matched == 3
    assert pair.edges.median == pytest.approx(0.3)
    assert pair.edges.mean == pytest.approx(0.6)
    assert pair.edges.shift == pytest.approx(0.3)
    assert pair.f1 == {
        0.1: 2 * 1 / 8,
        0.2: 2 * 1 / 8,
        0.5: 2 * 2 / 8,
        1.0: 2 * 2 / 8,
        2.0: 2 * 3 / 8,
    }
    assert (pair.only_first, pair.only_second) == (1, 1)
    assert pair.same == pytest.approx((40 - 0.3 - 10) / 40)


def test_edges_farther_than_two_seconds_are_others() -> None:
    one, two = cut([0, 10, 40], 'ab'), cut([0, 13, 40], 'ab')
    edges = agreement({'one': one, 'two': two}, (0, 40 * SECOND)).pairs[0].edges
    assert (edges.matched, edges.median, edges.only_first, edges.only_second) == (0, None, 1, 1)


def test_attempts_of_one_label_keep_the_edge_between_them() -> None:
    one, two = cut([0, 10, 20], 'aa'), cut([0, 20], 'a')
    pair = agreement({'one': one, 'two': two}, (0, 20 * SECOND)).pairs[0]
    assert pair.edges.only_first == 1
    assert pair.kappa is None
    assert pair.f1[0.1] == 0


def test_recordings_are_pooled_and_no_edge_reaches_another_recording() -> None:
    one, two = cut([0, 10, 20], 'ab'), cut([0, 12, 20], 'ab')
    span = (0, 20 * SECOND)
    alone = agreement({'one': one, 'two': two}, span)
    twice = pooled_agreement([({'one': one, 'two': two}, span)] * 2)
    assert twice.alpha == pytest.approx(alone.alpha, abs=1e-9)
    assert twice.pairs[0].kappa == pytest.approx(alone.pairs[0].kappa)
    assert twice.pairs[0].edges.matched == 2
    absent = pooled_agreement([({'one': one, 'two': two}, span), ({'one': one}, span)])
    assert absent.pairs[0].only_first_s == 20
    assert absent.pairs[0].only_first == 2


def test_clocks_that_cannot_be_right_are_refused() -> None:
    layer = {'one': [Segment(0, 1, 'a')], 'two': [Segment(0, 2**61, 'a')]}
    with pytest.raises(LabelError, match='clocks right'):
        pooled_agreement([(layer, (0, 2**61))] * 3)


def test_nothing_agrees_with_nothing() -> None:
    found = agreement({'one': [], 'two': []}, (0, 0))
    assert found.alpha is found.pairs[0].kappa is found.pairs[0].edges.median is None
    assert set(found.pairs[0].f1.values()) == {None}


@pytest.mark.parametrize(('gap', 'wanted'), [(10, [10] * 200), (11, [-9] * 199)])
def test_two_grids_are_paired_in_order_of_time(gap: int, wanted: list[int]) -> None:
    """Of edges that are equally far from their neighbours on both sides, or nearly so."""
    one = np.arange(200, dtype=np.int64) * 20
    assert closest_pairs(one, one + gap, 15).tolist() == wanted


@given(
    st.lists(st.integers(0, 40), max_size=9, unique=True),
    st.lists(st.integers(0, 40), max_size=9, unique=True),
)
def test_pairs_that_are_left_are_found_one_by_one(one: list[int], two: list[int]) -> None:
    """However many rounds go before."""
    ours, theirs = np.array(one, np.int64), np.array(two, np.int64)
    wanted = sorted(closest_pairs(ours, theirs, 15).tolist())
    with mock.patch('m2r2_ros.evaluation.agreement_edges._ROUNDS', 0):
        assert sorted(closest_pairs(ours, theirs, 15).tolist()) == wanted


points = st.lists(st.integers(0, 60), max_size=8, unique=True)


@given(points, points, st.integers(0, 30))
def test_the_closest_edges_are_pairs(one: list[int], two: list[int], reach: int) -> None:
    """As taking the closest pair, again and again, does."""
    found = closest_pairs(np.array(one, np.int64), np.array(two, np.int64), reach)
    left, right, wanted = set(one), set(two), []
    while pairs := [(abs(a - b), min(a, b), a, b) for a in left for b in right]:
        distance, _, a, b = min(pairs)
        if distance > reach:
            break
        wanted.append(b - a)
        left.remove(a)
        right.remove(b)
    assert sorted(found.tolist()) == sorted(wanted)
