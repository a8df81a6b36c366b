# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The causal head: its stages and their reach, its state, and steps that follow the weights."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import CausalTCNConfig, head_from_dict
from m2r2_ros.network.heads.causal_tcn import CausalTCN, HeadState, delayed, stage_loss
from test.network.networks import SENSING

CLASSES = 5


def make_head(layers: int = 4, stages: int = 2) -> CausalTCN:
    torch.manual_seed(0)
    config = CausalTCNConfig(width=16, layers=layers, stages=stages)
    return CausalTCN(config, SENSING.width, CLASSES).eval()


HEAD = make_head()


def features(n: int) -> Tensor:
    return torch.randn(1, n, SENSING.width)


@torch.no_grad()
def run(head: CausalTCN, x: Tensor, cuts: list[int]) -> list[Tensor]:
    """Return each stage's logits from a run in pieces."""
    state = head.initial_state(x.shape[0])
    edges = sorted({0, *(c for c in cuts if c < x.shape[1]), x.shape[1]})
    pieces = []
    for lo, hi in pairwise(edges):
        logits, state = head(x[:, lo:hi], state)
        pieces.append(logits)
    return [torch.cat(stage, dim=1) for stage in zip(*pieces, strict=True)]


def test_each_stage_gives_the_classes_and_the_boundary() -> None:
    logits = run(make_head(stages=3), features(9), [])
    assert [tuple(x.shape) for x in logits] == [(1, 9, CLASSES + 1)] * 3


@pytest.mark.parametrize(('layers', 'stages'), [(1, 1), (3, 1), (3, 2), (4, 2)])
def test_it_looks_back_as_far_as_its_layers_say(layers: int, stages: int) -> None:
    """Layer k looks back 2 * 2 ** k frames: 2 * (2 ** layers - 1) for each stage."""
    head = make_head(layers, stages)
    reach = stages * 2 * (2**layers - 1)
    x = features(reach + 10).double().requires_grad_()
    logits, _ = head.double()(x, double_state(head))
    (seen,) = torch.autograd.grad(logits[-1][0, -1].sum(), x)
    used = seen[0].abs().amax(dim=-1) > 0
    assert not used[: len(used) - 1 - reach].any()
    # A relu that is shut may hide a frame or two, but not the far end of the reach altogether.
    assert used[len(used) - 1 - reach : len(used) - reach + 2].any()
    assert used[-1]


def double_state(head: CausalTCN) -> HeadState:
    return HeadState([x.double() for x in head.initial_state().layers])


@torch.no_grad()
def test_the_state_does_not_grow() -> None:
    state = HEAD.initial_state()
    sizes = [tuple(x.shape) for x in state.layers]
    for _ in range(2000):
        _, state = HEAD(features(1), state)
    assert [tuple(x.shape) for x in state.layers] == sizes
    assert sum(x.untyped_storage().nbytes() for x in state.layers) < 1.6 * 4 * sum(
        a * b * c for a, b, c in sizes
    )
    assert all(torch.isfinite(x).all() for x in state.layers)


@torch.no_grad()
def test_a_state_may_be_used_twice() -> None:
    _, state = HEAD(features(10), HEAD.initial_state())
    x = features(4)
    first, _ = HEAD(x, state)
    HEAD(features(7), state)
    again, _ = HEAD(x, state)
    assert torch.equal(first[-1], again[-1])


@torch.no_grad()
def test_sequences_of_a_batch_do_not_mix() -> None:
    x = torch.randn(3, 20, SENSING.width)
    both = run(HEAD, x, [])[-1]
    for k in range(3):
        torch.testing.assert_close(run(HEAD, x[k : k + 1], [])[-1], both[k : k + 1])


@torch.no_grad()
def test_no_frames_change_nothing() -> None:
    _, state = HEAD(features(10), HEAD.initial_state())
    logits, after = HEAD(features(0), state)
    assert logits[-1].shape == (1, 0, CLASSES + 1)
    assert all(torch.equal(a, b) for a, b in zip(after.layers, state.layers, strict=True))


