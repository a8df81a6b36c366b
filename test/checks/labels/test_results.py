# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of labels find what is wrong, and nothing where all is right."""

from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.checks.finding import NotRun, Severity
from m2r2_ros.checks.labels.catalogue import LABEL_CHECKS
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.reference import LabelReference, learn_reference
from m2r2_ros.checks.labels.results import MOST_FINDINGS, label_results
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.options import read_options
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.taxonomy import LabelClass, Taxonomy
from test.checks.labels.made import (
    LABELS,
    SECOND,
    START,
    Made,
    findings,
    made,
    not_run,
    reference,
    shifted,
    with_segments,
)

USUAL = reference()


@pytest.mark.parametrize('seed', range(5))
def test_nothing_is_found_where_all_is_right(seed: int) -> None:
    labels, events = made(seed)
    levels = tuple(replace(s, label=labels.parents[s.label]) for s in labels.segments)
    labels = replace(labels, coarse=levels, phases=labels.segments, facts=None)
    assert not findings(label_results(labels, USUAL, events))


@pytest.mark.parametrize('count', [0, 1, 2, 4])
def test_a_small_reference_raises_no_alarm(count: int) -> None:
    for seed in range(8):
        labels, events = made(seed, rounds=20)
        assert not findings(label_results(labels, reference(count), events))


def test_checks_are_told_in_order_and_only_those_that_are_wanted() -> None:
    labels, events = made(0)
    ids = [r.check for r in label_results(with_segments(labels, ()), LabelReference(()), events)]
    order = [facts.id for facts in LABEL_CHECKS]
    assert sorted(ids, key=order.index) == ids
    wanted = ['label.coverage', 'file.cut']
    results = label_results(with_segments(labels, ()), USUAL, events, None, wanted)
    assert {r.check for r in results} == {'label.coverage'}


def test_every_gap_is_found_and_what_is_called_unknown_is_one() -> None:
    labels, _ = made(1)
    segments = list(labels.segments)
    dropped, withheld = segments[3], segments[7]
    segments[7] = replace(withheld, label='unknown')
    del segments[3]
    results = label_results(with_segments(labels, segments), USUAL, None, None, ['label.coverage'])
    gaps = findings(results)
    assert [(f.start, f.end) for f in gaps] == [
        (dropped.start, dropped.end), (withheld.start, withheld.end),
    ]  # fmt: skip
    assert 'called unknown' in gaps[1].message
    assert 'called unknown' not in gaps[0].message
    missing = dropped.end - dropped.start + withheld.end - withheld.start
    share = 100 * missing / (labels.span[1] - labels.span[0])
    assert gaps[0].measured == pytest.approx(share)
    assert {f.severity for f in gaps} == {Severity.WARNING}
    loose = LabelOptions(unlabelled=0.5)
    assert not label_results(
        with_segments(labels, segments), USUAL, None, loose, ['label.coverage']
    )


def test_overlaps_and_labels_outside_are_found() -> None:
    labels, _ = made(2)
    first = labels.segments[0]
    segments = [replace(first, end=first.end + SECOND), *labels.segments[1:]]
    (found,) = findings(label_results(with_segments(labels, segments), USUAL))
    assert (found.severity, found.start, found.end) == (
        Severity.ERROR, first.end, first.end + SECOND,
    )  # fmt: skip
    after = Segment(labels.span[1] + SECOND, labels.span[1] + 2 * SECOND, 'rest')
    outside = with_segments(labels, [*labels.segments, after])
    (found,) = findings(label_results(outside, USUAL, None, None, ['label.coverage']))
    assert found.severity is Severity.ERROR
    assert 'outside' in found.message
    assert found.measured == pytest.approx(2.0)


def test_names_and_parents_and_ids_that_the_set_lacks_are_found() -> None:
    labels, _ = made(3)
    segments = [replace(labels.segments[0], label='wéld <b>'), *labels.segments[1:]]
    wrong = with_segments(labels, segments)
    (found,) = findings(label_results(wrong, USUAL, None, None, ['label.taxonomy']))
    assert (found.topic, found.severity) == ('wéld <b>', Severity.ERROR)
    classes = tuple(LabelClass(n, 'other' if n == 'rest' else p) for n, p in _pairs())
    parents = replace(labels, taxonomy=Taxonomy('t', '1', classes))
    (found,) = findings(label_results(parents, USUAL, None, None, ['label.taxonomy']))
    assert found.topic == 'rest'
    assert "'other'" in found.message
    track = replace(_track(10), label_ids=np.array([0] * 9 + [1]), label_set=LABELS)
    ids = replace(labels, track=track)
    (found,) = findings(label_results(ids, USUAL, None, None, ['label.taxonomy']))
    assert found.topic == 'pick_a'
    assert 'has the id 1' in found.message
    (told,) = not_run(
        label_results(replace(labels, label_set=None), USUAL, None, None, ['label.taxonomy'])
    )
    assert 'taxonomy' in told.why


