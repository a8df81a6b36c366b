# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold rule and smoothing."""

from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.segmenters.commit import Commit, feature_names
from m2r2_ros.segmenters.decoding import Decoding, Rule
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.hold import Hold
from m2r2_ros.segmenters.lags import Smoother

MS = 1_000_000
T = 1_700_000_000_000_000_000


def likely(label: int, confidence: float = 0.9, classes: int = 4) -> NDArray[np.float32]:
    p = np.full(classes, (1 - confidence) / (classes - 1), np.float32)
    p[label] = confidence
    return p


def frame(start: int, stamp: int) -> Frame:
    return Frame(start, stamp, mask=0, boundary_score=0.0, revision_lag=0)


def held(
    rule: Hold, labels: list[int], confidences: list[float] | None = None, period: int = 100
) -> list[int]:
    """Run labels through a rule; frame i is [T + i * period, T + (i + 1) * period) ms."""
    confidences = confidences or [0.9] * len(labels)
    return [
        rule.step(likely(k, c), frame(T + i * period * MS, T + (i + 1) * period * MS))
        for i, (k, c) in enumerate(zip(labels, confidences, strict=True))
    ]


@given(st.lists(st.integers(0, 3), max_size=30))
def test_without_conditions_every_frame_has_its_likeliest_label(labels: list[int]) -> None:
    assert held(Hold(0.0, 0), labels) == labels


def test_a_label_is_taken_up_once_it_is_likely_enough() -> None:
    rule = Hold(0.6, 0)
    confidences = [0.4, 0.5, 0.59, 0.6, 0.3, 0.7]
    assert held(rule, [0, 1, 1, 1, 2, 2], confidences) == [0, 0, 0, 1, 1, 2]


def test_a_label_is_taken_up_once_it_has_lasted() -> None:
    # 300 ms: the third frame of a run ends 300 ms after its first began.
    assert held(Hold(0, 300 * MS), [0, 1, 1, 1, 1, 2]) == [0, 0, 0, 1, 1, 1]


def test_short_phases_pass_unnoticed() -> None:
    assert held(Hold(0, 300 * MS), [0, 0, 1, 1, 0, 0, 2, 0, 1, 1, 1]) == [0] * 10 + [1]


def test_a_rival_that_changes_begins_anew() -> None:
    assert held(Hold(0, 300 * MS), [0, 1, 1, 2, 2, 1, 1, 1]) == [0] * 7 + [1]


def test_a_frame_of_doubt_begins_the_wait_anew() -> None:
    confidences = [0.9, 0.9, 0.9, 0.5, 0.9, 0.9, 0.9]
    assert held(Hold(0.6, 300 * MS), [0, 1, 1, 1, 1, 1, 1], confidences) == [0] * 6 + [1]


@given(st.lists(st.integers(20, 300), min_size=5, max_size=40), st.integers(0, 1000))
def test_duration_is_time_not_frames(lengths: list[int], least: int) -> None:
    rule = Hold(0, least * MS)
    edges = np.cumsum([0, *lengths])
    found = []
    for i in range(len(lengths)):
        label = int(i > 0)
        span = frame(T + int(edges[i]) * MS, T + int(edges[i + 1]) * MS)
        found.append(rule.step(likely(label), span))
    expected = [int(i > 0 and edges[i + 1] - edges[1] >= least) for i in range(len(lengths))]
    assert found == expected


def test_the_first_label_is_taken_as_it_is_unless_there_is_one_to_go_on_from() -> None:
    assert held(Hold(0.9, 500 * MS), [2, 3], [0.3, 0.3]) == [2, 2]
    assert held(Hold(0.9, 500 * MS, label=1), [3, 1], [0.3, 0.3]) == [1, 1]


@pytest.mark.parametrize('period', [0.1, 1 / 15, 1 / 29.97, 0.05])
@pytest.mark.parametrize('least', [0.0, 0.05, 0.2, 0.3, 0.5, 1.0])
def test_the_added_delay_is_the_delay_that_a_change_has(least: float, period: float) -> None:
    rule = Hold(0, round(least * 1e9))
    frames = [0] * 5 + [1] * 50
    stamps = [round((i + 1) * period * 1e9) for i in range(-1, 55)]
    found = [rule.step(likely(k), frame(stamps[i], stamps[i + 1])) for i, k in enumerate(frames)]
    delay = Rule(3, min_duration=least).added_delay(period)
    assert delay['hold_s'] == pytest.approx((found.index(1) - 5) * period)
    assert delay['lag_s'] == pytest.approx(3 * period)


def smoothed(lag: int, rows: NDArray[np.float32]) -> tuple[list[int], NDArray[np.float32]]:
    """Return after which frame each smoothed row came (n for finish), and the rows."""
    smoother = Smoother(lag)
    when, out = [], []
    for i, row in enumerate(rows):
        result = smoother.step({0: row})
        if result is not None:
            when.append(i)
            out.append(result)
    rest = smoother.finish()
    return when + [len(rows)] * len(rest), np.array(out + rest).reshape(-1, rows.shape[1])


@given(st.integers(0, 6), st.integers(0, 30))
def test_smoothing_is_the_mean_of_as_many_frames_either_side(lag: int, n: int) -> None:
    rows = np.random.default_rng(n).dirichlet(np.ones(3), n).astype(np.float32).reshape(n, 3)
    when, out = smoothed(lag, rows)
    assert len(out) == n
    for i in range(n):
        reach = min(lag, i, n - 1 - i)
        expected = rows[i - reach : i + reach + 1].mean(axis=0)
        np.testing.assert_allclose(out[i], expected, atol=1e-6)
        assert when[i] == min(i + lag, n)
    assert out.dtype == np.float32 or not n


