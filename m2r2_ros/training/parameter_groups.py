# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of a model learn, and how fast: freezing, layer-wise rates, weight decay."""

import re
from collections.abc import Collection
from typing import Any

from torch import Tensor, nn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.network.backbone import BackboneEncoder

#: Modalities whose encoder has a backbone.
FREEZABLE = ('image', 'sound', 'text')
LAYER = re.compile(r'\blayers\.(\d+)\.')
#: Backbone parameters that come before its first layer.
BEFORE_LAYERS = ('embeddings.', 'pre_layrnorm.')


def parameter_groups(
    module: nn.Module,
    *,
    learning_rate: float,
    weight_decay: float,
    freeze: Collection[str] = (),
    layer_decay: float = 1.0,
) -> list[dict[str, Any]]:
    """Return what an optimiser such as AdamW takes: groups with `params`, `lr`, `weight_decay`.

    Layer k from the top of a backbone, counted from 0, learns at learning_rate * layer_decay ** k:
    deeper layers are more general. What follows the last layer counts as part of it, embeddings as
    one more layer below the first. Everything else learns at the full rate. Norms, biases and
    embeddings have no weight decay, which would pull them towards 0 without benefit.

    Args:
        module: The model. Encoders that are frozen are changed in place.
        learning_rate: Rate at the top.
        weight_decay: Of all other parameters.
        freeze: Modalities whose encoder's backbone is not trained; those that the model does
            not have are ignored.
        layer_decay: Factor from one layer to the next below, above 0 and up to 1.

    Raises:
        ConfigError: A modality has no backbone, or the factor is out of range.
    """
    if not 0 < layer_decay <= 1:
        msg = f'layer_decay: expected more than 0 and at most 1, found {layer_decay}'
        raise ConfigError(msg)
    freeze_backbones(module, freeze)
    depths = _depths(module)
    plain = _without_decay(module)
    groups: dict[tuple[int, bool], list[Tensor]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((depths.get(name, 0), name in plain), []).append(parameter)
    return [
        {
            'params': parameters,
            'lr': learning_rate * layer_decay**depth,
            'weight_decay': 0.0 if is_plain else weight_decay,
        }
        for (depth, is_plain), parameters in groups.items()
    ]


def freeze_backbones(module: nn.Module, modalities: Collection[str]) -> None:
    """Freeze the backbones of these modalities, where the model has them.

    Raises:
        ConfigError: A modality has no backbone.
    """
    if unknown := sorted(set(modalities) - set(FREEZABLE)):
        msg = f'freeze: {", ".join(unknown)} has no backbone: expected {", ".join(FREEZABLE)}'
        raise ConfigError(msg)
    for encoder in module.modules():
        if isinstance(encoder, BackboneEncoder) and encoder.modality in modalities:
            encoder.freeze()


def _depths(module: nn.Module) -> dict[str, int]:
    """Return how many layers of its backbone lie above each of its parameters."""
    depths: dict[str, int] = {}
    for path, encoder in module.named_modules():
        if not isinstance(encoder, BackboneEncoder):
            continue
        names = [name for name, _ in encoder.trunk.named_parameters()]
        matches = {name: LAYER.search(name) for name in names}
        layers = 1 + max((int(m[1]) for m in matches.values() if m), default=-1)
        stem = f'{path}.{encoder.trunk_name}.'.removeprefix('.')
        for name, match in matches.items():
            if match:
                depths[stem + name] = layers - 1 - int(match[1])
            else:
                before = any(part in name for part in BEFORE_LAYERS)
                depths[stem + name] = layers if before else 0
    return depths


def _without_decay(module: nn.Module) -> set[str]:
    """Return the names of norms, biases and embeddings."""
    plain = set()
    for path, part in module.named_modules():
        for own, parameter in part.named_parameters(prefix=path, recurse=False):
            leaf = own.rpartition('.')[2]
            is_embedding = isinstance(part, nn.Embedding) or 'embedding' in leaf or 'token' in leaf
            if parameter.ndim <= 1 or is_embedding:
                plain.add(own)
    return plain
