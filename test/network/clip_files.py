# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny CLIP of random weights, and its tensors in the layouts that CLIP comes in."""

import gzip
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

#: Two bytes of a word at a time: 'pick' becomes one token, 'peg' stays three.
MERGES = ('p i', 'pi c', 'pic k</w>')
#: 256 bytes, 256 bytes that end a word, the merges, start and end.
TOKENS = 256 + 256 + len(MERGES) + 2
START, END = TOKENS - 2, TOKENS - 1
POSITIONS = 12

VISION = CLIPVisionConfig(
    hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=2,
    image_size=224, patch_size=56, projection_dim=48,
)  # fmt: skip
TEXT = CLIPTextConfig(
    vocab_size=TOKENS, hidden_size=128, intermediate_size=80, num_hidden_layers=2,
    num_attention_heads=2, max_position_embeddings=POSITIONS, projection_dim=48,
    bos_token_id=START, eos_token_id=END, pad_token_id=END,
)  # fmt: skip


def tiny_clip(seed: int = 0) -> CLIPModel:
    """Make a CLIP in which no two tensors are alike, norms and biases included."""
    torch.manual_seed(seed)
    clip = CLIPModel(
        CLIPConfig(text_config=TEXT.to_dict(), vision_config=VISION.to_dict(), projection_dim=48)
    ).eval()
    for name, p in clip.named_parameters():
        scale = 0.3 if p.ndim < 2 else p.shape[-1] ** -0.5
        nn.init.normal_(p, mean=float('norm' in name and 'weight' in name), std=scale)
    return clip


def openai_layout(clip: CLIPModel) -> dict[str, Tensor]:
    """Return CLIP's tensors as OpenAI's files name them."""
    s = clip.state_dict()
    found = {
        'positional_embedding': s['text_model.embeddings.position_embedding.weight'],
        'text_projection': s['text_projection.weight'].T,
        'logit_scale': s['logit_scale'],
        'visual.class_embedding': s['vision_model.embeddings.class_embedding'],
        'visual.positional_embedding': s['vision_model.embeddings.position_embedding.weight'],
        'visual.proj': s['visual_projection.weight'].T,
        'visual.conv1.weight': s['vision_model.embeddings.patch_embedding.weight'],
        'visual.ln_pre.weight': s['vision_model.pre_layrnorm.weight'],
        'visual.ln_pre.bias': s['vision_model.pre_layrnorm.bias'],
        'visual.ln_post.weight': s['vision_model.post_layernorm.weight'],
        'visual.ln_post.bias': s['vision_model.post_layernorm.bias'],
        'token_embedding.weight': s['text_model.embeddings.token_embedding.weight'],
        'ln_final.weight': s['text_model.final_layer_norm.weight'],
        'ln_final.bias': s['text_model.final_layer_norm.bias'],
    }
    for stem, model, layers in (('visual.', 'vision_model', 3), ('', 'text_model', 2)):
        for n in range(layers):
            new, old = f'{stem}transformer.resblocks.{n}.', f'{model}.encoder.layers.{n}.'
            for kind in ('weight', 'bias'):
                found[f'{new}attn.in_proj_{kind}'] = torch.cat(
                    [
                        s[f'{old}self_attn.q_proj.{kind}'],
                        s[f'{old}self_attn.k_proj.{kind}'],
                        s[f'{old}self_attn.v_proj.{kind}'],
                    ]
                )
                found[f'{new}attn.out_proj.{kind}'] = s[f'{old}self_attn.out_proj.{kind}']
                found[f'{new}ln_1.{kind}'] = s[f'{old}layer_norm1.{kind}']
                found[f'{new}mlp.c_fc.{kind}'] = s[f'{old}mlp.fc1.{kind}']
                found[f'{new}mlp.c_proj.{kind}'] = s[f'{old}mlp.fc2.{kind}']
                found[f'{new}ln_2.{kind}'] = s[f'{old}layer_norm2.{kind}']
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


class Node(nn.Module):
    """A module that holds tensors under given names."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def write_torchscript(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a TorchScript archive of modules that hold these tensors, as OpenAI ships CLIP."""
    root = Node()
    for name, tensor in tensors.items():
        *parents, leaf = name.split('.')
        node: nn.Module = root
        for parent in parents:
            if parent not in dict(node.named_children()):
                node.add_module(parent, Node())
            node = node.get_submodule(parent)
        node.register_parameter(leaf, nn.Parameter(tensor))
    for name, number in (('input_resolution', 224), ('context_length', POSITIONS)):
        root.register_buffer(name, torch.tensor(number))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)
        torch.jit.trace(root, torch.ones(1)).save(str(path))


def write_clip(folder: Path, layout: str, clip: CLIPModel) -> Path:
    """Write CLIP in a layout and return what the user would name."""
    path = folder / 'ViT-B-16.pt'
    if layout == 'torchscript':
        write_torchscript(path, openai_layout(clip))
    elif layout == 'openai':
        torch.save(openai_layout(clip), path)
    elif layout == 'actionclip':
        state = {f'module.{name}': t for name, t in openai_layout(clip).items()}
        fusion = {'module.frame_position_embeddings.weight': torch.ones(2)}
        both = {'epoch': 3, 'model_state_dict': state, 'fusion_model_state_dict': fusion}
        torch.save(both, path)
    elif layout == 'huggingface':
        clip.save_pretrained(folder)
        return folder
    else:
        assert layout == 'pytorch_model'
        path = folder / 'pytorch_model.bin'
        positions = {'vision_model.embeddings.position_ids': torch.arange(17)[None]}
        torch.save({**clip.state_dict(), **positions}, path)
    return path


LAYOUTS = ('torchscript', 'openai', 'actionclip', 'huggingface', 'pytorch_model')


def write_vocabulary(folder: Path) -> Path:
    """Write OpenAI's vocabulary file with a few merges in it."""
    path = folder / 'bpe_simple_vocab_16e6.txt.gz'
    path.write_bytes(gzip.compress('\n'.join(('#version: 0.2', *MERGES, '')).encode()))
    return path
