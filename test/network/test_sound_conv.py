# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The small convolutional encoder of sound."""

from dataclasses import replace

import pytest
import torch

from m2r2_ros.model.config import PRESETS, ModelConfig, preset
from m2r2_ros.network.network import Network
from m2r2_ros.network.sound import SoundEncoder, make_sound_encoder
from m2r2_ros.network.sound_conv import ConvSoundEncoder
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import MEL_BINS
from test.network.networks import MEL_FRAMES, SMALL

CONV = replace(SMALL, sound_encoder='conv')


def heard(frames: int, bins: slice, columns: slice) -> torch.Tensor:
    """A burst in a quiet room, (1, 64, frames)."""
    mel = torch.full((1, MEL_BINS, frames), -0.5)
    mel[:, bins, columns] = 4.0
    return mel


@pytest.mark.parametrize('frames', [1, 8, 31, 32, 98])
@pytest.mark.parametrize('new_columns', [1, 4, 10, 200])
def test_spectrograms_of_any_length_and_frames_of_any_rate_are_encoded(
    frames: int, new_columns: int
) -> None:
    encoder = make_sound_encoder(CONV, frames, new_columns).eval()
    assert encoder(torch.randn(3, MEL_BINS, frames)).shape == (3, CONV.width)


@pytest.mark.parametrize(('frame_rate', 'columns'), [(30.0, 14), (10.0, 32), (5.0, 62), (1.0, 98)])
def test_no_sound_between_two_frames_is_left_out(frame_rate: float, columns: int) -> None:
    windows = WindowConfig(frame_rate=frame_rate)
    encoder = Network(CONV, windows, classes=3).extractor.encoders['sound']
    assert isinstance(encoder, ConvSoundEncoder)
    assert encoder.columns == columns


def test_what_is_heard_when_and_how_high_matters() -> None:
    torch.manual_seed(0)
    encoder = ConvSoundEncoder(32, 24).eval()
    bursts = [(slice(10, 14), slice(90, 94)), (slice(40, 44), slice(90, 94)),
              (slice(10, 14), slice(76, 80))]  # fmt: skip
    a, b, c = (encoder(heard(MEL_FRAMES, *burst)) for burst in bursts)
    for x, y in ((a, b), (b, c), (a, c)):
        assert (x - y).abs().max() > 1e-3


def test_the_newest_column_counts_and_what_is_old_is_left_to_the_head() -> None:
    torch.manual_seed(0)
    encoder = ConvSoundEncoder(32, 24).eval()
    oldest = MEL_FRAMES - encoder.columns
    quiet = encoder(heard(MEL_FRAMES, slice(0), slice(0)))
    assert torch.equal(encoder(heard(MEL_FRAMES, slice(64), slice(0, oldest))), quiet)
    for column in (oldest, MEL_FRAMES - 1):
        loud = encoder(heard(MEL_FRAMES, slice(64), slice(column, column + 1)))
        assert (loud - quiet).abs().max() > 1e-3


def test_a_frozen_encoder_keeps_its_convolutions() -> None:
    encoder = ConvSoundEncoder(32, 24)
    encoder.freeze()
    encoder(torch.randn(2, MEL_BINS, MEL_FRAMES)).sum().backward()
    assert all(p.grad is None for p in encoder.trunk.parameters())
    assert encoder.projection.weight.grad is not None


@pytest.mark.parametrize('name', PRESETS)
def test_only_the_preset_with_pretrained_weights_has_a_transformer(name: str) -> None:
    expected = 'ast' if name == 'full' else 'conv'
    assert preset(name).sound_encoder == expected


def test_the_encoder_is_the_one_that_the_model_names() -> None:
    conv = make_sound_encoder(CONV, MEL_FRAMES, 10)
    assert isinstance(conv, ConvSoundEncoder)
    entries = SMALL.to_dict()
    del entries['sound_encoder']  # as in bundles of older versions
    ast = make_sound_encoder(ModelConfig.from_dict(entries), MEL_FRAMES, 10)
    assert isinstance(ast, SoundEncoder)