def test_without_lag_probabilities_pass_as_they_are() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(3), 5).astype(np.float32)
    when, out = smoothed(0, rows)
    assert when == list(range(5))
    assert np.array_equal(out, rows)


def test_what_is_finished_is_forgotten() -> None:
    smoother = Smoother(2)
    for k in range(5):
        smoother.step({0: likely(0, 0.5 + 0.1 * (k % 2))})
    assert len(smoother.finish()) == 2
    assert smoother.finish() == []
    assert smoother.step({0: likely(1)}) is None
    np.testing.assert_array_equal(smoother.finish()[0], likely(1))


LABELS = LabelSet.of('abcd')
WEIGHTS = {name: 0.1 * k for k, name in enumerate(feature_names(LABELS))}
COMMIT = Rule(0, temperature=1.5, threshold=0.6, weights=WEIGHTS, delay_s=0.2)
LATE = Rule(3, temperature=1.2, own_output=True, min_confidence=0.6)
LEARNT = Decoding(whole_temperature=2.0, learnt=(COMMIT, LATE))


@pytest.mark.parametrize('options', [Decoding(0.6, 0.5, 4), LEARNT])
def test_options_survive_a_round_trip(options: Decoding) -> None:
    text = yaml.safe_dump(options.to_dict())
    assert Decoding.from_dict(yaml.safe_load(text)) == options
    assert Decoding.from_dict({}) == Decoding()


def test_the_learnt_rule_is_that_of_the_lag() -> None:
    assert LEARNT.rule == COMMIT
    assert isinstance(LEARNT.rule.decider(LABELS), Commit)
    assert LEARNT.asked({'lag': 3}).rule == LATE
    # Nothing was learnt for lag 5: a mean, as likely as at lag 0.
    assert LEARNT.asked({'lag': 5}).rule == Rule(5, temperature=1.5)
    assert LEARNT.whole_rule == Rule(0, temperature=2.0)
    assert Decoding(0.5, 0.2, 1).rule == Rule(1, min_confidence=0.5, min_duration=0.2)


def test_a_hold_rule_that_is_asked_for_replaces_what_was_learnt() -> None:
    held = LEARNT.held(min_confidence=0.8)
    assert held.rule == Rule(0, temperature=1.5, min_confidence=0.8, threshold=0.6)
    assert isinstance(held.rule.decider(LABELS), Hold)
    late = LEARNT.asked({'lag': 3, 'min_duration': 0.3})
    assert late.rule == Rule(3, 1.2, True, 0.6, 0.3)
    assert late.rule.added_delay(0.1) == {'hold_s': pytest.approx(0.2), 'lag_s': pytest.approx(0.3)}
    assert LEARNT.held() == LEARNT
    assert LEARNT.asked({}) == LEARNT
    wrongs: list[dict[str, Any]] = [{'min_confidence': 2.0}, {'lag': -1}, {'learnt': []}]
    for wrong in wrongs:
        with pytest.raises(ConfigError, match='decoding'):
            LEARNT.asked(wrong)


def test_rules_fit_the_head_that_they_were_learnt_for() -> None:
    LEARNT.expect_fits(LABELS, (0, 3))
    with pytest.raises(ConfigError, match=r'lag 3 uses an output.*lags 0, 5'):
        LEARNT.expect_fits(LABELS, (0, 5))
    with pytest.raises(ConfigError, match='weights'):
        LEARNT.expect_fits(LabelSet.of('abx'), (0, 3))


@pytest.mark.parametrize(
    ('entries', 'named'),
    [
        ({'min_confidence': 1.1}, 'min_confidence'),
        ({'min_confidence': -0.1}, 'min_confidence'),
        ({'min_confidence': float('nan')}, 'min_confidence'),
        ({'min_confidence': 'high'}, 'min_confidence'),
        ({'min_duration': -1}, 'min_duration'),
        ({'min_duration': None}, 'min_duration'),
        ({'lag': -1}, 'lag'),
        ({'lag': 1.5}, 'lag'),
        ({'lag': '2'}, 'lag'),
        ({'hold': 1}, 'hold'),
        ({'whole_temperature': 0}, 'whole_temperature'),
        ({'learnt': {}}, 'learnt'),
        ({'learnt': [1]}, 'learnt'),
        ({'learnt': [{'lag': True}]}, 'learnt.lag'),
        ({'learnt': [{'lag': 0}, {'lag': 0}]}, 'learnt'),
        ({'learnt': [{'lag': k} for k in range(40)]}, 'learnt'),
        ({'learnt': [{'lag': 0, 'temperature': 0.0}]}, 'learnt.temperature'),
        ({'learnt': [{'lag': 0, 'temperature': float('inf')}]}, 'learnt.temperature'),
        ({'learnt': [{'lag': 0, 'threshold': 1.0}]}, 'learnt.threshold'),
        ({'learnt': [{'lag': 0, 'own_output': 1}]}, 'learnt.own_output'),
        ({'learnt': [{'lag': 0, 'delay_s': 'soon'}]}, 'learnt.delay_s'),
        ({'learnt': [{'lag': 0, 'patience': 2}]}, 'patience'),
        ({'learnt': [{'lag': 0, 'weights': [1.0]}]}, 'learnt.weights'),
        ({'learnt': [{'lag': 0, 'weights': {'bias': float('nan')}}]}, 'learnt.weights'),
        ({'learnt': [{'lag': 0, 'weights': {'bias': 1e9}}]}, 'learnt.weights'),
        ({'learnt': [{'lag': 0, 'weights': {'bias': '1'}}]}, 'learnt.weights'),
    ],
)
def test_wrong_options_are_named(entries: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=rf'decoding.*{named}'):
        Decoding.from_dict(entries)
