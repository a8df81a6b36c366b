# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from m2r2_ros.core.errors import BundleError
from m2r2_ros.discovery.laps.encoder import MotionEncoder, encoder_shapes
from m2r2_ros.discovery.laps.energy import latent_energy
from m2r2_ros.discovery.laps.shape import TokenizerConfig

CONFIG = TokenizerConfig(inputs=8, axes=2, hidden=16, heads=2, bins=5)


def drawn(gain: float = 30.0) -> dict[str, np.ndarray]:
    """Return random weights of an encoder that tells motions apart."""
    rng = np.random.default_rng(0)
    found = {
        name: (0.3 * rng.normal(size=shape)).astype(np.float32)
        for name, shape in encoder_shapes(CONFIG).items()
    }
    found['to_code.weight'] *= gain
    return found | {'reach': np.ones(8, np.float32)}


def moves(steps: int = 7) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(steps, 8)).astype(np.float32)


def test_the_encoder_looks_back_only() -> None:
    later = moves()
    later[4:] += 5
    encode = MotionEncoder(CONFIG, drawn())
    (before, first), (after, second) = encode(moves()), encode(later)
    assert np.array_equal(before[:4], after[:4]) and np.array_equal(first[:4], second[:4])
    assert not np.array_equal(before[4:], after[4:])


def test_what_has_one_code_is_one_vector() -> None:
    found, codes = MotionEncoder(CONFIG, drawn())(np.concatenate([moves(60)] * 2))
    same = codes[:, None] == codes
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    assert (apart[same] == 0).all() and (apart[~same] > 0).all()


@pytest.mark.parametrize('steps', [1, 7, 16, 33])
def test_energy_is_zero_at_rest_and_at_one_speed(steps: int) -> None:
    encode = MotionEncoder(CONFIG, drawn(1.0))
    for speed in (0.0, 0.4):
        z_q, _ = encode(np.full((steps + 1, 8), speed, np.float32))
        assert latent_energy(z_q) == 0


def test_what_has_no_reach_is_left_out() -> None:
    tensors = drawn()
    tensors['reach'][0] = 0
    encode, other = MotionEncoder(CONFIG, tensors), moves()
    other[:, 0] = 7
    assert np.array_equal(encode(moves())[0], encode(other)[0])


def test_weights_are_checked() -> None:
    tensors = drawn()
    MotionEncoder(CONFIG, {**tensors, 'clusters.mean': np.zeros(3, np.float32)})
    for bad, says in (
        ({k: v for k, v in tensors.items() if k != 'reach'}, 'reach .* missing'),
        ({**tensors, 'to_code.weight': np.zeros((4, 3), np.float32)}, r'to_code.weight.*\(4, 16\)'),
        ({**tensors, 'project.bias': np.full(16, np.nan, np.float32)}, 'project.bias.*finite'),
    ):
        with pytest.raises(BundleError, match=says):
            MotionEncoder(CONFIG, bad)