def test_segments_that_are_too_short_or_too_long_are_found() -> None:
    labels, _ = made(4)
    a, b, c, *rest = labels.segments
    segments = [
        a, replace(b, end=b.start + 5_000_000), replace(c, start=b.start + 5_000_000), *rest,
    ]  # fmt: skip
    results = label_results(with_segments(labels, segments), USUAL, None, None, ['label.duration'])
    short, long = findings(results)
    assert (short.start, short.measured, short.threshold) == (b.start, 0.005, 0.3)
    assert long.topic == c.label
    assert long.measured is not None
    assert long.threshold is not None
    assert long.measured > long.threshold
    few = label_results(labels, LabelReference(()), None, None, ['label.duration'])
    assert [r.topic for r in not_run(few)] == ['']


def test_transitions_that_never_happen_are_found() -> None:
    labels, _ = made(5)
    k = next(k for k, s in enumerate(labels.segments) if k > 3 and s.label.startswith('pick'))
    pick, insert = labels.segments[k : k + 2]
    segments = list(labels.segments)
    segments[k], segments[k + 1] = replace(pick, label='rest'), replace(insert, label='rest')
    wide = learn_reference([made(seed) for seed in range(2000, 2060)])
    results = label_results(with_segments(labels, segments), wide, None, None, ['label.grammar'])
    assert any(f.start == pick.start for f in findings(results))
    assert not findings(label_results(labels, wide, None, None, ['label.grammar']))
    (told,) = label_results(labels, reference(1), None, None, ['label.grammar'])
    assert 'expected 200' in not_run([told])[0].why


def test_what_follows_a_failed_attempt_is_not_judged_unless_outcomes_are_unknown() -> None:
    wide = learn_reference([_recovering(seed) for seed in range(3000, 3060)])
    labels, _ = _recovering(3100)
    assert not label_results(labels, wide, None, None, ['label.grammar'])
    untold = with_segments(labels, [replace(s, success=None) for s in labels.segments])
    assert not label_results(untold, wide, None, None, ['label.grammar'])
    right = with_segments(labels, [replace(s, success=True) for s in labels.segments])
    assert findings(label_results(right, wide, None, None, ['label.grammar']))


def test_levels_that_do_not_change_together_are_found() -> None:
    labels, _ = made(6)
    coarse = tuple(replace(s, label=labels.parents[s.label]) for s in labels.segments)
    moved = [*coarse[:4], *shifted(coarse[4:], 0.2)]
    wrong = replace(labels, coarse=tuple(moved))
    found = findings(label_results(wrong, USUAL, None, None, ['label.hierarchy']))
    assert {f.severity for f in found} == {Severity.WARNING}
    assert all(f.measured == pytest.approx(0.2) for f in found)
    named = replace(coarse[2], label='weave')
    wrong = replace(labels, coarse=(*coarse[:2], named, *coarse[3:]))
    found = findings(label_results(wrong, USUAL, None, None, ['label.hierarchy']))
    errors = [f for f in found if f.severity is Severity.ERROR]
    assert [(f.topic, f.start) for f in errors] == [(labels.segments[2].label, named.start)]
    phases = replace(labels, phases=tuple(shifted(labels.segments, 0.1)))
    (found_one,) = findings(label_results(phases, USUAL, None, None, ['label.hierarchy']))
    assert 'phase' in found_one.message
    near = replace(labels, phases=tuple(shifted(labels.segments, 0.02)))
    assert not label_results(near, USUAL, None, None, ['label.hierarchy'])


def test_other_layers_that_differ_are_found() -> None:
    labels, _ = made(14)
    near = replace(labels, others={'twin': shifted(labels.segments, 0.05)})
    assert not label_results(near, USUAL, None, None, ['label.agreement'])
    far = replace(labels, others={'Ben': shifted(labels.segments, 0.6), 'twin': labels.segments})
    found = findings(label_results(far, USUAL, None, None, ['label.agreement']))
    assert {f.topic for f in found} == {'Ben'}
    assert {f.unit for f in found} == {'', 's'}
    steps = [replace(s, label=f'step of {s.label}') for s in labels.segments]
    coarser = replace(labels, others={'steps': steps})
    (result,) = label_results(coarser, USUAL, None, None, ['label.agreement'])
    assert isinstance(result, NotRun)
    assert 'other labels' in result.why