@pytest.mark.parametrize('change', ['optimiser', 'load', 'in place'])
def test_a_step_uses_the_weights_of_now(change: str) -> None:
    head = make_head()
    x = features(6)
    run(head, x, list(range(6)))
    other = {k: v + 0.1 for k, v in head.state_dict().items()}
    if change == 'optimiser':
        optimizer = torch.optim.SGD(head.parameters(), 0.1)
        logits, _ = head(x, head.initial_state())
        sum(out.square().sum() for out in logits).backward()
        optimizer.step()
    elif change == 'load':
        head.load_state_dict(other)
    else:
        with torch.no_grad():
            for p in head.parameters():
                p.add_(0.1)
    whole, steps = run(head, x, []), run(head, x, list(range(6)))
    assert (whole[-1] - run(make_head(), x, [])[-1]).abs().max() > 1e-3
    torch.testing.assert_close(steps[-1], whole[-1], atol=1e-4, rtol=1e-4)


def test_steps_with_and_without_gradients_may_alternate() -> None:
    x = features(20)
    state = HEAD.initial_state()
    for t in range(20):
        with torch.set_grad_enabled(t % 3 == 0):
            logits, state = HEAD(x[:, t : t + 1], state)
    expected = run(HEAD, x, [])[-1][:, -1:]
    torch.testing.assert_close(logits[-1], expected, atol=1e-5, rtol=0)


LAGS = (0, 2, 5)


def lagged_head() -> CausalTCN:
    torch.manual_seed(0)
    config = CausalTCNConfig(width=16, layers=4, lags=LAGS)
    return CausalTCN(config, SENSING.width, CLASSES).eval()


@torch.no_grad()
def test_a_head_says_what_it_thinks_of_older_frames() -> None:
    head, x = lagged_head(), features(30)[0]
    said, state = head.advance(x[:20], head.initial_state())
    rest, _ = head.advance(x[20:], state)
    assert list(said.revised) == [2, 5]
    for k, rows in said.revised.items():
        assert rows.shape == (20, CLASSES)
        torch.testing.assert_close(rows.sum(dim=1), torch.ones(20))
        whole = head.predict(x).revised[k]
        torch.testing.assert_close(torch.cat([rows, rest.revised[k]]), whole, atol=1e-5, rtol=0)
    assert not torch.allclose(said.revised[2], said.probabilities, atol=1e-3)
    assert not CausalTCN(CausalTCNConfig(), 4, 2).eval().predict(torch.randn(3, 4)).revised


def test_each_output_learns_the_label_that_is_its_lag_old() -> None:
    targets = torch.tensor([0, 0, 1, 1, 1, 2, 2, UNKNOWN, 3, 3, 3, 4])
    wanted = torch.stack([delayed(targets, k) for k in LAGS])
    assert wanted[1].tolist() == [UNKNOWN, UNKNOWN, *targets[:-2].tolist()]
    logits = torch.zeros(len(targets), len(LAGS) * CLASSES + 1)
    for i, k in enumerate(LAGS):
        for t in range(k, len(targets)):
            if targets[t - k] != UNKNOWN:
                logits[t, i * CLASSES + int(targets[t - k])] = 4.0
    smoothed = torch.zeros(len(targets))
    right = stage_loss(logits, wanted, smoothed)
    for i in range(len(LAGS)):
        moved = wanted.clone()
        moved[i] = delayed(targets, LAGS[i] + 1)
        assert stage_loss(logits, moved, smoothed) > right + 0.1
    assert bool(torch.isfinite(lagged_head().loss(features(3)[0], targets[:3])))


@torch.no_grad()
def test_later_frames_change_nothing_that_was_said() -> None:
    head, x = lagged_head(), features(30)[0]
    other = torch.cat([x[:20], torch.randn(10, SENSING.width)])
    a, b = head.predict(x), head.predict(other)
    for k, rows in a.revised.items():
        torch.testing.assert_close(rows[:20], b.revised[k][:20], atol=1e-5, rtol=0)
        assert not torch.allclose(rows[20:], b.revised[k][20:], atol=1e-3)


@pytest.mark.parametrize('lags', [[], [1], [0, 3, 3], [3, 0], [0, -1], [0, 1.0], [0, True], '0', 0,
                                  [0, 100_000], list(range(99)), None])  # fmt: skip
def test_lags_are_checked(lags: object) -> None:
    with pytest.raises(ConfigError, match=r'model\.head causal_tcn\.lags'):
        head_from_dict({'name': 'causal_tcn', 'lags': lags})


def test_lags_survive_a_round_trip_and_are_one_where_they_are_not_named() -> None:
    config = CausalTCNConfig(lags=LAGS)
    assert head_from_dict(config.to_dict()) == config
    assert head_from_dict({'name': 'causal_tcn'}) == CausalTCNConfig(lags=(0,))
