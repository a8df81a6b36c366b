# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the M2R2 extractor and its head, and the presets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import MODALITIES, SENSORS
from m2r2_ros.core.options import (
    Section,
    between,
    check_options,
    one_of,
    read_options,
    shown,
)
from m2r2_ros.model.heads.config import CausalTCNConfig, HeadConfig, head_from_dict

IMAGE_ENCODERS = ('efficientnet_lite0', 'clip_vit_b16')
SOUND_ENCODERS = ('conv', 'ast')
#: Largest width, most heads, layers of the sound encoder, and widths of its feed-forward layers.
MAX = 8192
MAX_HEADS = 1024
MAX_LAYERS = 64
MAX_EXPANSION = 16
#: Least width of an attention head of the sound encoder.
SOUND_HEAD = 64
#: Sound patches are 16 wide: further apart, they would leave out what lies between them.
MAX_STRIDE = 16


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Shapes and rates of the network; part of a bundle.

    Attributes:
        modalities: What the model looks at, in token order.
        image_encoder: 'efficientnet_lite0' or 'clip_vit_b16'; '' where there is no image branch.
        width: D_e (paper: 512).
        heads: Attention heads of the modality transformer.
        feedforward: Width of its feed-forward layer.
        mlp: Hidden width of the MLP behind the concatenation.
        dropout: Share of units dropped in training.
        sound_encoder: 'conv' or 'ast'; 'ast' in bundles that do not say.
        sound_width: Width of the AST; one attention head per 64 (AST-base: 768).
        sound_layers: Layers of the AST (AST-base: 12).
        sound_stride: Mel bins, and columns, from one patch of 16 by 16 to the next (AST: 10).
        sound_expansion: Width of the AST's feed-forward layers, in widths of the AST (AST: 4).
        relative_pose: Give the pose's encoder poses relative to the first one of a run, too.
        head: The segmentation head behind the features, and its options.
        offline_head: A second head on the same features, for recordings that are over; None where
            `head` labels these too.
    """

    modalities: tuple[str, ...]
    image_encoder: str = ''
    width: int = between(512, 1, MAX)
    heads: int = between(8, 1, MAX_HEADS)
    feedforward: int = between(512, 1, MAX)
    mlp: int = between(512, 1, MAX)
    dropout: float = between(0.1, 0, 0.95)
    sound_encoder: str = one_of('ast', SOUND_ENCODERS)
    sound_width: int = between(128, 1, MAX)
    sound_layers: int = between(2, 1, MAX_LAYERS)
    sound_stride: int = between(16, 1, MAX_STRIDE)
    sound_expansion: int = between(2, 1, MAX_EXPANSION)
    relative_pose: bool = False
    head: HeadConfig = field(default_factory=CausalTCNConfig)
    offline_head: HeadConfig | None = None

    def __post_init__(self) -> None:
        known = [m for m in MODALITIES if m in self.modalities]
        if not known or list(self.modalities) != known:
            msg = f'model.modalities: expected some of {", ".join(MODALITIES)}, in this order'
            raise ConfigError(msg)
        if self.image_encoder not in ('', *IMAGE_ENCODERS):
            known_encoders = ' or '.join(IMAGE_ENCODERS)
            msg = f'model.image_encoder: {shown(self.image_encoder)} is unknown: {known_encoders}'
            raise ConfigError(msg)
        if bool(self.image_encoder) != ('image' in self.modalities):
            msg = 'model.image_encoder: expected an encoder where, and only where, there are images'
            raise ConfigError(msg)
        check_options(self, 'model')
        if self.offline_head and (self.offline_head.online or not self.head.online):
            msg = 'model.offline_head: expected an offline head, beside an online one'
            raise ConfigError(msg)
        if self.width % self.heads:
            msg = f'model.heads: {self.heads} does not divide width {self.width}'
            raise ConfigError(msg)
        if self.sound_width % (heads := self.sound_width // SOUND_HEAD or 1):
            msg = f'model.sound_width: {self.sound_width} is not divisible by its {heads} heads'
            raise ConfigError(msg)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> 'ModelConfig':
        """Read the `model` section of bundle.yaml.

        Raises:
            ConfigError: An entry is unknown, missing or out of range.
        """
        section = Section(entries, 'model')
        modalities = section.get('modalities', (list,))
        converted = {
            **entries,
            'modalities': tuple(modalities),
            'head': head_from_dict(section.get('head', (dict,))),
            'offline_head': _head_or_none(section.get('offline_head', (dict,), None)),
        }
        return read_options(cls, converted, 'model')

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self)},
            'modalities': list(self.modalities),
            'head': self.head.to_dict(),
            'offline_head': self.offline_head and self.offline_head.to_dict(),
        }


def _head_or_none(entries: object) -> HeadConfig | None:
    return None if entries is None else head_from_dict(entries)


PRESETS = {
    'proprio': ModelConfig(('sound', *SENSORS), sound_encoder='conv'),
    'lite': ModelConfig(
        ('image', 'sound', *SENSORS), image_encoder='efficientnet_lite0', sound_encoder='conv'
    ),
    # The paper's own: CLIP ViT-B/16, which ActionCLIP's weights fit, and AST-base.
    'full': ModelConfig(
        ('image', 'sound', *SENSORS),
        image_encoder='clip_vit_b16',
        sound_encoder='ast',
        sound_width=768,
        sound_layers=12,
        sound_stride=10,
        sound_expansion=4,
    ),
}


def preset(name: str) -> ModelConfig:
    """Return a preset by name.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in PRESETS:
        msg = f'preset {name!r} is unknown: expected {", ".join(PRESETS)}'
        raise ConfigError(msg)
    return PRESETS[name]


def restrict_modalities(config: ModelConfig, modalities: Collection[str]) -> ModelConfig:
    """Return the same shapes for some of the modalities, as ablations want it.

    Raises:
        ConfigError: One of them is not among those of `config`, or none is given.
    """
    if unknown := sorted(set(modalities) - set(config.modalities)):
        known = ', '.join(config.modalities)
        msg = f'modalities: {", ".join(unknown)} not among those of the preset: {known}'
        raise ConfigError(msg)
    kept = tuple(m for m in config.modalities if m in modalities)
    return replace(
        config,
        modalities=kept,
        image_encoder=config.image_encoder if 'image' in kept else '',
    )
