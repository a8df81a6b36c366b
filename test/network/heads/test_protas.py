# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ProTAS: progress by hand, how far layers look back, and the part of the graph."""

import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import ProTASConfig
from m2r2_ros.network.heads.protas import ETA, ProTAS, progress_loss, progress_targets
from m2r2_ros.network.heads.task_graph import disorder

INPUTS, CLASSES = 6, 4
SMALL = ProTASConfig(stages=2, layers=3, width=8, task_graph=True)


def make(config: ProTASConfig = SMALL) -> ProTAS:
    torch.manual_seed(0)
    head = ProTAS(config, INPUTS, CLASSES).eval()
    head.fit_label_statistics([torch.tensor([0, 1, 2, 3])])
    return head


HEAD = make()


def test_published_size() -> None:
    """MS-TCN's 724,692, and for each stage a GRU, a progress output and a fusion."""
    head = ProTAS(ProTASConfig(), 512, 69)
    extra = (2 * 3 * 64 * 64 + 2 * 3 * 64) + (64 * 69 + 69) + (2 * 69 * 69 + 69)
    assert sum(p.numel() for p in head.parameters()) == 724_692 + 4 * extra == 880_836


def test_progress_of_hand_made_labels() -> None:
    labels = torch.tensor([1, 1, 1, 1, 0, 0, UNKNOWN, 0, 1])
    expected = torch.zeros(9, 3)
    expected[:4, 1] = torch.tensor([0.25, 0.5, 0.75, 1.0])
    expected[4:6, 0] = torch.tensor([0.5, 1.0])
    expected[7, 0] = expected[8, 1] = 1.0
    torch.testing.assert_close(progress_targets(labels, 3), expected)


def test_progress_loss_by_a_plain_loop() -> None:
    progress = torch.randn(6, 3)
    labels = torch.tensor([2, 2, UNKNOWN, 0, 0, 0])
    share = [0.5, 1.0, None, 1 / 3, 2 / 3, 1.0]
    errors = [
        (float(progress[i, c]) - (p if c == labels[i] else 0.0)) ** 2
        for i, p in enumerate(share)
        for c in range(3)
        if p is not None
    ]
    assert float(progress_loss(progress, labels)) == pytest.approx(sum(errors) / 15)


def test_nothing_known_has_no_progress_loss() -> None:
    assert float(progress_loss(torch.randn(3, 2), torch.full((3,), UNKNOWN))) == 0.0


def test_unknown_frames_bear_no_class_loss() -> None:
    config = ProTASConfig(stages=1, layers=2, width=8, smoothing=0.0)
    head = make(config)
    x, targets = torch.randn(9, INPUTS), torch.arange(9) % CLASSES
    partly = targets.clone()
    partly[5:] = UNKNOWN
    # Frames of one label each: the first five make the same loss with and without the rest.
    torch.testing.assert_close(head.loss(x, partly), head.loss(x[:5], targets[:5]))


@torch.no_grad()
def test_boundaries_are_changes_between_frames() -> None:
    prediction = HEAD.predict(torch.randn(9, INPUTS))
    p = prediction.probabilities
    for i in range(1, 9):
        torch.testing.assert_close(prediction.boundaries[i], 1 - p[i] @ p[i - 1])
    assert prediction.boundaries[0] == 0


def test_layers_look_back_as_far_as_ms_tcn() -> None:
    """Without progress, a stage looks back 2 * (2 ** layers - 1) frames."""
    head = make(ProTASConfig(stages=1, layers=3, width=8)).double()
    with torch.no_grad():
        head.get_parameter('stages.0.fuse.weight')[:, CLASSES:] = 0
    x = torch.randn(30, INPUTS, dtype=torch.float64, requires_grad=True)
    head.predict(x).probabilities[29, 0].backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(dim=1) > 0).nonzero().flatten().tolist() == list(range(15, 30))


@torch.no_grad()
def test_the_first_frame_stands_for_those_before_it() -> None:
    """A constant recording has the same features in every frame."""
    head = make(ProTASConfig(stages=1, layers=3, width=8))
    head.get_parameter('stages.0.fuse.weight')[:, CLASSES:] = 0
    p = head.predict(torch.randn(1, INPUTS).expand(9, -1)).probabilities
    torch.testing.assert_close(p, p[:1].expand(9, -1))


@torch.no_grad()
def test_the_graph_lowers_what_is_out_of_order() -> None:
    x = torch.randn(20, INPUTS)
    logits, progress, _ = HEAD(x, HEAD.initial_state())
    plain = make(ProTASConfig(stages=2, layers=3, width=8))
    before, _, _ = plain(x, plain.initial_state())
    done = torch.stack([progress[-1][: i + 1].clamp(0, 1).amax(dim=0) for i in range(20)])
    torch.testing.assert_close(logits[0], before[0])
    torch.testing.assert_close(logits[1], before[1] - ETA * disorder(done, HEAD.graph))
    assert not torch.equal(logits[1], before[1])


def test_the_graph_is_kept_with_the_weights() -> None:
    other = ProTAS(SMALL, INPUTS, CLASSES)
    assert not other.graph.any()
    other.load_state_dict(HEAD.state_dict())
    assert torch.equal(other.graph, HEAD.graph)
    assert HEAD.graph.nonzero().tolist() == [[0, 1], [1, 2], [2, 3]]
    unused = ProTAS(ProTASConfig(), INPUTS, CLASSES)
    unused.fit_label_statistics([torch.tensor([0, 1, 2, 3])])
    assert not unused.graph.any()
