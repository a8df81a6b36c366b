# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AST's weights in every layout they come in, on shorter and lower spectrograms."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import ASTForAudioClassification, ASTModel

from m2r2_ros.core.errors import BundleError
from m2r2_ros.network.ast_weights import ast_tensors, fit_positions
from m2r2_ros.network.sound import SoundEncoder
from m2r2_ros.network.weight_files import fit_weights, read_weights
from m2r2_ros.windows.logmel import MEL_BINS
from test.network.ast_files import COLUMNS, ROWS, hub_layout, original_layout, tiny_ast

FRAMES = 98
#: Patches of 64 mel bins, two silent ones above them, by 98 columns: 16, 26, .. 66; 16, 26, .. 96.
HEIGHT, LENGTH = 6, 9


def make_encoder(frames: int = FRAMES) -> SoundEncoder:
    torch.manual_seed(1)
    return SoundEncoder(frames, 64, 2, 32, stride=10, expansion=4).eval()


def write(folder: Path, layout: str, ast: ASTModel) -> Path:
    path = folder / 'audioset.pth'
    if layout == 'original':
        torch.save(original_layout(ast), path)
    elif layout == 'hub':
        torch.save(hub_layout(ast), path)
    elif layout == 'without prefix':
        tensors = hub_layout(ast)
        stem = 'audio_spectrogram_transformer.'
        torch.save({n.removeprefix(stem): t for n, t in tensors.items()}, path)
    elif layout == 'saved model':
        ast.save_pretrained(folder)
        return folder
    else:
        assert layout == 'saved classifier'
        classifier = ASTForAudioClassification(ast.config)
        classifier.audio_spectrogram_transformer.load_state_dict(ast.state_dict())
        classifier.save_pretrained(folder)
        return folder
    return path


def load(encoder: SoundEncoder, path: Path) -> None:
    file = read_weights(path)
    fit_weights(encoder.ast, ast_tensors(file, encoder.ast.config), file.path)


@torch.no_grad()
def expected(ast: ASTModel, mel: Tensor) -> Tensor:
    """Put the patches of a spectrogram through AST's layers one by one; its class token."""
    padded = torch.full((len(mel), 66, mel.shape[2]), -1.0)
    padded[:, :MEL_BINS] = mel
    patches = ast.embeddings.patch_embeddings.projection(padded[:, None])
    assert patches.shape[2:] == (HEIGHT, LENGTH)
    positions = ast.embeddings.position_embeddings[0, 2:]
    sequence = [ast.embeddings.cls_token[0], ast.embeddings.distillation_token[0]]
    tokens = torch.cat(sequence) + ast.embeddings.position_embeddings[0, :2]
    rows = [tokens.expand(len(mel), -1, -1)]
    for i in range(HEIGHT):
        for j in range(LENGTH):
            # Half as many rows: each lies in the middle of two of AST's. Of its 101 columns the
            # nine around the 51st, which is number 50, are taken.
            low, high = (row * COLUMNS + 46 + j for row in (2 * i, 2 * i + 1))
            place = (positions[low] + positions[high]) / 2
            rows.append((patches[:, :, i, j] + place)[:, None])
    hidden = torch.cat(rows, dim=1)
    for layer in ast.layers:
        hidden = layer(hidden)
    return ast.layernorm(hidden)[:, 0]


@pytest.mark.parametrize(
    'layout', ['original', 'hub', 'without prefix', 'saved model', 'saved classifier']
)
@torch.no_grad()
def test_each_layout_gives_the_class_token_of_the_original(layout: str, tmp_path: Path) -> None:
    ast, encoder = tiny_ast(), make_encoder()
    load(encoder, write(tmp_path, layout, ast))
    mel = torch.rand(3, MEL_BINS, FRAMES) * 2 - 1
    token = expected(ast, mel)
    assert token.std(dim=0).min() > 1e-4
    torch.testing.assert_close(encoder(mel), encoder.projection(token), atol=2e-6, rtol=1e-5)


