# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One frame without a tensor's overhead is the same arithmetic, whatever becomes of the weights."""

import pytest
import torch
from torch import Tensor

from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.heads.causal_tcn import CausalTCN, HeadState
from m2r2_ros.network.proprioception import SensorEncoder
from test.network.networks import SENSING

CLASSES = 5


def make_head(
    layers: int = 4, stages: int = 2, width: int = 16, lags: tuple[int, ...] = (0,)
) -> CausalTCN:
    torch.manual_seed(0)
    config = CausalTCNConfig(width=width, layers=layers, stages=stages, lags=lags)
    return CausalTCN(config, SENSING.width, CLASSES).eval()


@torch.no_grad()
def stepped(head: CausalTCN, x: Tensor) -> list[Tensor]:
    state = head.initial_state()
    steps = []
    for t in range(x.shape[1]):
        logits, state = head(x[:, t : t + 1], state)
        steps.append(logits)
    return [torch.cat(stage, dim=1) for stage in zip(*steps, strict=True)]


@torch.no_grad()
def whole(head: CausalTCN, x: Tensor) -> list[Tensor]:
    logits: list[Tensor] = head(x, head.initial_state())[0]
    return logits


def assert_same(head: CausalTCN, x: Tensor) -> None:
    for a, b in zip(stepped(head, x), whole(head, x), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


@pytest.mark.parametrize(('layers', 'stages', 'width'), [(1, 1, 1), (5, 1, 8), (3, 4, 24)])
def test_steps_are_the_whole_in_every_shape(layers: int, stages: int, width: int) -> None:
    assert_same(make_head(layers, stages, width), torch.randn(1, 80, SENSING.width))


def test_steps_are_the_whole_with_outputs_for_older_frames() -> None:
    assert_same(make_head(lags=(0, 2, 7)), torch.randn(1, 80, SENSING.width))


def test_steps_follow_weights_that_are_loaded_later() -> None:
    head, x = make_head(), torch.randn(1, 20, SENSING.width)
    before = stepped(head, x)[-1]
    torch.manual_seed(1)
    other = CausalTCN(CausalTCNConfig(width=16, layers=4), SENSING.width, CLASSES)
    head.load_state_dict(other.state_dict())
    assert not torch.allclose(stepped(head, x)[-1], before, atol=1e-3)
    assert_same(head, x)


def test_steps_follow_an_optimiser() -> None:
    head, x = make_head(), torch.randn(1, 20, SENSING.width)
    stepped(head, x)
    optimizer = torch.optim.SGD(head.parameters(), 0.1)
    head(x, head.initial_state())[0][-1].square().sum().backward()
    optimizer.step()
    assert_same(head, x)


@pytest.mark.filterwarnings('error')
def test_large_logits_overflow_nowhere() -> None:
    head, x = make_head(), torch.randn(1, 20, SENSING.width)
    with torch.no_grad():
        for name, parameter in head.named_parameters():
            if name.startswith('stages.0.leave'):
                parameter.mul_(1e4)
    assert all(bool(torch.isfinite(stage).all()) for stage in stepped(head, x))


def test_training_and_gradients_take_the_long_way() -> None:
    head, x = make_head(), torch.randn(1, 1, SENSING.width, requires_grad=True)
    logits, _ = head(x, head.initial_state())
    logits[-1].sum().backward()
    assert x.grad is not None
    head.train()
    torch.manual_seed(0)
    with torch.no_grad():
        first, second = (head(x, head.initial_state())[0][-1] for _ in range(2))
    assert not torch.equal(first, second), 'dropout is part of training'


def test_a_sensors_matrix_follows_its_parameters() -> None:
    encoder, readings = SensorEncoder(6, 10, 16), torch.randn(3, 10, 6)
    with torch.no_grad():
        encoder(readings)
        for parameter in encoder.parameters():
            parameter.mul_(1.5)
            kept = encoder(readings)
            with torch.enable_grad():
                made = encoder(readings)
            assert torch.equal(kept, made)


def test_steps_follow_a_change_of_precision() -> None:
    head, x = make_head(), torch.randn(1, 1, SENSING.width)
    stepped(head, x)
    head.double()
    state = HeadState([past.double() for past in head.initial_state().layers])
    with torch.no_grad():
        assert head(x.double(), state)[0][-1].dtype == torch.float64
