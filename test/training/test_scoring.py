# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of heads: the metrics of label bags, and what a head takes back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import CausalTCNConfig, MSTCNConfig
from m2r2_ros.network.heads.base import Head, HeadOutput
from m2r2_ros.network.heads.registry import make_head
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.feature_set import FeatureTrack
from m2r2_ros.training.scoring import (
    milliseconds_per_frame,
    probabilities_of,
    revised_share,
    score_labelling,
)
from test.training.feature_sets import LABELS, RATE, WIDTH, toy


def track(targets: list[int]) -> FeatureTrack:
    values = np.zeros((len(targets), WIDTH), np.float32)
    return FeatureTrack('r', values, np.array(targets, np.int64))


def said(labels: list[int]) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[labels]


def test_scores_are_those_counted_by_hand() -> None:
    truth = [0] * 10 + [1] * 10 + [2] * 10
    late = [0] * 12 + [1] * 10 + [2] * 8
    scores = score_labelling([(track(truth), said(late))], LABELS, RATE)
    assert scores.accuracy == pytest.approx(26 / 30)
    assert (scores.edit, scores.f1[50]) == (100.0, 100.0)
    assert scores.boundary_delay_median_s == pytest.approx(0.2)
    assert (scores.boundaries, scores.boundaries_missed) == (2, 0)


def test_the_parents_forgive_what_is_of_one_kind() -> None:
    truth, mixed = [0] * 10 + [1] * 10, [0] * 10 + [2] * 10
    labelling = [(track(truth), said(mixed))]
    assert score_labelling(labelling, LABELS, RATE).accuracy == pytest.approx(0.5)
    assert score_labelling(labelling, LABELS, RATE, coarse=True).accuracy == 1.0


def test_frames_without_a_label_do_not_count() -> None:
    truth = [UNKNOWN] * 5 + [1] * 5
    scores = score_labelling([(track(truth), said([0] * 5 + [1] * 5))], LABELS, RATE)
    assert (scores.accuracy, scores.frames, scores.frames_unlabelled) == (1.0, 5, 5)


def test_the_hold_rule_takes_up_a_label_after_its_time() -> None:
    truth = [0] * 10 + [1] * 10
    flicker = [0] * 4 + [2] + [0] * 5 + [1] * 10
    plain = score_labelling([(track(truth), said(flicker))], LABELS, RATE)
    held = score_labelling([(track(truth), said(flicker))], LABELS, RATE, Decoding(0.0, 0.3))
    assert plain.f1[50] == pytest.approx(200 / 3)
    assert held.f1[50] == 100.0
    assert held.boundary_delay_median_s == pytest.approx(0.2)


class Hindsight(Head):
    """Says 0 of all frames until there are more than `after`, then 1 of them all."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        return features.sum()

    def predict(self, features: Tensor) -> HeadOutput:
        n = len(features)
        label = int(n > self.after)
        return HeadOutput(torch.eye(3)[label].expand(n, 3), torch.zeros(n))


@pytest.mark.parametrize(('after', 'share'), [(0, 0.0), (50, 0.5), (99, 0.95), (100, 0.0)])
def test_what_is_said_again_otherwise_is_taken_back(after: int, share: float) -> None:
    assert revised_share(Hindsight(after), [track([0] * 100)]) == pytest.approx(share)


def test_an_online_head_takes_nothing_back_and_an_offline_one_does() -> None:
    torch.manual_seed(0)
    features, targets = toy(120, 0)
    tracks = [FeatureTrack('r', 10 * features, targets)]
    assert revised_share(make_head(CausalTCNConfig(layers=4), WIDTH, 3), tracks) == 0
    assert revised_share(make_head(MSTCNConfig(layers=6), WIDTH, 3), tracks) > 0


@pytest.mark.parametrize('config', [CausalTCNConfig(layers=2), MSTCNConfig(layers=2)])
def test_time_is_taken_on_one_core_and_leaves_the_threads_alone(config: CausalTCNConfig) -> None:
    before = torch.get_num_threads()
    one = FeatureTrack('r', *toy(7, 0))
    assert milliseconds_per_frame(make_head(config, WIDTH, 3), one) > 0
    assert torch.get_num_threads() == before


def test_probabilities_are_of_a_head_that_evaluates() -> None:
    head = make_head(replace(MSTCNConfig(layers=2), dropout=0.9), WIDTH, 3).train()
    one = [FeatureTrack('r', *toy(20, 0))]
    (_, a), (_, b) = probabilities_of(head, one)[0], probabilities_of(head, one)[0]
    np.testing.assert_array_equal(a, b)
