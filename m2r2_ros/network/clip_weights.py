# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP's tensors in all published layouts, under the names that transformers gives them.

OpenAI's and ActionCLIP's files hold both halves of CLIP under the same names; ActionCLIP keeps
them as `model_state_dict` next to the tensors of its own fusion. Hugging Face's files hold one half
or both.
"""

import re
from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from m2r2_ros.core.errors import BundleError
from m2r2_ros.network.weight_files import WeightFile, split_three

Half = Literal['vision', 'text']

#: What neither half needs: the temperature of CLIP's loss, and sizes that the tensors imply.
NEITHER = ('logit_scale', 'input_resolution', 'context_length', 'vocab_size')
PROJECTIONS = {'vision': 'visual_projection', 'text': 'text_projection'}
#: For each half, OpenAI's names without `visual.`, and the names in transformers.
OUTSIDE_BLOCKS: dict[str, dict[str, str]] = {
    'vision': {
        'class_embedding': 'embeddings.class_embedding',
        'positional_embedding': 'embeddings.position_embedding.weight',
        'conv1.weight': 'embeddings.patch_embedding.weight',
        'ln_pre.weight': 'pre_layrnorm.weight',
        'ln_pre.bias': 'pre_layrnorm.bias',
        'ln_post.weight': 'post_layernorm.weight',
        'ln_post.bias': 'post_layernorm.bias',
    },
    'text': {
        'token_embedding.weight': 'embeddings.token_embedding.weight',
        'positional_embedding': 'embeddings.position_embedding.weight',
        'ln_final.weight': 'final_layer_norm.weight',
        'ln_final.bias': 'final_layer_norm.bias',
    },
}
BLOCK = re.compile(r'transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias)')
IN_PROJECTION = re.compile(r'transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)')
IN_BLOCK = {
    'attn.out_proj': 'self_attn.out_proj',
    'ln_1': 'layer_norm1',
    'ln_2': 'layer_norm2',
    'mlp.c_fc': 'mlp.fc1',
    'mlp.c_proj': 'mlp.fc2',
}


def clip_tensors(file: WeightFile, half: Half) -> dict[str, Tensor]:
    """Return one half of CLIP under the names of transformers' CLIP...ModelWithProjection.

    What is in the file and belongs to neither half keeps its name, so that fit_weights names it.

    Raises:
        BundleError: The file holds no CLIP in a known layout.
    """
    names = file.tensors
    if any(n.startswith(('visual.', 'token_embedding.')) for n in names):
        return _from_openai(names, half)
    if any(n.startswith(('vision_model.', 'text_model.')) for n in names):
        return _from_transformers(names, half)
    msg = (
        f'{file.path}: expected CLIP: tensors called visual.* (OpenAI, ActionCLIP) or '
        f'vision_model.* (Hugging Face); found {", ".join(list(names)[:3])}, ...'
    )
    raise BundleError(msg)


def _from_transformers(tensors: Mapping[str, Tensor], half: Half) -> dict[str, Tensor]:
    other = 'text' if half == 'vision' else 'vision'
    skipped = (f'{other}_model.', f'{PROJECTIONS[other]}.', 'logit_scale')
    return {
        name: tensor
        for name, tensor in tensors.items()
        # Files of older versions list the positions, which are 0, 1, 2, ...
        if not name.startswith(skipped) and not name.endswith('.position_ids')
    }


def _from_openai(tensors: Mapping[str, Tensor], half: Half) -> dict[str, Tensor]:
    result: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in NEITHER:
            continue
        own: Half = 'vision' if name.startswith('visual.') else 'text'
        translated = _translated(name, tensor, own)
        if own == half or name in translated:
            result |= translated
    return result


def _translated(name: str, tensor: Tensor, half: Half) -> dict[str, Tensor]:
    """Return one of OpenAI's tensors under its names in transformers, or as it is if unknown."""
    stem = name.removeprefix('visual.')
    model = f'{half}_model.'
    if stem in OUTSIDE_BLOCKS[half]:
        return {model + OUTSIDE_BLOCKS[half][stem]: tensor}
    if stem == ('proj' if half == 'vision' else 'text_projection') and tensor.ndim == 2:
        # OpenAI multiplies from the right with a matrix (in, out), a linear layer keeps (out, in).
        return {f'{PROJECTIONS[half]}.weight': tensor.t()}
    if match := IN_PROJECTION.fullmatch(stem):
        parts = tuple(f'{p}_proj.{match[2]}' for p in 'qkv')
        return split_three(
            f'{model}encoder.layers.{match[1]}.self_attn.', (parts[0], parts[1], parts[2]), tensor
        )
    if (match := BLOCK.fullmatch(stem)) and match[2] in IN_BLOCK:
        return {f'{model}encoder.layers.{match[1]}.{IN_BLOCK[match[2]]}.{match[3]}': tensor}
    return {name: tensor}
