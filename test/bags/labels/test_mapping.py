# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mappings of labels: what each rule does, and what files are refused."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags.labels.mapping import (
    DROPPED,
    KEPT,
    Condition,
    LabelMapping,
    MappingRule,
    apply_mapping,
)
from m2r2_ros.bags.labels.mapping_file import read_mapping
from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND


def run(labels: str, lengths: float = 1.0) -> list[Segment]:
    """Return segments that follow on each other, a letter each."""
    step = round(lengths * SECOND)
    return [Segment(k * step, (k + 1) * step, label) for k, label in enumerate(labels)]


def mapped(text: str, segments: list[Segment], folder: Path, **parents: str) -> str:
    """Return the labels that a mapping file gives, one after the other."""
    path = folder / 'map.yaml'
    path.write_text(text, encoding='utf-8')
    found, _ = apply_mapping(read_mapping(path), segments, parents, 0)
    return ' '.join(s.label for s in found)


@pytest.mark.parametrize(
    ('condition', 'wanted'),
    [
        ('outcome: failed', 'a b x a'),
        ('outcome: success', 'a x a a'),
        ('outcome: unknown', 'x b a x'),
        ('shorter_than: 2', 'a b a x'),
        ('longer_than: 2', 'x b a a'),
        ('after: b', 'a b x a'),
        ('after: [b, a]', 'a x x x'),
        ('before: b', 'x b a a'),
        ('parent: up', 'x b x x'),
        ('position: first', 'x b a a'),
        ('position: last', 'a b a x'),
        ('starts_before: 3.5', 'x x a a'),
        ('starts_after: 5', 'a b x x'),
        ('{outcome: unknown, position: last}', 'a b a x'),
    ],
)
def test_a_rule_holds_where_its_conditions_do(tmp_path: Path, condition: str, wanted: str) -> None:
    segments = [
        Segment(0, 3 * SECOND, 'a'),
        Segment(3 * SECOND, 5 * SECOND, 'b', success=True),
        Segment(5 * SECOND, 7 * SECOND, 'a', success=False),
        Segment(7 * SECOND, 8 * SECOND, 'a'),
    ]
    when = condition if condition.startswith('{') else f'{{{condition}}}'
    text = f'unmapped: kept\njoin: no\nothers: [{{when: {when}, to: x}}]'
    assert mapped(text, segments, tmp_path, a='up') == wanted


def test_the_first_rule_that_holds_counts(tmp_path: Path) -> None:
    text = """
labels:
  a: [{when: {position: first}, to: start}, {when: {before: c}, to: null}, {to: rest}]
  b: one
  c: one
unmapped: refused
"""
    assert mapped(text, run('abacab'), tmp_path) == 'start one one rest one'


def test_neighbours_join_where_their_labels_became_the_same(tmp_path: Path) -> None:
    segments = run('abbca')
    segments[0] = replace(segments[0], confidence=0.5, success=True)
    segments[1] = replace(segments[1], confidence=1.0, success=False)
    path = tmp_path / 'map.yaml'
    path.write_text('labels: {a: x, b: x, c: y}\nunmapped: refused\n')
    found, report = apply_mapping(read_mapping(path), segments, {}, 0)
    assert [(s.label, s.start, s.end) for s in found] == [
        ('x', 0, 2 * SECOND),  # a and the first b
        ('x', 2 * SECOND, 3 * SECOND),  # the second attempt of b stays one of its own
        ('y', 3 * SECOND, 4 * SECOND),
        ('x', 4 * SECOND, 5 * SECOND),
    ]
    assert (found[0].confidence, found[0].success) == (0.75, False)
    assert report.joined == 1
    assert report.mapped == {
        ('a', 'x', 'labels.a'): 2,
        ('b', 'x', 'labels.b'): 2,
        ('c', 'y', 'labels.c'): 1,
    }


