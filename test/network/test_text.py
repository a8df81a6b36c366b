# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP's text encoder, with a tiny vocabulary."""

import gzip
import itertools
import json
from pathlib import Path

import pytest
import torch
from transformers import CLIPModel

from m2r2_ros.core.errors import BundleError, LabelError
from m2r2_ros.network.clip_vocabulary import USED_MERGES, read_tokenizer
from m2r2_ros.network.text import ClipTextEncoder, read_clip_text
from test.network.clip_files import (
    END,
    LAYOUTS,
    MERGES,
    POSITIONS,
    START,
    TOKENS,
    openai_layout,
    tiny_clip,
    write_clip,
    write_vocabulary,
)

#: '!' (33) is token 0; where a byte ends a word, 256 more. The merges follow from 512 on.
P, E = ord('p') - 33, ord('e') - 33
A_END, G_END = 256 + ord('a') - 33, 256 + ord('g') - 33
PICK = 512 + 2
SENTENCES = ['Pick  a peg', 'a', 'peg pick']
IDS = [
    [START, PICK, A_END, P, E, G_END, END],
    [START, A_END, END],
    [START, P, E, G_END, PICK, END],
]


def make_encoder(folder: Path, layout: str = 'openai') -> tuple[CLIPModel, ClipTextEncoder]:
    clip = tiny_clip()
    write_vocabulary(folder)
    return clip, read_clip_text(write_clip(folder, layout, clip)).eval()


@torch.no_grad()
def expected(clip: CLIPModel) -> torch.Tensor:
    """Embed each sentence by itself, padded with zeros to all positions as OpenAI does."""
    rows = []
    for ids in IDS:
        padded = torch.tensor([ids + [0] * (POSITIONS - len(ids))])
        hidden = clip.text_model(input_ids=padded).last_hidden_state
        rows.append(clip.text_projection(hidden[0, len(ids) - 1]))
    return torch.stack(rows)


@pytest.mark.parametrize('layout', LAYOUTS)
@torch.no_grad()
def test_each_layout_gives_what_the_original_gives(layout: str, tmp_path: Path) -> None:
    clip, encoder = make_encoder(tmp_path, layout)
    found = encoder(SENTENCES)
    assert found.shape == (3, encoder.width) == (3, 48)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected(clip), atol=1e-6, rtol=1e-5)
    assert (found[0] - found[2]).abs().max() > 1e-3


def test_openais_vocabulary_counts_bytes_then_merges(tmp_path: Path) -> None:
    tokenizer = read_tokenizer(write_vocabulary(tmp_path))
    assert len(tokenizer) == TOKENS
    assert tokenizer(SENTENCES)['input_ids'] == IDS


def test_openais_vocabulary_uses_49408_tokens(tmp_path: Path) -> None:
    letters = [chr(k) for k in range(33, 127)] + [chr(k) for k in range(256, 324)]
    letters += [chr(k) for k in (*range(161, 173), *range(174, 256))]
    pairs = itertools.product(letters, letters)
    lines = [f'{a} {b}' for a, b in itertools.islice(pairs, USED_MERGES + 1000)]
    path = tmp_path / 'bpe.txt.gz'
    path.write_bytes(gzip.compress('\n'.join(['"version', *lines]).encode()))
    assert len(read_tokenizer(path)) == 49408


def test_all_kinds_of_vocabulary_give_the_same_tokens(tmp_path: Path) -> None:
    from_openai = read_tokenizer(write_vocabulary(tmp_path))
    new, old, listed = tmp_path / 'new', tmp_path / 'old', tmp_path / 'listed'
    from_openai.save_pretrained(new)
    assert (new / 'tokenizer.json').is_file()
    old.mkdir()
    (old / 'vocab.json').write_text(json.dumps(from_openai.get_vocab()))
    (old / 'merges.txt').write_text('\n'.join(('#version: 0.2', *MERGES, '')))
    listed.mkdir()
    entries = json.loads((new / 'tokenizer.json').read_text())
    entries['model']['merges'] = list(MERGES)
    (listed / 'tokenizer.json').write_text(json.dumps(entries))
    for folder in (new, old, old / 'vocab.json', listed):
        assert read_tokenizer(folder)(SENTENCES)['input_ids'] == IDS, folder


def test_a_sentence_that_is_too_long_is_not_cut(tmp_path: Path) -> None:
    _, encoder = make_encoder(tmp_path)
    assert encoder(['pick ' * (POSITIONS - 2)]).shape == (1, 48)
    with pytest.raises(LabelError, match=r"'pick .* has 13 tokens, the text encoder takes 12"):
        encoder(['a', 'pick ' * (POSITIONS - 1)])


def test_the_gradient_reaches_it_and_it_can_be_frozen(tmp_path: Path) -> None:
    _, encoder = make_encoder(tmp_path)
    encoder(SENTENCES).sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())
    encoder.freeze()
    assert not encoder(SENTENCES).requires_grad


def test_the_vocabulary_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / 'words').mkdir()
    weights = write_clip(tmp_path, 'openai', tiny_clip())
    with pytest.raises(BundleError, match='expected the vocabulary of CLIP in this folder'):
        read_clip_text(weights)
    vocabulary = write_vocabulary(tmp_path / 'words')
    assert (
        read_clip_text(weights, vocabulary).origin
        == read_clip_text(weights, vocabulary.parent).origin
    )


def test_a_vocabulary_of_another_model_is_refused(tmp_path: Path) -> None:
    weights = write_clip(tmp_path, 'openai', tiny_clip())
    path = tmp_path / 'bpe_simple_vocab_16e6.txt.gz'
    path.write_bytes(gzip.compress(b'#version\np i\n'))
    with pytest.raises(BundleError, match=f'has {TOKENS - 2} tokens, .* embeds {TOKENS}'):
        read_clip_text(weights)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('tokenizer.json', b'{"model": {"vocab": {}, "merges": []}}'),
        ('tokenizer.json', b'{"model": {}}'),
        ('tokenizer.json', b'[]'),
        ('vocab.json', b'{"a": 0}'),
        ('bpe.txt.gz', b'no gzip'),
        ('bpe.txt.gz', gzip.compress(b'#version\np i c\n', mtime=0)),
        ('bpe.txt.gz', gzip.compress(b'#version\npi c\n', mtime=0)),
    ],
)
def test_what_is_no_vocabulary_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    missing = 'merges.txt: no such file' if name == 'vocab.json' else name
    with pytest.raises(BundleError, match=missing):
        read_tokenizer(tmp_path / name)


def test_a_file_without_text_is_named(tmp_path: Path) -> None:
    tensors = openai_layout(tiny_clip())
    torch.save({n: t for n, t in tensors.items() if n.startswith('visual.')}, tmp_path / 'x.pt')
    with pytest.raises(BundleError, match=r'holds no text encoder of CLIP: text_model'):
        read_clip_text(tmp_path / 'x.pt')


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = openai_layout(tiny_clip())
    del tensors['transformer.resblocks.1.attn.in_proj_bias']
    torch.save(tensors, tmp_path / 'x.pt')
    write_vocabulary(tmp_path)
    with pytest.raises(BundleError, match=r'layers\.1\.self_attn\.v_proj\.bias.* is missing'):
        read_clip_text(tmp_path / 'x.pt')
