# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""F_m as arithmetic on tensors alone: masks are inputs, and nothing depends on their values."""

from typing import Final, cast

import torch
from torch import Tensor, nn

from m2r2_ros.core.modalities import IMAGE, SOUND, of_kind
from m2r2_ros.model.graph_names import array_names
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.image import ImageEncoder
from m2r2_ros.network.sound import SoundEncoder

#: Added to the scores of tokens that are not there; their weights are zero in single precision.
_AWAY: Final = -1e9


class ExtractorGraph(nn.Module):
    """The extractor, ready to be traced.

    Attributes:
        inputs: Names of the arrays that `forward` takes, in order (model.graph_names).
        cameras: Names of the images whose backbone's features it returns behind x_i.
    """

    def __init__(self, extractor: Extractor) -> None:
        """Take an extractor in evaluation mode."""
        super().__init__()
        self.extractor = extractor
        self.inputs = array_names(extractor.modalities, relative=extractor.relative)
        self.cameras = of_kind(extractor.modalities, IMAGE)

    def forward(self, arrays: dict[str, Tensor], present: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map N frames to x_i, and to the backbones' features of each camera.

        Args:
            arrays: By the names of `inputs`; what is masked may hold any finite numbers.
            present: bool (N, M), of the network's modalities in order.

        Returns:
            float32 (N, D_e), and float32 (N, K) for each of `cameras`.
        """
        images: list[Tensor] = []
        tokens = [
            self._token(name, arrays, present[:, k], images)
            for k, name in enumerate(self.extractor.modalities)
        ]
        there = present.float().unsqueeze(-1)
        normed = self.extractor.token_norm(torch.stack(tokens, dim=1) * there)
        mixed = encoder_layer(self.extractor.modality_transformer, normed, present)
        features: Tensor = self.extractor.mlp((mixed * there).flatten(1))
        return features, images

    def _token(
        self, name: str, arrays: dict[str, Tensor], there: Tensor, images: list[Tensor]
    ) -> Tensor:
        """Return the token of a modality, float32 (N, D_e); whatever where it is masked."""
        modality, encoder = self.extractor.modalities[name], self.extractor.encoder(name)
        if modality.kind == IMAGE:
            encoder = cast(ImageEncoder, encoder)
            images.append(_of_those_there(encoder.pooled, arrays[name], there, encoder.feature_dim))
            token: Tensor = encoder.projection(images[-1])
            return token
        if modality.kind == SOUND and isinstance(encoder, SoundEncoder):
            width = encoder.projection.out_features
            return _of_those_there(encoder, arrays[name], there, width)
        if self.extractor.is_relative(modality):
            parts = [arrays[n] for n in array_names({name: modality}, relative=True)]
            return self._sensor(encoder, torch.cat(parts, dim=-1))
        if modality.kind == SOUND:
            token = encoder(arrays[name])
            return token
        return self._sensor(encoder, arrays[name])

    @staticmethod
    def _sensor(encoder: nn.Module, readings: Tensor) -> Tensor:
        matrix, bias = encoder.one_matrix()  # type: ignore[operator]
        return nn.functional.linear(readings.flatten(1), matrix, bias)


def _of_those_there(encode: object, rows: Tensor, there: Tensor, width: int) -> Tensor:
    """Encode the rows that are there alone, for encoders that take long; zero elsewhere."""
    found = there.nonzero().flatten()
    encoded: Tensor = encode(rows.index_select(0, found))  # type: ignore[operator]
    zeros = there.float().unsqueeze(1) * torch.zeros(1, width)
    return zeros.index_copy(0, found, encoded)


def encoder_layer(layer: nn.TransformerEncoderLayer, x: Tensor, present: Tensor) -> Tensor:
    """Return what the modality transformer makes of tokens, with fewer nodes than PyTorch's own.

    Args:
        layer: Normalises behind attention and feed-forward layer, as published.
        x: float32 (N, M, D_e).
        present: bool (N, M), the tokens that are attended to.
    """
    own = layer.self_attn
    count, width = x.shape[1], own.embed_dim
    packed = nn.functional.linear(x, own.in_proj_weight, own.in_proj_bias)
    packed = packed.reshape(-1, int(count), 3, own.num_heads, width // own.num_heads)
    q, k, v = packed.permute(2, 0, 3, 1, 4).unbind(0)
    # A frame without any modality attends to its own zeros, to all of them alike.
    away = (1 - present.float()) * _AWAY
    scores = q @ k.transpose(-1, -2) * (width // own.num_heads) ** -0.5 + away[:, None, None]
    found = (scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(-1, int(count), width)
    y = layer.norm1(x + own.out_proj(found))
    z: Tensor = layer.norm2(y + layer.linear2(torch.relu(layer.linear1(y))))
    return z
