# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the network, and the presets."""

from typing import Any

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import MODALITIES, declared
from m2r2_ros.model.config import PRESETS, ModelConfig, preset
from test.network.networks import SMALL


@pytest.mark.parametrize('name', PRESETS)
def test_presets_survive_a_round_trip(name: str) -> None:
    assert ModelConfig.from_dict(preset(name).to_dict()) == preset(name)
    assert preset(name).width == 512


def test_the_presets_look_at_what_the_design_says() -> None:
    assert preset('proprio').modalities == declared(MODALITIES[1:])
    assert preset('lite').modalities == declared(MODALITIES)
    assert preset('full').modalities == declared(MODALITIES)


def test_an_unknown_preset_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'large'.*proprio, lite, full"):
        preset('large')


@pytest.mark.parametrize(
    ('entry', 'value'),
    [
        ('modalities', []),
        ('modalities', None),
        ('modalities', 'wrench'),
        ('modalities', ['pose', 'wrench']),
        ('modalities', ['wrench', 'wrench']),
        ('modalities', ['smell']),
        ('image_encoder', 'resnet'),
        ('image_encoder', 'efficientnet_lite0'),
        ('width', 0),
        ('width', 32.0),
        ('width', '32'),
        ('heads', 5),
        ('sound_encoder', 'cnn'),
        ('sound_encoder', ''),
        ('sound_stride', 17),
        ('sound_stride', 0),
        ('sound_expansion', 0),
        ('dropout', 1.0),
        ('dropout', float('nan')),
        ('head', None),
        ('depth', 3),
    ],
)
def test_wrong_entries_are_named(entry: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf'model.*{entry}'):
        ModelConfig.from_dict({**SMALL.to_dict(), entry: value})


def test_modalities_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r'model\.modalities'):
        ModelConfig.from_dict({})
