# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OnlineTAS: clips and memory by hand, strictly causal, pieces equal the whole."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.heads.config import OnlineTASConfig
from m2r2_ros.model.heads.online_tas import OnlineTAS
from m2r2_ros.model.heads.online_tas_parts import Enhancer, Iteration, outside
from test.model.heads.online import fit, numbers, run, toy, without_gradient

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


@pytest.mark.parametrize('n', [1, 7])
def test_short_recordings(n: int) -> None:
    x, targets = torch.randn(n, INPUTS), torch.arange(n) % CLASSES
    prediction = HEAD.predict(x)
    assert prediction.probabilities.shape == (n, CLASSES)
    torch.testing.assert_close(prediction.probabilities.sum(dim=1), torch.ones(n))
    assert prediction.boundaries.shape == (n,)
    assert prediction.boundaries[0] == 0
    assert HEAD.loss(x, targets).isfinite()


def test_every_parameter_learns() -> None:
    assert without_gradient(make(), *toy(INPUTS, CLASSES)) == []


def test_unknown_frames_bear_no_class_loss() -> None:
    head = make(OnlineTASConfig(window=WINDOW, width=8, layers=3, smoothing=0.0))
    x, targets = torch.randn(9, INPUTS), torch.arange(9) % CLASSES
    partly = targets.clone()
    partly[5:] = UNKNOWN
    torch.testing.assert_close(head.loss(x, partly), head.loss(x[:5], targets[:5]))


@settings(max_examples=10)
@given(st.lists(st.integers(1, 59), max_size=12))
def test_pieces_are_the_same_as_the_whole(cuts: list[int]) -> None:
    x = torch.randn(60, INPUTS, generator=torch.Generator().manual_seed(len(cuts)))
    with torch.no_grad():
        whole = HEAD.predict(x)
    pieces, _ = run(HEAD, x, cuts)
    torch.testing.assert_close(pieces.probabilities, whole.probabilities, atol=1e-5, rtol=0)
    torch.testing.assert_close(pieces.boundaries, whole.boundaries, atol=1e-5, rtol=0)


@torch.no_grad()
def test_step_by_step_is_the_same_as_the_whole() -> None:
    x = torch.randn(60, INPUTS)
    steps, state = run(HEAD, x, range(60))
    torch.testing.assert_close(
        steps.probabilities, HEAD.predict(x).probabilities, atol=1e-5, rtol=0
    )
    assert state.context.seen == 60


@torch.no_grad()
def test_boundaries_are_changes_between_frames() -> None:
    prediction = HEAD.predict(torch.randn(9, INPUTS))
    p = prediction.probabilities
    for i in range(1, 9):
        torch.testing.assert_close(prediction.boundaries[i], 1 - p[i] @ p[i - 1])
    assert prediction.boundaries[0] == 0


@torch.no_grad()
def test_a_state_is_constant_in_size_and_stays_as_it_is() -> None:
    x = torch.randn(80, INPUTS)
    _, early = run(HEAD, x[: WINDOW - 1], [])
    _, late = run(HEAD, x, range(80))
    assert [t.shape for t in numbers(early)] == [t.shape for t in numbers(late)]
    copies = [t.clone() for t in numbers(early)]
    HEAD.advance(x[:3], early)
    assert all(torch.equal(a, b) for a, b in zip(copies, numbers(early), strict=True))


@pytest.mark.parametrize('t', [0, 5, 6, 17, 39])
@torch.no_grad()
def test_a_frame_changes_nothing_before_it(t: int) -> None:
    x = torch.randn(40, INPUTS)
    other = x.clone()
    other[t] += 1
    a, b = HEAD.predict(x), HEAD.predict(other)
    assert torch.equal(a.probabilities[:t], b.probabilities[:t])
    assert torch.equal(a.boundaries[:t], b.boundaries[:t])
    assert not torch.equal(a.probabilities[t], b.probabilities[t])


def test_state_dict_round_trip() -> None:
    torch.manual_seed(1)
    other = OnlineTAS(SMALL, INPUTS, CLASSES).eval()
    x = torch.randn(20, INPUTS)
    assert not torch.equal(other.predict(x).probabilities, HEAD.predict(x).probabilities)
    other.load_state_dict(HEAD.state_dict())
    assert torch.equal(other.predict(x).probabilities, HEAD.predict(x).probabilities)


def test_it_learns_a_toy_recording() -> None:
    head = make(OnlineTASConfig(window=24, iterations=1, width=16, layers=2, dropout=0.1))
    assert fit(head, *toy(INPUTS, CLASSES), steps=25) > 0.95
