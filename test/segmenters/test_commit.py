# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commit rule: its features as they are defined, and what weights make of them."""

from math import log

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.segmenters.commit import Commit, Evidence, feature_names, weight_vector
from m2r2_ros.segmenters.frame import Frame

LABELS = LabelSet(('rest', 'pick_a', 'pick_b', 'place_a'), ('rest', 'pick', 'pick', 'place'))
FLAT = LabelSet.of(['a', 'b', 'c', 'd'])
NAMES = feature_names(LABELS)
RNG = np.random.default_rng(0)
P = RNG.dirichlet(np.full(4, 0.3), 60).astype(np.float32)
BOUNDARIES = RNG.uniform(0, 1, 60)


def logit(p: float) -> float:
    p = float(np.clip(p, 1e-4, 1 - 1e-4))
    return log(p / (1 - p))


def features_at(t: int, own: int) -> NDArray[np.float64]:
    evidence = Evidence(LABELS)
    for p, boundary in zip(P[: t + 1], BOUNDARIES, strict=False):
        evidence.add(p, float(boundary))
    return evidence.features(own)


def frame(boundary: float = 0.0) -> Frame:
    return Frame(0, 1, mask=0, boundary_score=boundary, revision_lag=0)


def run(weights: dict[str, float], threshold: float = 0.5, labels: LabelSet = LABELS) -> list[int]:
    names = feature_names(labels)
    vector = np.array([weights.get(name, 0.0) for name in names])
    rule = Commit(vector, threshold, labels)
    return [rule.step(p, frame(b)) for p, b in zip(P, BOUNDARIES, strict=True)]


@pytest.mark.parametrize('t', [0, 1, 4, 17, 59])
@pytest.mark.parametrize('own', range(4))
def test_features_are_what_they_are_called(t: int, own: int) -> None:
    best = P.argmax(axis=1)
    rival = int(best[t])
    run = next((k for k in range(t + 1) if best[t - k] != rival), t + 1)
    since = next((k for k in range(t + 1) if best[t - k] == own), t + 1)
    parents = ['rest', 'pick', 'pick', 'place']
    expected = {
        'bias': 1.0,
        'rival': logit(P[t, rival]),
        'rival_short_mean': logit(P[max(0, t - 2) : t + 1, rival].mean()),
        'rival_long_mean': logit(P[max(0, t - 5) : t + 1, rival].mean()),
        'rival_parent': logit(sum(P[t, k] for k in range(4) if parents[k] == parents[rival])),
        'own': log(P[t, own] + 1e-3),
        'second': log(np.sort(P[t])[-2] + 1e-3),
        'rival_frames': log(run),
        'frames_since_own': log(max(1, since)),
        'boundary': logit(BOUNDARIES[t]),
        'boundary_long_max': logit(BOUNDARIES[max(0, t - 5) : t + 1].max()),
        f'to {parents[rival]}': 1.0,
        f'frames to {parents[rival]}': log(run),
        f'from {parents[own]}': 1.0,
    }
    found = dict(zip(NAMES, features_at(t, own), strict=True))
    assert {k: v for k, v in found.items() if k in expected} == pytest.approx(expected, abs=1e-5)
    assert all(v == 0 for k, v in found.items() if k not in expected)


def test_labels_without_parents_are_their_own() -> None:
    assert feature_names(FLAT)[-4:] == ('from a', 'from b', 'from c', 'from d')
    assert len(run({'bias': 1.0}, labels=FLAT)) == len(P)


def test_a_rule_that_always_commits_is_arg_max_and_one_that_never_does_keeps_the_first() -> None:
    best = P.argmax(axis=1).tolist()
    assert run({'bias': 9.0}) == best
    assert run({'bias': -9.0}) == [best[0]] * len(best)


def test_the_threshold_is_a_probability() -> None:
    best = P.argmax(axis=1).tolist()
    assert run({'bias': log(0.7 / 0.3) + 1e-9}, 0.7) == best
    assert run({'bias': log(0.7 / 0.3) - 1e-9}, 0.7) == [best[0]] * len(best)


def test_a_weight_of_a_parent_is_of_that_parent_alone() -> None:
    found = run({'bias': -9.0, 'to pick': 18.0})
    assert set(found[1:]) <= {found[0], 1, 2}
    assert {1, 2} <= set(found)


def test_later_frames_change_nothing() -> None:
    weights = {'bias': -1.0, 'rival_long_mean': 1.0, 'frames_since_own': 1.0, 'boundary': 0.5}
    whole = run(weights)
    vector = np.array([weights.get(name, 0.0) for name in NAMES])
    rule = Commit(vector, 0.5, LABELS)
    other = P[::-1]
    mixed = [
        rule.step(p, frame(b))
        for p, b in zip(np.concatenate([P[:30], other[:30]]), BOUNDARIES, strict=True)
    ]
    assert mixed[:30] == whole[:30]
    assert mixed != whole


def test_one_label_needs_no_rule() -> None:
    labels = LabelSet.of(['all'])
    rule = Commit(np.zeros(len(feature_names(labels))), 0.5, labels)
    assert [rule.step(np.ones(1, np.float32), frame()) for _ in range(3)] == [0, 0, 0]


def test_weights_are_for_the_features_of_these_labels() -> None:
    weights = dict.fromkeys(NAMES, 1.0)
    assert weight_vector(weights, LABELS).tolist() == [1.0] * len(NAMES)
    with pytest.raises(ConfigError, match=r'decoding\.learnt\.weights.*to weld'):
        weight_vector({**weights, 'to weld': 1.0}, LABELS)
    del weights['own']
    with pytest.raises(ConfigError, match=r"decoding\.learnt\.weights.*'own'.*missing"):
        weight_vector(weights, LABELS)
