# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from m2r2_ros.discovery.laps.encoder import MotionEncoder, encoder_shapes
from m2r2_ros.discovery.laps.shape import TokenizerConfig
from m2r2_ros.training.laps.fsq import ScalarQuantiser
from m2r2_ros.training.laps.tokenizer import MotionTokenizer, tensors_of

CONFIG = TokenizerConfig(inputs=8, axes=2, hidden=16, heads=2, bins=5)


@pytest.fixture
def tokenizer() -> MotionTokenizer:
    torch.manual_seed(0)
    return MotionTokenizer(CONFIG).eval()


@pytest.mark.parametrize(
    'config',
    [
        TokenizerConfig(inputs=30, axes=1),
        TokenizerConfig(inputs=800, axes=2, hidden=96, heads=8, enc_layers=3, levels=(2, 7, 3)),
    ],
)
def test_the_encoder_that_labels_is_the_one_that_is_trained(config: TokenizerConfig) -> None:
    torch.manual_seed(0)
    tokenizer = MotionTokenizer(config).eval()
    tokenizer.reach[:3] = torch.tensor([0.0, 0.5, 2.0])
    velocities = 0.5 * torch.randn(20, 15, config.inputs)
    tokenizer.spread_codes(velocities)
    tensors = tensors_of(tokenizer)
    shapes = encoder_shapes(config)
    assert shapes == {name: tensors[name].shape for name in shapes}
    with torch.inference_mode():
        expected = tokenizer.from_code(
            tokenizer.quantiser(tokenizer.to_code(tokenizer._encoded(velocities)))
        ).numpy()
    encode = MotionEncoder(config, tensors)
    found, codes = zip(*(encode(v) for v in velocities.numpy()), strict=True)
    assert found[0].dtype == np.float32 and codes[0].dtype == np.int32
    np.testing.assert_allclose(np.stack(found), expected, rtol=0, atol=1e-5)
    assert len(np.unique(codes)) > 15


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


def test_codes_are_spread_before_training(tokenizer: MotionTokenizer) -> None:
    def codes(velocities: torch.Tensor) -> int:
        encode = MotionEncoder(CONFIG, tensors_of(tokenizer))
        return len(np.unique([encode(v)[1] for v in velocities.numpy()]))

    velocities = 0.3 * torch.randn(64, 7, 8)
    few = codes(velocities)
    tokenizer.spread_codes(velocities)
    assert codes(velocities) > max(5 * few, 200)


def test_gradients_pass_the_rounding() -> None:
    z = torch.tensor([[0.3, -0.2]], requires_grad=True)
    ScalarQuantiser((5, 8))(z).sum().backward()
    assert z.grad is not None and bool((z.grad > 0.1).all())