def test_a_model_that_is_sure_without_a_sensor_is_found() -> None:
    labels, _ = made(15)
    clean = replace(labels, track=_track(200))
    assert not label_results(clean, USUAL, None, None, ['label.blind'])
    masks = np.full(200, 3, np.uint32)
    masks[50:80] = 1
    (found,) = findings(
        label_results(
            replace(labels, track=replace(_track(200), masks=masks)),
            USUAL, None, None, ['label.blind'],
        )
    )  # fmt: skip
    assert found.topic == 'wrench'
    assert found.measured == pytest.approx(3.0)
    assert (found.start, found.end) == (START + 5 * SECOND, START + 8 * SECOND)
    unsure = replace(_track(200), masks=masks, confidences=np.full(200, 0.7, np.float32))
    assert not label_results(replace(labels, track=unsure), USUAL, None, None, ['label.blind'])


def test_labels_that_do_not_say_where_they_come_from_are_found() -> None:
    labels, _ = made(16)
    facts = LayerFacts(Origin.MANUAL, 'Anna', '2026-11-27T15:30:12Z')
    for wrong, word in ((replace(facts, by=''), 'who'), (replace(facts, time=''), 'when')):
        anonymous = replace(labels, facts=wrong)
        (found,) = findings(label_results(anonymous, USUAL, None, None, ['label.provenance']))
        assert word in found.message
    model = LayerFacts(Origin.AUTOMATIC, 'a model')
    for right in (facts, model):
        signed = replace(labels, facts=right)
        assert not label_results(signed, USUAL, None, None, ['label.provenance'])
    nameless = replace(labels, facts=replace(model, by=''))
    (found,) = findings(label_results(nameless, USUAL, None, None, ['label.provenance']))
    assert found.message == 'the labels do not say the model that made them'
    own = label_results(labels, USUAL, None, None, ['label.provenance'])
    assert not_run(own)


def test_odd_labels_raise_nothing_and_findings_have_a_bound() -> None:
    labels, events = made(17)
    odd = [
        Segment(-(2**63), 5, 'neg'), Segment(0, 2**63 - 1, 'all'), Segment(START, START, 'zero'),
        Segment(START, START + 1, 'näme 🦾'), Segment(2**62, 2**63 - 1, ''),
    ]  # fmt: skip
    for segments in (odd, []):
        for span in (labels.span, (0, 0), (0, 2**62)):
            wrong = replace(with_segments(labels, segments), span=span, coarse=tuple(odd))
            label_results(replace(wrong, others={'x': odd}), USUAL, events)
            assert label_results(wrong, learn_reference([(wrong, events), made(1)]), events)
    later = START + SECOND
    many = [Segment(later + k, later + k + 2, 'rest') for k in range(3 * MOST_FINDINGS)]
    results = label_results(
        with_segments(labels, many), USUAL, None, None, ['label.coverage', 'label.duration']
    )
    assert len(findings(results)) == 2 * MOST_FINDINGS
    assert sum('left out' in r.why for r in not_run(results)) == 2


def test_thresholds_come_from_yaml_and_are_checked() -> None:
    assert read_options(LabelOptions, {'kappa': 0.5}, 'label').kappa == 0.5
    with pytest.raises(ConfigError, match='kappa'):
        read_options(LabelOptions, {'kappa': 7}, 'label')
    with pytest.raises(ConfigError, match='kapa'):
        read_options(LabelOptions, {'kapa': 0.5}, 'label')


def _recovering(seed: int) -> Made:
    """Return labels where the arm rests after each pick that failed, and after no other."""
    labels, events = made(seed)
    segments = list(labels.segments)
    for k, s in enumerate(segments[:-1]):
        if s.label.startswith('pick') and k % 5 == 2:
            segments[k] = replace(s, success=False)
            segments[k + 1] = replace(segments[k + 1], label='rest', success=True)
    return with_segments(labels, segments), events


def _pairs() -> list[tuple[str, str]]:
    return list(zip(LABELS.names, LABELS.parents, strict=True))


def _track(count: int) -> LabelTrack:
    return LabelTrack(
        name='rec',
        stamps=START + np.arange(count) * (SECOND // 10),
        label_ids=np.zeros(count, np.int64),
        labels=['pick_a'] * count,
        confidences=np.full(count, 0.9, np.float32),
        probabilities=np.ones((count, 1), np.float32),
        boundary_scores=np.zeros(count, np.float32),
        revision_lags=np.zeros(count, np.int64),
        latencies=np.zeros(count, np.float32),
        masks=np.full(count, 3, np.uint32),
        model_id='a model',
        label_set=LABELS,
        modalities=('pose', 'wrench'),
    )
