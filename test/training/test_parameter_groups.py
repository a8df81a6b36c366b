# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What learns, and at which rate."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.network.image import ClipImageEncoder
from m2r2_ros.network.proprioception import SensorEncoder
from m2r2_ros.network.sound import SoundEncoder
from m2r2_ros.training.parameter_groups import freeze_backbones, parameter_groups
from test.network.clip_files import VISION


class Model(nn.Module):
    """Encoders of three kinds and a layer behind them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoders = nn.ModuleDict(
            {
                'image': ClipImageEncoder(32, VISION),  # three layers
                'sound': SoundEncoder(48, 64, 2, 32),
                'wrench': SensorEncoder(BUILTIN['wrench'].dims, 30, 32),
            }
        )
        self.norm = nn.LayerNorm(32)
        self.mlp = nn.Linear(32, 8)


def groups(model: nn.Module, **options: Any) -> dict[str, tuple[float, float]]:
    """Return learning rate and weight decay by parameter name."""
    made = parameter_groups(model, learning_rate=1.0, weight_decay=0.1, **options)
    by_id = {id(p): (g['lr'], g['weight_decay']) for g in made for p in g['params']}
    assert sum(len(g['params']) for g in made) == len(by_id), 'a parameter is in two groups'
    return {n: by_id[id(p)] for n, p in model.named_parameters() if id(p) in by_id}


def test_rates_fall_layer_by_layer_from_the_top() -> None:
    found = groups(Model(), layer_decay=0.5)
    rates = {name: rate for name, (rate, _) in found.items()}
    image, sound = 'encoders.image.backbone.', 'encoders.sound.ast.'
    expected = {
        f'{image}visual_projection.weight': 1.0,
        f'{image}vision_model.post_layernorm.bias': 1.0,
        f'{image}vision_model.encoder.layers.2.self_attn.q_proj.weight': 1.0,
        f'{image}vision_model.encoder.layers.1.mlp.fc1.bias': 0.5,
        f'{image}vision_model.encoder.layers.0.layer_norm1.weight': 0.25,
        f'{image}vision_model.pre_layrnorm.weight': 0.125,
        f'{image}vision_model.embeddings.patch_embedding.weight': 0.125,
        f'{image}vision_model.embeddings.class_embedding': 0.125,
        f'{image}vision_model.embeddings.position_embedding.weight': 0.125,
        f'{sound}layernorm.weight': 1.0,
        f'{sound}layers.1.mlp.fc2.weight': 1.0,
        f'{sound}layers.0.mlp.fc2.weight': 0.5,
        f'{sound}embeddings.cls_token': 0.25,
        f'{sound}embeddings.patch_embeddings.projection.weight': 0.25,
        'encoders.image.projection.weight': 1.0,
        'encoders.sound.projection.bias': 1.0,
        'encoders.wrench.temporal_embedding': 1.0,
        'mlp.weight': 1.0,
    }
    assert {name: rates[name] for name in expected} == expected
    assert set(rates) == {name for name, _ in Model().named_parameters()}
    # Sixteen tensors to a layer of each.
    count = Counter(rates.values())
    assert count[0.5] == 16 + 16
    assert count[0.25] == 16 + 5
    assert count[0.125] == 5


def test_norms_biases_and_embeddings_have_no_weight_decay() -> None:
    found = {name: decay for name, (_, decay) in groups(Model()).items()}
    plain = ('bias', 'norm.weight', 'norm1.weight', 'norm2.weight', 'layrnorm.weight',
             'layernorm.weight', 'layernorm_before.weight', 'layernorm_after.weight',
             'class_embedding', 'position_embedding.weight', 'position_embeddings', 'token',
             'temporal_embedding')  # fmt: skip
    for name, decay in found.items():
        assert decay == (0.0 if name.endswith(plain) else 0.1), name
    assert found['encoders.image.backbone.vision_model.embeddings.patch_embedding.weight'] == 0.1
    assert found['encoders.sound.ast.embeddings.patch_embeddings.projection.weight'] == 0.1


def test_words_have_no_weight_decay() -> None:
    model = nn.ModuleDict({'words': nn.Embedding(4, 2), 'out': nn.Linear(2, 2, bias=False)})
    assert groups(model) == {'words.weight': (1.0, 0.0), 'out.weight': (1.0, 0.1)}


def test_what_is_frozen_neither_learns_nor_is_in_a_group() -> None:
    model = Model()
    found = groups(model, freeze=['image'], layer_decay=0.5)
    assert not any(name.startswith('encoders.image.backbone') for name in found)
    assert {'encoders.image.projection.weight', 'encoders.sound.ast.layernorm.bias'} <= set(found)
    for name, p in model.named_parameters():
        assert p.requires_grad == (not name.startswith('encoders.image.backbone')), name
    model.train()
    assert not any(m.training for m in model.encoders['image'].get_submodule('backbone').modules())
    assert model.encoders['sound'].get_submodule('ast').training


def test_an_encoder_by_itself_is_a_model_too() -> None:
    found = groups(SoundEncoder(48, 64, 2, 32), layer_decay=0.5)
    assert found['ast.layers.0.mlp.fc1.weight'] == (0.5, 0.1)
    assert found['projection.weight'] == (1.0, 0.1)


def test_one_step_moves_only_what_learns() -> None:
    model = Model()
    made = parameter_groups(model, learning_rate=1e-2, weight_decay=0.1, freeze=('sound',))
    optimizer = torch.optim.AdamW(made)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    pixels = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)
    model.train()
    token = model.encoders['image'](pixels) + model.encoders['sound'](torch.randn(2, 64, 48))
    token = token + model.encoders['wrench'](torch.randn(2, 30, 6))
    (model.mlp(model.norm(token)) * torch.randn(2, 8)).sum().backward()
    optimizer.step()
    for name, p in model.named_parameters():
        frozen = name.startswith('encoders.sound.ast')
        assert torch.equal(p, before[name]) == frozen, name


def test_modalities_that_the_model_does_not_have_do_not_matter() -> None:
    model = Model()
    freeze_backbones(model, ['text'])
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'freeze': ['wrench', 'smell']}, 'freeze: smell, wrench has no backbone'),
        ({'layer_decay': 0.0}, 'layer_decay: expected more than 0 and at most 1, found 0.0'),
        ({'layer_decay': 1.5}, 'layer_decay'),
        ({'layer_decay': float('nan')}, 'layer_decay'),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        groups(Model(), **options)
