# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal fusion of a sensor is the paper's formula, term by term."""

import pytest
import torch

from m2r2_ros.core.modalities import BUILTIN, SENSORS
from m2r2_ros.network.proprioception import SensorEncoder


@pytest.mark.parametrize('points', [1, 10, 30])
@pytest.mark.parametrize('sensor', SENSORS)
def test_it_is_the_mean_over_time_of_embedding_times_projection(sensor: str, points: int) -> None:
    dims, width = BUILTIN[sensor].dims, 16
    encoder = SensorEncoder(dims, points, width)
    readings = torch.randn(5, points, dims)
    projection, embedding = encoder.projection, encoder.temporal_embedding
    for i in range(5):
        total = torch.zeros(width)
        for t in range(points):
            projected = projection.weight @ readings[i, t] + projection.bias
            total += embedding[:, t] * projected
        torch.testing.assert_close(encoder(readings)[i], total / points, atol=1e-5, rtol=1e-5)


def test_parameters_have_the_papers_shapes() -> None:
    encoder = SensorEncoder(6, 30, 512)
    shapes = {name: tuple(p.shape) for name, p in encoder.named_parameters()}
    assert shapes == {
        'temporal_embedding': (512, 30), 'projection.weight': (512, 6), 'projection.bias': (512,),
    }  # fmt: skip


def test_when_a_thing_happens_matters() -> None:
    encoder = SensorEncoder(6, 30, 16)
    early, late = torch.zeros(1, 30, 6), torch.zeros(1, 30, 6)
    early[0, 3], late[0, 25] = 1, 1
    assert not torch.allclose(encoder(early), encoder(late), atol=1e-3)


def test_gradients_are_those_of_the_formula() -> None:
    encoder = SensorEncoder(6, 10, 8)
    readings = torch.randn(4, 10, 6)
    literal = (encoder.temporal_embedding.T * encoder.projection(readings)).mean(dim=1)
    weights = torch.randn(4, 8)
    expected = torch.autograd.grad((literal * weights).sum(), list(encoder.parameters()))
    found = torch.autograd.grad((encoder(readings) * weights).sum(), list(encoder.parameters()))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_readings_meet_the_weights_of_now() -> None:
    encoder = SensorEncoder(6, 10, 8)
    readings = torch.randn(2, 10, 6)
    before = encoder(readings)
    torch.testing.assert_close(encoder(readings), before)
    encoder.temporal_embedding.mul_(2)
    torch.testing.assert_close(encoder(readings), 2 * before)
    encoder.load_state_dict({k: 2 * v for k, v in encoder.state_dict().items()})
    torch.testing.assert_close(encoder(readings), 8 * before)
