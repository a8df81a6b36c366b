# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ASRF: its size, weights from the labels, losses by plain loops, and its boundaries."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import ASRFConfig
from m2r2_ros.model.refinement import pieces_between, vote
from m2r2_ros.network.heads.asrf import ASRF
from m2r2_ros.network.heads.asrf_losses import (
    boundary_weight,
    class_weights,
    segment_starts,
    similarity_smoothing_loss,
    start_loss,
)
from m2r2_ros.network.losses import classification_loss
from test.network.heads.toy import (
    CLASSES,
    WIDTH,
    accuracy,
    fit,
    frames_seen,
    toy_recording,
)

SMALL = ASRFConfig(stages=2, layers=3, width=16)
#: Two recordings: 4 frames of 0, 2 of 1, 1 of 3, none of 2; 4 segments in 7 labelled frames.
LABELS = [torch.tensor([0, 0, 1, UNKNOWN, 1]), torch.tensor([UNKNOWN, 3, 0, 0])]


def make_head(config: ASRFConfig = SMALL) -> ASRF:
    torch.manual_seed(0)
    return ASRF(config, WIDTH, CLASSES)


def test_it_has_the_published_size() -> None:
    layers = 10 * (64 * 64 * 3 + 64 + 64 * 64 + 64)
    stem = 512 * 64 + 64 + layers + (64 * 69 + 69) + (64 + 1)
    class_stage = (69 * 64 + 64) + layers + (64 * 69 + 69)
    boundary_stage = (64 + 64) + layers + (64 + 1)
    expected = stem + 3 * class_stage + 3 * boundary_stage
    assert expected == 1_220_696
    assert sum(p.numel() for p in ASRF(ASRFConfig(), 512, 69).parameters()) == expected


def test_starts_are_the_first_frames_of_labelled_segments() -> None:
    assert [segment_starts(x).tolist() for x in LABELS] == [[1, 0, 1, 0, 1], [0, 1, 1, 0]]
    assert segment_starts(torch.tensor([2])).tolist() == [1]


def test_weights_come_from_the_labels() -> None:
    # Counts are 4, 2, 0 and 1; their median without the class that never comes is 2.
    assert class_weights(LABELS, 4).tolist() == [0.5, 1, 1, 2]
    # Counts of an even number of classes: 3 and 1, median 2.
    even = class_weights([torch.tensor([0, 0, 0, 1])], 2).tolist()
    assert even == pytest.approx([2 / 3, 2])
    assert float(boundary_weight(LABELS)) == pytest.approx(7 / 5)


def test_without_labels_weights_are_one() -> None:
    nothing = [torch.full((3,), UNKNOWN)]
    assert class_weights(nothing, 3).tolist() == [1, 1, 1]
    assert float(boundary_weight(nothing)) == 1


def test_observed_weights_are_kept_with_the_head() -> None:
    head, fresh = make_head(), make_head()
    head.fit_label_statistics(LABELS)
    fresh.load_state_dict(head.state_dict())
    assert fresh.class_weights.tolist() == [0.5, 1, 1, 2]
    assert float(fresh.boundary_weight) == pytest.approx(7 / 5)


def test_the_class_loss_is_a_weighted_mean() -> None:
    logits, targets = torch.randn(5, 4), [1, 0, UNKNOWN, 3, 0]
    weights = [0.5, 1.0, 1.0, 2.0]
    log_p = logits.log_softmax(1).tolist()
    known = [(t, c) for t, c in enumerate(targets) if c != UNKNOWN]
    expected = sum(-weights[c] * log_p[t][c] for t, c in known) / sum(weights[c] for _, c in known)
    found = classification_loss(logits, torch.tensor(targets), torch.tensor(weights))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_smoothing_weighs_by_the_similarity_of_features() -> None:
    torch.manual_seed(0)
    logits, features = 4 * torch.randn(7, 3), torch.randn(7, 5)
    log_p, x = logits.double().log_softmax(1).tolist(), features.tolist()
    total, truncated = 0.0, 0
    for t in range(1, 7):
        weight = math.exp(-math.dist(x[t], x[t - 1]) / 2)
        for c in range(3):
            square = (log_p[t][c] - log_p[t - 1][c]) ** 2
            truncated += square > 16
            total += weight * min(square, 16.0)
    assert 0 < truncated < 18
    found = similarity_smoothing_loss(logits, features)
    assert float(found) == pytest.approx(total / 18, rel=1e-4)


