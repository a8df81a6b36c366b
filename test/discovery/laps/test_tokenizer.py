# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from m2r2_ros.core.errors import BundleError
from m2r2_ros.discovery.laps.energy import latent_energy
from m2r2_ros.discovery.laps.shape import TokenizerConfig
from m2r2_ros.discovery.laps.tokenizer import MotionTokenizer, encoder_of, restore, tensors_of

CONFIG = TokenizerConfig(inputs=8, axes=2, hidden=16, heads=2, bins=5)


@pytest.fixture
def tokenizer() -> MotionTokenizer:
    torch.manual_seed(0)
    return MotionTokenizer(CONFIG).eval()


def test_latents_are_points_of_the_codebook(tokenizer: MotionTokenizer) -> None:
    velocities = torch.randn(3, 7, 8)
    z_q, codes = tokenizer.encode(velocities)
    assert z_q.shape == (3, 7, 16) and codes.shape == (3, 7)
    assert torch.allclose(z_q, tokenizer.from_code(tokenizer.quantiser.points(codes)), atol=1e-6)


def test_the_encoder_looks_back_only(tokenizer: MotionTokenizer) -> None:
    velocities = torch.randn(1, 7, 8)
    later = velocities.clone()
    later[:, 4:] += 5
    before, after = (tokenizer.encode(v)[0] for v in (velocities, later))
    assert torch.equal(before[:, :4], after[:, :4])
    tokenizer.to_code.weight.data *= 30  # so that a random tokenizer tells motions apart
    before, after = (tokenizer.encode(v)[0] for v in (velocities, later))
    assert not torch.equal(before[:, 4:], after[:, 4:])


def test_energy_is_zero_at_rest_and_at_one_speed(tokenizer: MotionTokenizer) -> None:
    encode = encoder_of(tokenizer)
    for speed in (0.0, 0.4):
        assert latent_energy(encode(np.full((7, 8), speed, np.float32))[0]) == 0


def test_targets_are_cells_of_a_grid_in_reach(tokenizer: MotionTokenizer) -> None:
    tokenizer.reach.fill_(2)
    moves = torch.tensor([0.0, 0.0, -2.0, -2.0, 9.0, 2.0, 1.0, -1.0]).view(1, 1, 8)
    assert tokenizer.targets(moves).tolist() == [[[12, 0, 24, 3 + 5 * 1]]]


def test_what_has_no_reach_is_left_out(tokenizer: MotionTokenizer) -> None:
    tokenizer.reach[0] = 0
    velocities = torch.randn(1, 7, 8)
    other = velocities.clone()
    other[..., 0] = 7
    assert torch.equal(tokenizer.scaled(velocities), tokenizer.scaled(other))


def test_weights_are_restored_and_checked(tokenizer: MotionTokenizer) -> None:
    tensors = tensors_of(tokenizer)
    velocities = np.random.default_rng(0).normal(size=(7, 8)).astype(np.float32)
    restored = encoder_of(restore(CONFIG, {**tensors, 'clusters.mean': np.zeros(3, np.float32)}))
    assert np.array_equal(restored(velocities)[0], encoder_of(tokenizer)(velocities)[0])
    for bad, says in (
        ({k: v for k, v in tensors.items() if k != 'reach'}, 'reach .* missing'),
        ({**tensors, 'to_code.weight': np.zeros((4, 3), np.float32)}, r'to_code.weight.*\(4, 16\)'),
        ({**tensors, 'project.bias': np.full(16, np.nan, np.float32)}, 'project.bias.*finite'),
    ):
        with pytest.raises(BundleError, match=says):
            restore(CONFIG, bad)


def test_codes_are_spread_before_training(tokenizer: MotionTokenizer) -> None:
    velocities = 0.3 * torch.randn(64, 7, 8)
    few = len(tokenizer.encode(velocities)[1].unique())
    tokenizer.spread_codes(velocities)
    assert len(tokenizer.encode(velocities)[1].unique()) > max(5 * few, 200)
