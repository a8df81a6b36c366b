# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP's text encoder: sentences that describe actions to E_s (paper section III-D)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

from m2r2_ros.core.errors import BundleError, LabelError
from m2r2_ros.network.backbone import BackboneEncoder
from m2r2_ros.network.clip_vocabulary import read_tokenizer
from m2r2_ros.network.clip_weights import clip_tensors
from m2r2_ros.network.weight_files import fit_weights, read_weights

EMBEDDING = 'text_model.embeddings.token_embedding.weight'
#: The tensors that give the shape of a text encoder.
SHAPED_BY = (
    EMBEDDING,
    'text_model.embeddings.position_embedding.weight',
    'text_model.encoder.layers.0.mlp.fc1.weight',
    'text_projection.weight',
)


class ClipTextEncoder(BackboneEncoder):
    """E_s: CLIP's embedding of a sentence, in the space of its image encoder's I_i.

    Attributes:
        width: Width of E_s (ViT-B/16: 512).
        origin: Name and hash of the file that the weights came from.
    """

    modality: ClassVar[str] = 'text'

    def __init__(self, shape: CLIPTextConfig, tokenizer: CLIPTokenizer, origin: str = '') -> None:
        """Make an encoder with random weights; `read_clip_text` makes one from files."""
        super().__init__()
        self.backbone = CLIPTextModelWithProjection(shape)
        self.width: int = shape.projection_dim
        self.origin = origin
        self._tokenizer = tokenizer
        self._longest: int = shape.max_position_embeddings

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """Map sentences to E_s, float32 (n, width).

        Raises:
            LabelError: A sentence has more tokens than the encoder has positions.
        """
        tokens = self._tokenizer(list(sentences), padding=True, return_tensors='pt')
        for sentence, count in zip(sentences, tokens.attention_mask.sum(dim=1), strict=True):
            if count > self._longest:
                msg = (
                    f'the sentence {sentence!r} has {int(count)} tokens, the text encoder takes '
                    f'{self._longest}: shorten the labels in it'
                )
                raise LabelError(msg)
        device = self.backbone.text_projection.weight.device
        embedding: Tensor = self.backbone(
            input_ids=tokens.input_ids.to(device), attention_mask=tokens.attention_mask.to(device)
        ).text_embeds
        return embedding


def read_clip_text(weights: Path, vocabulary: Path | None = None) -> ClipTextEncoder:
    """Read a text encoder, whose shape is that of the tensors in the file.

    Args:
        weights: File or folder with CLIP (m2r2_ros.network.clip_weights).
        vocabulary: File or folder with the vocabulary; by default the folder of the weights.

    Raises:
        BundleError: A file is missing, holds something else, or does not fit the other.
    """
    file = read_weights(weights)
    tensors = clip_tensors(file, 'text')
    if missing := [name for name in SHAPED_BY if name not in tensors]:
        msg = f'{file.path}: holds no text encoder of CLIP: {", ".join(missing)} is missing'
        raise BundleError(msg)
    tokenizer = read_tokenizer(vocabulary or file.path.parent)
    if len(tokenizer) != len(tensors[EMBEDDING]):
        msg = (
            f'{vocabulary or file.path.parent}: the vocabulary has {len(tokenizer)} tokens, '
            f'{file.path} embeds {len(tensors[EMBEDDING])}: they belong to different models'
        )
        raise BundleError(msg)
    encoder = ClipTextEncoder(_shape(tensors, tokenizer), tokenizer, file.origin)
    fit_weights(encoder.backbone, tensors, file.path)
    return encoder


def _shape(tensors: Mapping[str, Tensor], tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    embedding, positions, feedforward, projection = (tensors[name] for name in SHAPED_BY)
    layers = {name.split('.')[3] for name in tensors if name.startswith('text_model.encoder.')}
    width = embedding.shape[1]
    return CLIPTextConfig(
        vocab_size=len(embedding),
        hidden_size=width,
        intermediate_size=len(feedforward),
        num_hidden_layers=len(layers),
        num_attention_heads=max(1, width // 64),  # as in all of CLIP's
        max_position_embeddings=len(positions),
        projection_dim=len(projection),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
