# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that the user has, loaded into an extractor; and the presets as a whole."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import CLIPVisionConfig

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.model.config import PRESETS, ModelConfig, preset
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.network import image
from m2r2_ros.network.bundle import save_bundle
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.image import ClipImageEncoder
from m2r2_ros.network.network import Network
from m2r2_ros.network.pretrained import load_pretrained
from m2r2_ros.network.sound import SoundEncoder
from m2r2_ros.network.tensors import InputTensors
from test.network.ast_files import original_layout, tiny_ast
from test.network.clip_files import VISION, tiny_clip, write_clip
from test.network.networks import SMALL, WINDOWS, make_bundle, make_windows

#: Preset full, but for the sizes.
TINY_FULL = replace(
    SMALL, modalities=declared(('image', 'sound', *SENSORS)), image_encoder='clip_vit_b16',
    sound_layers=2, sound_stride=10, sound_expansion=4,
)  # fmt: skip


def tiny_vision() -> CLIPVisionConfig:
    return VISION


@pytest.fixture
def extractor(monkeypatch: pytest.MonkeyPatch) -> Extractor:
    monkeypatch.setattr(image, 'vit_b16', tiny_vision)
    return make_extractor(TINY_FULL)


def make_extractor(config: ModelConfig) -> Extractor:
    torch.manual_seed(0)
    return Network(config, WINDOWS, classes=3).extractor.eval()


def write_ast(folder: Path) -> Path:
    torch.save(original_layout(tiny_ast()), folder / 'audioset.pth')
    return folder / 'audioset.pth'


def test_both_encoders_are_loaded_and_named(extractor: Extractor, tmp_path: Path) -> None:
    clip, ast = write_clip(tmp_path, 'actionclip', tiny_clip()), write_ast(tmp_path)
    loaded = load_pretrained(extractor, image=clip, sound=ast)
    assert set(loaded.origins) == {'image', 'sound'}
    assert loaded.origins['image'].startswith('ViT-B-16.pt, sha256 ')
    assert loaded.origins['sound'].startswith('audioset.pth, sha256 ')
    assert (loaded.random, loaded.warning) == ((), '')
    seeing, hearing = extractor.encoders['image'], extractor.encoders['sound']
    assert isinstance(seeing, ClipImageEncoder)
    assert isinstance(hearing, SoundEncoder)
    assert torch.equal(
        seeing.backbone.visual_projection.weight, tiny_clip().visual_projection.weight
    )
    assert torch.equal(hearing.ast.embeddings.cls_token, tiny_ast().embeddings.cls_token)


def test_one_file_alone_leaves_the_other_encoder_as_it_is(
    extractor: Extractor, tmp_path: Path
) -> None:
    before = {n: p.clone() for n, p in extractor.encoders['image'].state_dict().items()}
    loaded = load_pretrained(extractor, sound=write_ast(tmp_path))
    assert set(loaded.origins) == {'sound'}
    assert loaded.random == ('image',)
    assert '--image-weights' in loaded.warning
    assert '--sound-weights' not in loaded.warning
    after = extractor.encoders['image'].state_dict()
    assert all(torch.equal(after[n], p) for n, p in before.items())


def test_random_weights_are_warned_of_in_large_encoders_only(extractor: Extractor) -> None:
    assert load_pretrained(extractor).random == ('image',)
    assert load_pretrained(make_extractor(SMALL)).warning == ''
    with torch.device('meta'):
        full = Network(preset('full'), WINDOWS, classes=3).extractor
    loaded = load_pretrained(full)
    assert loaded.random == ('image', 'sound')
    assert '--image-weights and --sound-weights' in loaded.warning


def test_weights_that_no_encoder_takes_are_refused(tmp_path: Path) -> None:
    clip, ast = write_clip(tmp_path, 'openai', tiny_clip()), write_ast(tmp_path)
    with pytest.raises(ConfigError, match=r'ViT-B-16\.pt: only the image encoder clip_vit_b16'):
        load_pretrained(make_extractor(SMALL), image=clip)
    convolutions = make_extractor(replace(SMALL, sound_encoder='conv'))
    with pytest.raises(ConfigError, match=r'audioset\.pth: only the sound encoder ast'):
        load_pretrained(convolutions, sound=ast)
    deaf = make_extractor(replace(SMALL, modalities=declared(SENSORS)))
    with pytest.raises(ConfigError, match=r'audioset\.pth: the model has no sound'):
        load_pretrained(deaf, sound=ast)


def test_files_that_were_swapped_are_named(extractor: Extractor, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r'audioset\.pth: expected CLIP'):
        load_pretrained(extractor, image=write_ast(tmp_path))
    with pytest.raises(BundleError, match=r'ViT-B-16\.pt: expected an AST'):
        load_pretrained(extractor, sound=write_clip(tmp_path, 'openai', tiny_clip()))


def test_full_is_vit_b16_and_ast_base() -> None:
    with torch.device('meta'):
        full = Network(preset('full'), WINDOWS, classes=3).extractor
    seeing, hearing = full.encoders['image'], full.encoders['sound']
    assert isinstance(seeing, ClipImageEncoder)
    assert isinstance(hearing, SoundEncoder)
    assert not list(seeing.projection.parameters())
    shape = hearing.ast.config
    assert (shape.hidden_size, shape.num_hidden_layers, shape.num_attention_heads) == (768, 12, 12)
    assert (shape.intermediate_size, shape.frequency_stride, shape.time_stride) == (3072, 10, 10)


@pytest.mark.parametrize('name', PRESETS)
def test_each_preset_is_built_saved_loaded_and_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == 'lite':
        pytest.importorskip('efficientnet_lite_pytorch')
    # Of the 12 layers of CLIP and AST, which are alike, two: the others only take long.
    shape = image.vit_b16()
    shape.num_hidden_layers = 2
    monkeypatch.setattr(image, 'vit_b16', lambda: shape)
    config = replace(preset(name), sound_layers=2)
    made = make_bundle(config)
    loaded = save_bundle(made, tmp_path / name)  # is what load_bundle reads
    windows = make_windows(2, images='image' in config.modalities)[1:]  # has everything
    inputs = InputTensors.of(make_inputs(windows, loaded.normalisation, config.modalities))
    assert inputs.present.all()
    features = loaded.network.features(inputs)
    assert features.shape == (1, 512)
    prediction, _ = loaded.network.advance(inputs, loaded.network.initial_state())
    assert torch.isfinite(prediction.probabilities).all()
    # A bundle holds half-precision weights, and all of them.
    for parameter in made.network.parameters():
        parameter.data = parameter.data.half().float()
    torch.testing.assert_close(made.network.features(inputs), features)