def test_what_has_no_rule_is_kept_dropped_or_refused(tmp_path: Path) -> None:
    text = 'labels: {a: x, z: y}\nunmapped: '
    assert mapped(text + KEPT, run('ab'), tmp_path) == 'x b'
    assert mapped(text + DROPPED, run('ab'), tmp_path) == 'x'
    with pytest.raises(LabelError, match=r'no rule of map holds for segments of b \(2\)'):
        mapped(text + 'refused', run('abb'), tmp_path)
    mapping = read_mapping(tmp_path / 'map.yaml')
    _, report = apply_mapping(replace(mapping, unmapped=KEPT), run('ab'), {}, 0)
    assert report.unused(mapping) == ['labels.z']
    assert report.unmapped == {'b': 1}


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('', 'unmapped: expected one of kept, dropped, refused, but it is missing'),
        ('labels: {a: b}', 'unmapped: expected one of'),
        ('unmapped: kept', 'labels: expected a label that becomes another one'),
        ('labels: {a: b}\nunmapped: maybe', "found 'maybe'"),
        ('labels: {a: b}\nunmapped: kept\nrename: {}', 'unknown entries rename'),
        ('labels: {a: 1}\nunmapped: kept', 'labels.a: expected a label, null'),
        ('labels: {a: []}\nunmapped: kept', 'labels.a: expected 1 to 256 rules'),
        ('labels: {a: [b]}\nunmapped: kept', 'labels.a[1]: expected a mapping'),
        ('labels: {a: [{when: {position: last}}]}\nunmapped: kept', 'labels.a[1].to: expected'),
        ('labels: {a: [{to: b, if: c}]}\nunmapped: kept', 'labels.a[1]: unknown entries if'),
        ('labels: {a: [{to: b}, {to: c}]}\nunmapped: kept', 'no rule after one without `when`'),
        ('labels: {a: [{to: b, when: {}}]}\nunmapped: kept', 'a[1].when: expected a condition'),
        ('labels: {a: [{to: b, when: {outcome: ok}}]}\nunmapped: kept', 'success, failed, unknown'),
        ('labels: {a: [{to: b, when: {position: 2}}]}\nunmapped: kept', 'first, last'),
        ('labels: {a: [{to: b, when: {longer_than: -1}}]}\nunmapped: kept', 'seconds, 0 to'),
        ('labels: {a: [{to: b, when: {longer_than: .nan}}]}\nunmapped: kept', 'seconds, 0 to'),
        ('labels: {a: [{to: b, when: {longer_than: true}}]}\nunmapped: kept', 'seconds, 0 to'),
        ('labels: {a: [{to: b, when: {after: []}}]}\nunmapped: kept', 'when.after: expected a'),
        ('labels: {a: [{to: b, when: {after: [c, c]}}]}\nunmapped: kept', 'different ones'),
        ('labels: {a: [{to: b, when: {colour: c}}]}\nunmapped: kept', 'unknown entries colour'),
        ('others: [{to: b}]\nlabels: [a]\nunmapped: kept', 'labels: expected a mapping'),
        (f'labels: {{a: {"x" * 257}}}\nunmapped: kept', 'expected 1 to 256 characters'),
        ('labels: {a: "x\\0"}\nunmapped: kept', 'none of them NUL'),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / 'map.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'map\.yaml') as caught:
        read_mapping(path)
    assert says in str(caught.value)


rules = st.lists(
    st.builds(
        MappingRule,
        st.sampled_from(['x', 'y', 'a', '']),
        st.builds(
            Condition,
            outcome=st.sampled_from(['', 'success', 'failed', 'unknown']),
            longer_than=st.none() | st.floats(0, 3),
            after=st.sampled_from([(), ('a',), ('b', 'ü')]),
            position=st.sampled_from(['', 'first', 'last']),
        ),
    ),
    max_size=3,
)
mappings = st.builds(
    LabelMapping,
    st.just('m'),
    st.dictionaries(st.sampled_from('abcü'), rules, max_size=4),
    rules,
    st.sampled_from([KEPT, DROPPED]),
    st.booleans(),
)


@given(mappings, st.lists(st.sampled_from('abcü'), max_size=8), st.integers(0, 2))
def test_every_segment_is_accounted_for(mapping: LabelMapping, labels: list[str], gap: int) -> None:
    """What is mapped, dropped and unmapped is all there was; time is neither made nor moved."""
    segments = [Segment(4 * k, 4 * k + 4 - gap, label) for k, label in enumerate(labels)]
    found, report = apply_mapping(mapping, segments, {}, 0)
    unmapped = sum(report.unmapped.values())
    mapped_now, dropped = sum(report.mapped.values()), sum(report.dropped.values())
    assert mapped_now + dropped + unmapped == len(segments)
    kept = unmapped if mapping.unmapped == KEPT else 0
    assert len(found) == mapped_now + kept - report.joined
    assert sum(s.end - s.start for s in found) == (mapped_now + kept) * (4 - gap)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert report.joined == 0 or (mapping.join and not gap)
