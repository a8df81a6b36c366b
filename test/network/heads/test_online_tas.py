# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OnlineTAS: clips and memory by hand, and the loss of frames without a label."""

import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import OnlineTASConfig
from m2r2_ros.network.heads.online_tas import OnlineTAS
from m2r2_ros.network.heads.online_tas_parts import Enhancer, Iteration, outside

INPUTS, CLASSES, WINDOW = 6, 4, 6
SMALL = OnlineTASConfig(window=WINDOW, width=8, layers=3)


def make(config: OnlineTASConfig = SMALL) -> OnlineTAS:
    torch.manual_seed(0)
    return OnlineTAS(config, INPUTS, CLASSES).eval()


HEAD = make()


@pytest.mark.parametrize('seen', [0, 1, 3, 9])
def test_a_frame_attends_to_the_clip_that_ends_with_it(seen: int) -> None:
    """By a plain loop over frames counted from the start of the recording."""
    n, window = 5, 4
    hidden = outside(n, window, seen, torch.device('cpu'))
    assert hidden.shape == (n, window - 1 + n)
    for r in range(n):
        for j in range(window - 1 + n):
            frame, key = seen + r, seen - (window - 1) + j
            assert hidden[r, j] == (key < 0 or key > frame or key <= frame - window)


@torch.no_grad()
def test_attention_reaches_back_window_frames() -> None:
    torch.manual_seed(0)
    iteration = Iteration(8, WINDOW).eval()
    past, view = torch.zeros(1, WINDOW - 1, 8), torch.zeros(1, WINDOW, 8)
    x = torch.randn(1, 20, 8)
    base, _ = iteration(x, past, 0, view)
    for t in (0, 7):
        other = x.clone()
        other[:, t, 0] += 1
        changed = (iteration(other, past, 0, view)[0] != base).any(dim=2)[0]
        assert changed.nonzero().flatten().tolist() == list(range(t, t + WINDOW))


@torch.no_grad()
def test_memory_is_a_token_for_each_clip_and_the_newest_frames() -> None:
    torch.manual_seed(0)
    enhancer = Enhancer(8, WINDOW, 2).eval()
    context = enhancer.initial()
    clips, tokens = [], []
    for k in range(6):
        clip, context = enhancer(torch.randn(1, WINDOW, 8), context)
        clips.append(clip[0])
        weight = enhancer.collapse.weight
        taps = torch.stack([weight[:, :, j] @ clip[0, j] for j in range(WINDOW)])
        tokens.append(taps.sum(dim=0) + enhancer.get_parameter('collapse.bias'))
        long = tokens[-4:]  # at most 2 / 3 of 6 rows
        expected = torch.cat([torch.stack(long), clips[-1][len(long) :]])
        assert context.memory.shape == (1, WINDOW, 8)
        torch.testing.assert_close(context.memory[0], expected)
        assert context.seen == (k + 1) * WINDOW


@torch.no_grad()
def test_memory_is_renewed_when_a_clip_is_complete_and_not_before() -> None:
    enhancer = Enhancer(8, WINDOW, 1).eval()
    _, before = enhancer(torch.randn(1, WINDOW - 1, 8), enhancer.initial())
    assert not before.memory.any()
    _, after = enhancer(torch.randn(1, 1, 8), before)
    assert after.memory.any()
    _, later = enhancer(torch.randn(1, WINDOW - 1, 8), after)
    assert torch.equal(later.memory, after.memory)


@torch.no_grad()
def test_memory_carries_what_neither_gru_nor_clip_do() -> None:
    """A change long before the clip still counts for attention alone."""
    torch.manual_seed(0)
    enhancer = Enhancer(8, WINDOW, 1).eval()
    x = torch.randn(1, 10 * WINDOW, 8)
    other = x.clone()
    other[:, 7, 0] += 1
    a, _ = enhancer(x, enhancer.initial())
    b, _ = enhancer(other, enhancer.initial())
    changed = (a != b).any(dim=2)[0]
    assert not changed[:7].any()
    assert changed[7:].all()


def test_unknown_frames_bear_no_class_loss() -> None:
    head = make(OnlineTASConfig(window=WINDOW, width=8, layers=3, smoothing=0.0))
    x, targets = torch.randn(9, INPUTS), torch.arange(9) % CLASSES
    partly = targets.clone()
    partly[5:] = UNKNOWN
    torch.testing.assert_close(head.loss(x, partly), head.loss(x[:5], targets[:5]))


@torch.no_grad()
def test_boundaries_are_changes_between_frames() -> None:
    prediction = HEAD.predict(torch.randn(9, INPUTS))
    p = prediction.probabilities
    for i in range(1, 9):
        torch.testing.assert_close(prediction.boundaries[i], 1 - p[i] @ p[i - 1])
    assert prediction.boundaries[0] == 0
