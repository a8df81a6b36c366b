# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AST's tensors in all published layouts, fitted to shorter and lower spectrograms.

AST was trained on AudioSet with 128 mel bins by 1024 columns, a window of M2R2 has 64 bins by
about 100 columns (paper section III-B). Patches are of the same size in both, so that all tensors
carry over but the position embeddings, which are a grid of one vector for each patch.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import ASTConfig

from m2r2_ros.core.errors import BundleError
from m2r2_ros.network.weight_files import WeightFile, split_three

#: Mel bins of the spectrograms that AST was trained on.
AST_BINS = 128
#: Class and distillation token, which come before the patches.
TOKENS = 2
POSITIONS = 'embeddings.position_embeddings'

#: Classifiers: AudioSet's, and in the original files ImageNet's.
HEADS = ('classifier.', 'mlp_head.', 'v.head.', 'v.head_dist.')
HUGGING_FACE = (
    (r'^audio_spectrogram_transformer\.', ''),
    (r'^encoder\.layer\.', 'layers.'),
    (r'\.attention\.attention\.(query|key|value)\.', r'.attention.\1.'),
    (r'\.attention\.query\.', '.attention.q_proj.'),
    (r'\.attention\.key\.', '.attention.k_proj.'),
    (r'\.attention\.value\.', '.attention.v_proj.'),
    (r'\.attention\.output\.dense\.', '.attention.o_proj.'),
    (r'\.intermediate\.dense\.', '.mlp.fc1.'),
    (r'^(layers\.\d+)\.output\.dense\.', r'\1.mlp.fc2.'),
)
ORIGINAL = (
    (r'^v\.cls_token$', 'embeddings.cls_token'),
    (r'^v\.dist_token$', 'embeddings.distillation_token'),
    (r'^v\.pos_embed$', POSITIONS),
    (r'^v\.patch_embed\.proj\.', 'embeddings.patch_embeddings.projection.'),
    (r'^v\.norm\.', 'layernorm.'),
    (r'^v\.blocks\.(\d+)\.norm1\.', r'layers.\1.layernorm_before.'),
    (r'^v\.blocks\.(\d+)\.norm2\.', r'layers.\1.layernorm_after.'),
    (r'^v\.blocks\.(\d+)\.attn\.proj\.', r'layers.\1.attention.o_proj.'),
    (r'^v\.blocks\.(\d+)\.mlp\.', r'layers.\1.mlp.'),
)
STACKED = re.compile(r'v\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)')


def ast_tensors(file: WeightFile, shape: ASTConfig) -> dict[str, Tensor]:
    """Return a file's AST under the names of transformers' ASTModel, positions fitted to a shape.

    Raises:
        BundleError: The file holds no AST in a known layout, or its position embeddings
            are not a grid of patches at the stride of `shape`.
    """
    names = file.tensors
    if any(n.startswith('v.blocks.') for n in names):
        result = _translated(names, ORIGINAL)
    elif any(n.endswith(POSITIONS) for n in names):
        result = _translated(names, HUGGING_FACE)
    else:
        msg = (
            f'{file.path}: expected an AST: tensors called v.blocks.* (original) or '
            f'{POSITIONS} (Hugging Face); found {", ".join(list(names)[:3])}, ...'
        )
        raise BundleError(msg)
    if POSITIONS in result:
        try:
            result[POSITIONS] = fit_positions(result[POSITIONS], shape)
        except BundleError as error:
            msg = f'{file.path}: {POSITIONS}: {error}'
            raise BundleError(msg) from error
    return result


def fit_positions(positions: Tensor, shape: ASTConfig) -> Tensor:
    """Fit position embeddings to the grid of a shape.

    Over frequency they are interpolated, since 64 bins span about the range of 128. Over time the
    middle ones are taken, since a column lasts as long in both; if there are too few, they are
    interpolated as well. That is AST's own recipe for other lengths (arXiv 2104.01778).

    Args:
        positions: (1, 2 + rows * columns, hidden), row by row, of a spectrogram with 128 bins.
        shape: Of the spectrograms to come.

    Returns:
        float32 (1, 2 + rows * columns, hidden), for the rows and columns of `shape`.

    Raises:
        BundleError: The patches do not fill whole rows.
    """
    rows = (AST_BINS - shape.patch_size) // shape.frequency_stride + 1
    patches = positions.shape[1] - TOKENS if positions.ndim == 3 else 0
    if patches <= 0 or patches % rows:
        msg = (
            f'{tuple(positions.shape)} is not a grid of {rows} rows, which {AST_BINS} mel bins '
            f'have at stride {shape.frequency_stride}: its stride differs'
        )
        raise BundleError(msg)
    height = (shape.num_mel_bins - shape.patch_size) // shape.frequency_stride + 1
    length = (shape.max_length - shape.patch_size) // shape.time_stride + 1
    grid = positions[:, TOKENS:].float().unflatten(1, (rows, -1)).permute(0, 3, 1, 2)
    columns = grid.shape[3]
    if length <= columns:
        first = columns // 2 - length // 2
        grid = grid[..., first : first + length]
    grid = torch.nn.functional.interpolate(grid, size=(height, length), mode='bilinear')
    return torch.cat([positions[:, :TOKENS].float(), grid.flatten(2).transpose(1, 2)], dim=1)


def _translated(
    tensors: Mapping[str, Tensor], rules: tuple[tuple[str, str], ...]
) -> dict[str, Tensor]:
    """Return the tensors of the AST renamed; what no rule matches keeps its name."""
    result: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.startswith(HEADS):
            continue
        if match := STACKED.fullmatch(name):
            q, k, v = (f'{p}_proj.{match[2]}' for p in 'qkv')
            result |= split_three(f'layers.{match[1]}.attention.', (q, k, v), tensor)
            continue
        for old, new in rules:
            name = re.sub(old, new, name)
        result[name] = tensor
    return result
