# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tensors of a tiny AST of random weights, in the layouts that AST comes in."""

import torch
from torch import Tensor, nn
from transformers import ASTConfig, ASTModel

#: Rows and columns of patches of 128 mel bins by 1024 columns at stride 10.
ROWS, COLUMNS = 12, 101


def tiny_ast(seed: int = 0, *, hidden: int = 64, layers: int = 2) -> ASTModel:
    """Make an AST for AudioSet's spectrograms in which no two tensors are alike."""
    torch.manual_seed(seed)
    ast = ASTModel(
        ASTConfig(
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=max(1, hidden // 64),
            intermediate_size=4 * hidden,
        )
    ).eval()
    for name, p in ast.named_parameters():
        scale = 0.3 if p.ndim < 2 else p.shape[-1] ** -0.5
        nn.init.normal_(p, mean=float('norm' in name and 'weight' in name), std=scale)
    return ast


def original_layout(ast: ASTModel) -> dict[str, Tensor]:
    """Return AST's tensors as the original files name them."""
    s = {name: tensor.detach().clone() for name, tensor in ast.state_dict().items()}
    found = {
        'v.cls_token': s['embeddings.cls_token'],
        'v.dist_token': s['embeddings.distillation_token'],
        'v.pos_embed': s['embeddings.position_embeddings'],
        'v.patch_embed.proj.weight': s['embeddings.patch_embeddings.projection.weight'],
        'v.patch_embed.proj.bias': s['embeddings.patch_embeddings.projection.bias'],
        'v.norm.weight': s['layernorm.weight'],
        'v.norm.bias': s['layernorm.bias'],
        'v.head.weight': torch.ones(1000, 2),
        'v.head_dist.bias': torch.ones(1000),
        'mlp_head.0.weight': torch.ones(2),
        'mlp_head.1.bias': torch.ones(527),
    }
    for n in range(2):
        new, old = f'v.blocks.{n}.', f'layers.{n}.'
        for kind in ('weight', 'bias'):
            found[f'{new}attn.qkv.{kind}'] = torch.cat(
                [
                    s[f'{old}attention.q_proj.{kind}'],
                    s[f'{old}attention.k_proj.{kind}'],
                    s[f'{old}attention.v_proj.{kind}'],
                ]
            )
            found[f'{new}attn.proj.{kind}'] = s[f'{old}attention.o_proj.{kind}']
            found[f'{new}norm1.{kind}'] = s[f'{old}layernorm_before.{kind}']
            found[f'{new}norm2.{kind}'] = s[f'{old}layernorm_after.{kind}']
            found[f'{new}mlp.fc1.{kind}'] = s[f'{old}mlp.fc1.{kind}']
            found[f'{new}mlp.fc2.{kind}'] = s[f'{old}mlp.fc2.{kind}']
    return {f'module.{name}': tensor for name, tensor in found.items()}


def hub_layout(ast: ASTModel) -> dict[str, Tensor]:
    """Return AST's tensors as the files on the Hugging Face hub name them, classifier included."""
    s = {name: tensor.detach().clone() for name, tensor in ast.state_dict().items()}
    stem = 'audio_spectrogram_transformer.'
    found = {
        f'{stem}embeddings.{name}': s[f'embeddings.{name}']
        for name in (
            'cls_token',
            'distillation_token',
            'position_embeddings',
            'patch_embeddings.projection.weight',
            'patch_embeddings.projection.bias',
        )
    }
    for n in range(2):
        new, old = f'{stem}encoder.layer.{n}.', f'layers.{n}.'
        for kind in ('weight', 'bias'):
            attention = f'{new}attention.attention.'
            found[f'{attention}query.{kind}'] = s[f'{old}attention.q_proj.{kind}']
            found[f'{attention}key.{kind}'] = s[f'{old}attention.k_proj.{kind}']
            found[f'{attention}value.{kind}'] = s[f'{old}attention.v_proj.{kind}']
            found[f'{new}attention.output.dense.{kind}'] = s[f'{old}attention.o_proj.{kind}']
            found[f'{new}intermediate.dense.{kind}'] = s[f'{old}mlp.fc1.{kind}']
            found[f'{new}output.dense.{kind}'] = s[f'{old}mlp.fc2.{kind}']
            found[f'{new}layernorm_before.{kind}'] = s[f'{old}layernorm_before.{kind}']
            found[f'{new}layernorm_after.{kind}'] = s[f'{old}layernorm_after.{kind}']
    for kind in ('weight', 'bias'):
        found[f'{stem}layernorm.{kind}'] = s[f'layernorm.{kind}']
        found[f'classifier.dense.{kind}'] = torch.ones(527)
    return found
