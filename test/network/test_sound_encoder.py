# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The small audio spectrogram transformer."""

import pytest
import torch

from m2r2_ros.network.sound import SoundEncoder
from m2r2_ros.windows.logmel import MEL_BINS
from test.network.networks import MEL_FRAMES


@pytest.mark.parametrize(('frames', 'patches'), [(98, 4 * 6), (198, 4 * 12), (48, 4 * 3)])
def test_patches_cover_the_spectrogram_and_do_not_overlap(frames: int, patches: int) -> None:
    encoder = SoundEncoder(frames, 64, 1, 32).eval()
    mel = torch.randn(3, MEL_BINS, frames)
    assert encoder(mel).shape == (3, 32)
    hidden = encoder.ast(mel.transpose(1, 2)).last_hidden_state
    # AST puts two tokens in front: class and distillation.
    assert hidden.shape == (3, 2 + patches, 64)


def test_the_representation_is_the_class_token_of_the_last_layer_projected() -> None:
    encoder = SoundEncoder(MEL_FRAMES, 64, 2, 32).eval()
    mel = torch.randn(2, MEL_BINS, MEL_FRAMES)
    token = encoder.ast(mel.transpose(1, 2)).last_hidden_state[:, 0]
    expected = token @ encoder.projection.weight.T + encoder.projection.bias
    torch.testing.assert_close(encoder(mel), expected)


def test_what_is_heard_when_and_how_high_matters() -> None:
    encoder = SoundEncoder(MEL_FRAMES, 64, 1, 32).eval()
    mel = torch.full((3, MEL_BINS, MEL_FRAMES), -1.0)
    mel[1, 10:20, 10:20] = 1
    mel[2, 40:50, 70:80] = 1
    a, b, c = encoder(mel)
    for x, y in ((a, b), (b, c), (a, c)):
        assert (x - y).abs().max() > 1e-3


def test_layers_and_width_are_as_asked() -> None:
    encoder = SoundEncoder(MEL_FRAMES, 128, 3, 32)
    assert encoder.ast.config.num_hidden_layers == 3
    assert encoder.ast.config.hidden_size == 128
    assert encoder.ast.config.num_attention_heads == 2


def test_a_patch_knows_its_place_from_the_beginning() -> None:
    encoder = SoundEncoder(MEL_FRAMES, 64, 1, 32).eval()
    mel = torch.full((2, MEL_BINS, MEL_FRAMES), -1.0)
    mel[0, :16, :16] = mel[1, 16:32, 48:64] = torch.randn(16, 16)
    early, late = encoder(mel)
    assert (early - late).abs().max() > 1e-5


@pytest.mark.parametrize(('frames', 'columns'), [(98, 9), (198, 19)])
def test_overlapping_patches_reach_the_highest_bin(frames: int, columns: int) -> None:
    """Six rows of patches at stride 10: the last begins at bin 50, and two silent ones fill it."""
    encoder = SoundEncoder(frames, 64, 1, 32, stride=10, expansion=4).eval()
    assert encoder.padding == 2
    assert encoder.ast.embeddings.position_embeddings.shape == (1, 2 + 6 * columns, 64)
    assert encoder.ast.layers[0].mlp.fc1.weight.shape == (256, 64)
    mel = torch.full((2, MEL_BINS, frames), -1.0)
    mel[1, 63] = 1
    low, high = encoder(mel)
    assert (low - high).abs().max() > 1e-4


def test_the_small_ast_is_padded_by_nothing() -> None:
    assert SoundEncoder(MEL_FRAMES, 64, 1, 32).padding == 0


def test_a_frozen_ast_evaluates_and_learns_nothing() -> None:
    encoder = SoundEncoder(MEL_FRAMES, 64, 1, 32)
    encoder.freeze()
    encoder.train()
    assert not any(m.training for m in encoder.ast.modules())
    assert encoder.projection.training
    encoder(torch.randn(2, MEL_BINS, MEL_FRAMES)).sum().backward()
    assert all(p.grad is None for p in encoder.ast.parameters())
    assert encoder.projection.weight.grad is not None
