# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP's image encoder, and its weights in every layout they come in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from m2r2_ros.core.errors import BundleError
from m2r2_ros.network.clip_weights import clip_tensors
from m2r2_ros.network.image import ClipImageEncoder, vit_b16
from m2r2_ros.network.weight_files import fit_weights, read_weights
from test.network.clip_files import LAYOUTS, VISION, openai_layout, tiny_clip, write_clip


def pixels(n: int = 3, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (n, 224, 224, 3)).astype(np.uint8))


def load(encoder: ClipImageEncoder, path: Path) -> None:
    file = read_weights(path)
    fit_weights(encoder.backbone, clip_tensors(file, 'vision'), file.path)


def scaled_by_hand(images: Tensor) -> Tensor:
    scaled = torch.empty(len(images), 3, 224, 224, dtype=torch.float64)
    means = (0.48145466, 0.4578275, 0.40821073)
    stds = (0.26862954, 0.26130258, 0.27577711)
    for channel, (mean, std) in enumerate(zip(means, stds, strict=True)):
        scaled[:, channel] = (images[..., channel].double() / 255 - mean) / std
    return scaled.float()


@torch.no_grad()
def expected(clip: CLIPModel, images: Tensor) -> Tensor:
    hidden = clip.vision_model(pixel_values=scaled_by_hand(images)).pooler_output
    return clip.visual_projection(hidden)


@pytest.mark.parametrize('layout', LAYOUTS)
@torch.no_grad()
def test_each_layout_gives_what_the_original_gives(layout: str, tmp_path: Path) -> None:
    clip = tiny_clip()
    encoder = ClipImageEncoder(48, VISION).eval()
    load(encoder, write_clip(tmp_path, layout, clip))
    found = encoder.backbone(scaled_by_hand(pixels())).image_embeds
    torch.testing.assert_close(found, expected(clip, pixels()), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(encoder(pixels()), expected(clip, pixels()), atol=1e-5, rtol=1e-4)
    assert expected(clip, pixels()).std(dim=0).min() > 1e-3  # no two pictures are alike


@torch.no_grad()
def test_half_precision_is_read_as_single(tmp_path: Path) -> None:
    tensors = {name: t.half() for name, t in openai_layout(tiny_clip()).items()}
    torch.save(tensors, tmp_path / 'half.pt')
    encoder = ClipImageEncoder(48, VISION).eval()
    load(encoder, tmp_path / 'half.pt')
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}
    torch.testing.assert_close(
        encoder(pixels()), expected(tiny_clip(), pixels()), atol=0.05, rtol=0.05
    )


def test_another_width_is_a_linear_projection_behind_clips_own() -> None:
    torch.manual_seed(0)
    encoder = ClipImageEncoder(32, VISION).eval()
    features = encoder.features(pixels())
    assert features.shape == (3, encoder.feature_dim) == (3, 48)
    assert isinstance(encoder.projection, torch.nn.Linear)
    by_hand = features @ encoder.projection.weight.T + encoder.projection.bias
    torch.testing.assert_close(encoder(pixels()), by_hand)
    torch.testing.assert_close(encoder(features), by_hand)


def test_at_clips_width_its_own_projection_is_the_output() -> None:
    encoder = ClipImageEncoder(48, VISION).eval()
    torch.testing.assert_close(encoder(pixels()), encoder.features(pixels()))
    assert not list(encoder.projection.parameters())


def test_the_shape_is_that_of_vit_b16() -> None:
    """Count the parameters of ViT-B/16 with its projection, layer by layer."""
    with torch.device('meta'):
        model = CLIPVisionModelWithProjection(vit_b16())
    w, f = 768, 3072
    block = 4 * (w * w + w) + (w * f + f) + (f * w + w) + 2 * 2 * w
    whole = 12 * block + w + 197 * w + 3 * 16 * 16 * w + 2 * 2 * w + w * 512
    assert sum(p.numel() for p in model.parameters()) == whole


def test_the_gradient_reaches_every_parameter_until_it_is_frozen() -> None:
    torch.manual_seed(0)
    encoder = ClipImageEncoder(32, VISION).train()
    (encoder(pixels()) * torch.randn(3, 32)).sum().backward()
    for name, p in encoder.named_parameters():
        assert p.grad is not None, name
        if not name.endswith('k_proj.bias'):  # what is added to all keys cancels in the softmax
            assert p.grad.abs().max() > 0, name
    encoder.zero_grad()
    encoder.freeze()
    encoder.train()
    assert not any(m.training for m in encoder.backbone.modules())
    assert encoder.projection.training
    encoder(pixels()).sum().backward()
    assert all(p.grad is None for p in encoder.backbone.parameters())
    assert encoder.projection.weight.grad is not None


def broken(tensors: dict[str, Tensor], what: str) -> dict[str, Tensor]:
    name = 'visual.transformer.resblocks.1.mlp.c_fc.weight'
    if what == 'missing':
        return {n: t for n, t in tensors.items() if n != name}
    if what == 'shape':
        return {**tensors, name: tensors[name][:-1]}
    if what == 'unknown':
        return {**tensors, 'visual.time_embedding': torch.ones(2), 'elsewhere': torch.ones(1)}
    return {**tensors, name: tensors[name] * float('nan')}


@pytest.mark.parametrize(
    ('what', 'message'),
    [
        ('missing', r'vision_model\.encoder\.layers\.1\.mlp\.fc1\.weight \(96, 64\) is missing'),
        ('shape', r'layers\.1\.mlp\.fc1\.weight: expected \(96, 64\), found \(95, 64\)'),
        ('unknown', r'visual\.time_embedding \(2,\) is unknown; elsewhere \(1,\) is unknown'),
        ('nan', r'layers\.1\.mlp\.fc1\.weight holds values that are not finite'),
    ],
)
def test_what_does_not_fit_is_named(what: str, message: str, tmp_path: Path) -> None:
    torch.save(broken(openai_layout(tiny_clip()), what), tmp_path / 'clip.pt')
    encoder = ClipImageEncoder(48, VISION)
    before = {n: p.clone() for n, p in encoder.state_dict().items()}
    with pytest.raises(BundleError, match=rf'clip\.pt: does not fit the encoder: .*{message}'):
        load(encoder, tmp_path / 'clip.pt')
    assert all(torch.equal(p, before[n]) for n, p in encoder.state_dict().items())


def test_another_patch_size_is_named(tmp_path: Path) -> None:
    torch.save(openai_layout(tiny_clip()), tmp_path / 'clip.pt')
    other = CLIPVisionConfig.from_dict({**VISION.to_dict(), 'patch_size': 32})
    match = r'patch_embedding\.weight: expected \(64, 3, 32, 32\), found \(64, 3, 56, 56\)'
    with pytest.raises(BundleError, match=match):
        load(ClipImageEncoder(48, other), tmp_path / 'clip.pt')


def test_a_file_of_something_else_is_named_with_what_it_holds(tmp_path: Path) -> None:
    torch.save({'layer.weight': torch.ones(1)}, tmp_path / 'other.pt')
    with pytest.raises(BundleError, match=r'other\.pt: expected CLIP: .*found layer\.weight'):
        load(ClipImageEncoder(48, VISION), tmp_path / 'other.pt')
