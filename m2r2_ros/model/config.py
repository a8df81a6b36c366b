# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of the M2R2 extractor and its head, and the presets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import (
    BUILTIN,
    IMAGE,
    SENSORS,
    VECTOR,
    Modalities,
    check_modalities,
    declared,
    from_entries,
    of_kind,
    to_entries,
)
from m2r2_ros.core.options import (
    Section,
    between,
    check_options,
    one_of,
    read_options,
    shown,
)
from m2r2_ros.model.head_config import CausalTCNConfig, HeadConfig, head_from_dict

#: Image encoders, and the width of what their backbones make of an image.
IMAGE_FEATURES = {'efficientnet_lite0': 1280, 'clip_vit_b16': 512}
IMAGE_ENCODERS = tuple(IMAGE_FEATURES)
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
        image_encoder: 'efficientnet_lite0' or 'clip_vit_b16', the same kind for every camera; ''
            where there is none.
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
        relative_pose: Give encoders of poses these relative to the first one of a run, too.
        head: The segmentation head behind the features, and its options.
        offline_head: A second head on the same features, for recordings that are over; None where
            `head` labels these too.
    """

    modalities: Modalities
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
        check_modalities(self.modalities, 'model.modalities.')
        if unknown := [m for m in of_kind(self.modalities, VECTOR) if not self.modalities[m].dims]:
            msg = f'model.modalities.{unknown[0]}.dims: expected a whole number above 0, found 0'
            raise ConfigError(msg)
        if self.image_encoder not in ('', *IMAGE_ENCODERS):
            known_encoders = ' or '.join(IMAGE_ENCODERS)
            msg = f'model.image_encoder: {shown(self.image_encoder)} is unknown: {known_encoders}'
            raise ConfigError(msg)
        if bool(self.image_encoder) != bool(of_kind(self.modalities, IMAGE)):
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
        converted = {
            **entries,
            'modalities': _read_modalities(section),
            'head': head_from_dict(section.get('head', (dict,))),
            'offline_head': _head_or_none(section.get('offline_head', (dict,), None)),
        }
        return read_options(cls, converted, 'model')

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self)},
            'modalities': to_entries(self.modalities),
            'head': self.head.to_dict(),
            'offline_head': self.offline_head and self.offline_head.to_dict(),
        }


def _read_modalities(section: Section) -> Modalities:
    """Read declarations; bundles of older versions name built-in modalities."""
    found = section.get('modalities', (dict, list), expected='a mapping of declarations')
    if isinstance(found, Mapping):
        return from_entries(section.section('modalities'))
    names = section.texts('modalities')
    if [name for name in BUILTIN if name in names] != list(names):
        section.refuse('modalities', 'built-in modalities in their order', found)
    return declared(names)


def _head_or_none(entries: object) -> HeadConfig | None:
    return None if entries is None else head_from_dict(entries)


PRESETS = {
    'proprio': ModelConfig(declared(('sound', *SENSORS)), sound_encoder='conv'),
    'lite': ModelConfig(
        declared(('image', 'sound', *SENSORS)),
        image_encoder='efficientnet_lite0',
        sound_encoder='conv',
    ),
    # The paper's own: CLIP ViT-B/16, which ActionCLIP's weights fit, and AST-base.
    'full': ModelConfig(
        declared(('image', 'sound', *SENSORS)),
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
    return with_modalities(config, {n: m for n, m in config.modalities.items() if n in modalities})


def with_modalities(config: ModelConfig, modalities: Modalities) -> ModelConfig:
    """Return the same shapes for other modalities; cameras are left out without an encoder."""
    seen = {n: m for n, m in modalities.items() if m.kind != IMAGE or config.image_encoder}
    # What shares the encoder of one that is not there has one of its own, and no twist is made of a
    # pose that is not there.
    poses = {*seen, *BUILTIN}
    seen = {
        name: replace(
            m,
            encoder=m.encoder if m.encoder in seen else '',
            derived_from=m.derived_from if m.derived_from in poses else '',
        )
        for name, m in seen.items()
    }
    cameras = of_kind(seen, IMAGE)
    return replace(config, modalities=seen, image_encoder=config.image_encoder if cameras else '')