def grid(rows: int, columns: int) -> Tensor:
    """Return position embeddings whose two channels are row and column; tokens hold -1, -2."""
    table = [[float(i), float(j)] for i in range(rows) for j in range(columns)]
    return torch.tensor([[[-1.0, -1.0], [-2.0, -2.0], *table]])


def shape(frames: int) -> object:
    return make_encoder(frames).ast.config


def test_positions_are_halved_over_frequency_and_cut_from_the_middle_over_time() -> None:
    found = fit_positions(grid(ROWS, COLUMNS), shape(FRAMES))[0]
    assert found[:2].tolist() == [[-1, -1], [-2, -2]]
    rows = [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]
    columns = [46, 47, 48, 49, 50, 51, 52, 53, 54]
    assert found[2:].tolist() == [[i, j] for i in rows for j in columns]


def test_an_even_number_of_columns_is_cut_from_the_middle_too() -> None:
    found = fit_positions(grid(ROWS, COLUMNS), shape(108))[0, 2:]  # 16, 26, .. 106: ten columns
    assert found[:10, 1].tolist() == list(range(45, 55))


def test_too_few_columns_are_stretched() -> None:
    found = fit_positions(grid(ROWS, 5), shape(108))[0, 2:]
    assert found.shape == (6 * 10, 2)
    torch.testing.assert_close(found[2:10:2, 1], torch.tensor([0.75, 1.75, 2.75, 3.75]))


@pytest.mark.parametrize('patches', [ROWS * COLUMNS - 1, 8 * 64, 0])
def test_the_grid_of_another_stride_is_refused(patches: int) -> None:
    with pytest.raises(BundleError, match=r'is not a grid of 12 rows, which 128 mel bins have'):
        fit_positions(torch.zeros(1, 2 + patches, 4), shape(FRAMES))


@pytest.mark.parametrize(
    ('name', 'tensor', 'message'),
    [
        ('module.v.blocks.1.attn.proj.bias', None, r'layers\.1\.attention\.o_proj\.bias .*missing'),
        ('module.v.pos_embed', None, r'embeddings\.position_embeddings .* is missing'),
        ('module.v.extra', torch.ones(2), r'v\.extra \(2,\) is unknown'),
        ('module.v.pos_embed', torch.ones(3), r'embeddings\.position_embeddings: \(3,\) is no'),
        ('module.v.norm.bias', torch.ones(3), r'layernorm\.bias: expected \(64,\), found \(3,\)'),
        (
            'module.v.patch_embed.proj.weight',
            torch.ones(64, 1, 14, 14),
            r'projection\.weight: expected \(64, 1, 16, 16\), found \(64, 1, 14, 14\)',
        ),
    ],
)
def test_what_does_not_fit_is_named(
    name: str, tensor: Tensor | None, message: str, tmp_path: Path
) -> None:
    tensors = {n: t for n, t in original_layout(tiny_ast()).items() if n != name}
    if tensor is not None:
        tensors[name] = tensor
    torch.save(tensors, tmp_path / 'ast.pth')
    with pytest.raises(BundleError, match=rf'ast\.pth: .*{message}'):
        load(make_encoder(), tmp_path / 'ast.pth')


def test_a_deeper_ast_is_named(tmp_path: Path) -> None:
    torch.save(hub_layout(tiny_ast()), tmp_path / 'ast.pth')
    shallow = SoundEncoder(FRAMES, 64, 1, 32, stride=10, expansion=4)
    with pytest.raises(BundleError, match=r'layers\.1\.attention\.q_proj\.weight .* is unknown'):
        load(shallow, tmp_path / 'ast.pth')


def test_a_file_of_something_else_is_named_with_what_it_holds(tmp_path: Path) -> None:
    torch.save({'layer.weight': torch.ones(1)}, tmp_path / 'other.pt')
    with pytest.raises(BundleError, match=r'other\.pt: expected an AST: .*found layer\.weight'):
        load(make_encoder(), tmp_path / 'other.pt')
