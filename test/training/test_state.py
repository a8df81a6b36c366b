# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from m2r2_ros.network.network import Network
from m2r2_ros.training.schedule import one_cycle
from m2r2_ros.training.state import TrainState
from test.training.trials import QUICK, equal, network, weights

STEPS = 12


def advance(net: Network, state: TrainState, steps: Sequence[int]) -> None:
    """Take steps whose gradients depend on the step and on the weights."""
    for k in steps:
        for i, p in enumerate(net.parameters()):
            noise = torch.randn(p.shape, generator=torch.Generator().manual_seed(1000 * k + i))
            p.grad = noise + p.detach()
        state.advance()


def test_a_checkpoint_continues_bit_for_bit(tmp_path: Path) -> None:
    whole, first, second = network(0), network(0), network(9)
    states = [TrainState(n, QUICK, STEPS, 'x') for n in (whole, first, second)]
    advance(whole, states[0], range(STEPS))
    advance(first, states[1], range(5))
    states[1].save(tmp_path / 'c', 2)
    assert states[2].load(tmp_path / 'c') == 2
    assert equal(weights(first), weights(second))
    advance(second, states[2], range(5, STEPS))
    assert equal(weights(whole), weights(second))
    for state in (states[0], states[2]):
        state.use_average()
    assert equal(weights(whole), weights(second))
    assert [p.name for p in tmp_path.iterdir()] == ['c']


def test_a_checkpoint_before_the_first_step(tmp_path: Path) -> None:
    """As after an epoch in which no sequence had a label."""
    one, other = network(0), network(1)
    TrainState(one, QUICK, STEPS, 'x').save(tmp_path / 'c', 1)
    state = TrainState(other, QUICK, STEPS, 'x')
    assert state.load(tmp_path / 'c') == 1
    assert equal(weights(one), weights(other))
    advance(other, state, range(2))


def test_what_does_not_belong_here_is_not_loaded(tmp_path: Path) -> None:
    net = network(0)
    state = TrainState(net, QUICK, STEPS, 'x')
    advance(net, state, range(3))
    state.save(tmp_path / 'c', 2)
    cut = tmp_path / 'cut'
    cut.write_bytes((tmp_path / 'c').read_bytes()[:-10])
    (tmp_path / 'text').write_text('hello')
    (tmp_path / 'empty').touch()
    fresh = network(4)
    before = weights(fresh)
    assert TrainState(fresh, QUICK, STEPS, 'y').load(tmp_path / 'c') == 0
    for name in ('none', 'cut', 'text', 'empty'):
        assert TrainState(fresh, QUICK, STEPS, 'x').load(tmp_path / name) == 0
    assert equal(weights(fresh), before)


def test_the_average_forgets_where_training_began() -> None:
    net = network(0)
    start = weights(net)
    state = TrainState(net, replace(QUICK, averaging=0.9, weight_decay=0.0), 200, '')
    recent = []
    for k in range(200):
        advance(net, state, [k])
        recent.append(weights(net))
    state.use_average()
    average = weights(net)
    for name, tensor in average.items():
        expected = start[name].clone()
        for k, w in enumerate(recent):
            past = min(0.9, (k + 1) / (k + 11))
            expected = past * expected + (1 - past) * w[name]
        torch.testing.assert_close(tensor, expected, rtol=1e-4, atol=1e-5)
    assert not equal(average, recent[-1])


def test_the_optimiser_follows_the_schedule() -> None:
    net = network(0)
    state = TrainState(net, QUICK, 20, '')
    rates = []
    for k in range(20):
        advance(net, state, [k])
        rates.append(state.optimizer.param_groups[0]['lr'])
    assert rates == pytest.approx([QUICK.learning_rate * one_cycle(k / 20) for k in range(20)])