def test_smoothing_pulls_both_frames() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    similarity_smoothing_loss(logits, torch.zeros(2, 4)).backward()
    assert logits.grad is not None
    assert (logits.grad != 0).all()


def test_starts_count_more_and_unlabelled_frames_nothing() -> None:
    logits = torch.tensor([0.5, -1.0, 2.0, 3.0, -0.5], requires_grad=True)
    targets = torch.tensor([0, 0, UNKNOWN, 1, 1])
    p = [1 / (1 + math.exp(-x)) for x in logits.tolist()]
    expected = -(5 * math.log(p[0]) + math.log(1 - p[1]) + 5 * math.log(p[3]) + math.log(1 - p[4]))
    loss = start_loss(logits, targets, torch.tensor(5.0))
    assert loss.item() == pytest.approx(expected / 4, rel=1e-5)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[2] == 0


@torch.no_grad()
def test_the_loss_is_a_mean_over_stages() -> None:
    head = make_head(replace(SMALL, stages=3, smoothing=0.7, boundary=0.3)).eval()
    head.fit_label_statistics(LABELS)
    features, targets = torch.randn(9, WIDTH), torch.tensor([0, 0, 1, 1, UNKNOWN, 3, 3, 0, 0])
    classes, boundaries = head(features)
    assert len(classes) == len(boundaries) == 3
    expected = 0.0
    for c, b in zip(classes, boundaries, strict=True):
        expected += float(classification_loss(c, targets, torch.tensor([0.5, 1, 1, 2]))) / 3
        expected += 0.7 * float(similarity_smoothing_loss(c, features)) / 3
        expected += 0.3 * float(start_loss(b, targets, torch.tensor(7 / 5))) / 3
    assert float(head.loss(features, targets)) == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_stages_see_probabilities_of_the_one_before() -> None:
    head = make_head(replace(SMALL, stages=3)).eval()
    features = torch.randn(9, WIDTH)
    classes, boundaries = head(features)
    for k in range(2):
        c = head.class_stages[k](classes[k].softmax(1).t()).t()
        b = head.boundary_stages[k](boundaries[k].sigmoid().unsqueeze(0))[0]
        torch.testing.assert_close(c, classes[k + 1])
        torch.testing.assert_close(b, boundaries[k + 1])


def test_it_sees_as_far_as_stem_and_stages() -> None:
    head = make_head(ASRFConfig(stages=2, layers=3, width=32)).eval().double()
    features = torch.randn(61, WIDTH, dtype=torch.float64, requires_grad=True)
    for k in range(2):
        outputs = head(features)[k]
        assert frames_seen(outputs[-1][30].square().sum(), features) == list(range(16, 45))


@torch.no_grad()
def test_it_votes_between_its_boundaries() -> None:
    head = make_head(replace(SMALL, threshold=0.0)).eval()
    features = torch.randn(40, WIDTH)
    classes, logits = head(features)
    found, boundaries = head.predict(features), logits[-1].sigmoid()
    pieces = pieces_between(boundaries.numpy(), 0.0)
    assert pieces[-1] > 3
    assert torch.equal(found.boundaries, boundaries)
    expected = vote(classes[-1].softmax(1).numpy(), pieces)
    assert found.probabilities.numpy().tolist() == expected.tolist()


def test_it_learns_a_recording_and_its_boundaries() -> None:
    features, targets = toy_recording()
    head = make_head(replace(SMALL, dropout=0.2))
    fit(head, features, targets, steps=60)
    assert accuracy(head, features, targets) > 0.95
    boundaries = head.predict(features).boundaries.detach().numpy()
    found = np.flatnonzero(np.diff(pieces_between(boundaries, 0.5))) + 1
    assert np.abs(found[:, None] - np.arange(12, 72, 12)).min(axis=0).max() <= 1
