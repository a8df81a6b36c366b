# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of CLIP's text encoder, from the files it is published in."""

import gzip
import json
from pathlib import Path
from typing import Any

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.reading import check_file, read_text, reading

START, END = '<|startoftext|>', '<|endoftext|>'
OPENAI = 'bpe_simple_vocab_16e6.txt.gz'
TOKENIZER = 'tokenizer.json'
VOCABULARY, MERGES = 'vocab.json', 'merges.txt'
#: Merges of OpenAI's file that CLIP uses: 49408 tokens less 256 bytes, 256 bytes at the end of a
#: word, and start and end. The file holds more.
USED_MERGES = 48_894
#: Of a file, unpacked; CLIP's have 4 MB at most.
MOST_BYTES = 64 << 20
EXPECTED = 'a vocabulary of CLIP'

#: Pairs of tokens that are joined, the most frequent first.
Merges = list[tuple[str, str]]


def read_tokenizer(path: Path) -> CLIPTokenizer:
    """Read the byte-pair vocabulary and return the tokenizer.

    Args:
        path: A folder with tokenizer.json, with vocab.json and merges.txt, or with OpenAI's
            bpe_simple_vocab_16e6.txt.gz; or one of these files.

    Raises:
        BundleError: None of these files exists, or it holds something else.
    """
    file = _file(path)
    with reading(file, EXPECTED, BundleError):
        vocabulary, merges = _read(file)
        tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)
    if not {START, END} <= set(vocabulary):
        msg = f'{file}: not a vocabulary of CLIP: it has no {START} and {END}'
        raise BundleError(msg)
    return tokenizer


def _file(path: Path) -> Path:
    with reading(path, EXPECTED, BundleError):
        is_folder = path.is_dir()
    if not is_folder:
        check_file(path, EXPECTED, BundleError)
        return path
    for name in (TOKENIZER, VOCABULARY, OPENAI):
        if (path / name).is_file():
            return path / name
    msg = (
        f'{path}: expected the vocabulary of CLIP in this folder: {TOKENIZER}, {VOCABULARY} and '
        f'{MERGES}, or {OPENAI}'
    )
    raise BundleError(msg)


def _read(file: Path) -> tuple[dict[str, int], Merges]:
    if file.suffix == '.gz':
        with gzip.open(file) as packed:
            return _openai(packed.read(MOST_BYTES).decode())
    entries: dict[str, Any] = json.loads(_text(file))
    if not isinstance(entries, dict):
        msg = 'no mapping'
        raise TypeError(msg)
    if 'model' in entries:
        model = entries['model']
        # Older files hold 'a b', newer ones ['a', 'b'].
        pairs = (m.split(' ') if isinstance(m, str) else m for m in model['merges'])
        return model['vocab'], [(a, b) for a, b in pairs]
    return entries, _merges(_text(file.with_name(MERGES)))


def _text(file: Path) -> str:
    return read_text(file, EXPECTED, BundleError, most=MOST_BYTES)


def _openai(text: str) -> tuple[dict[str, int], Merges]:
    """Return the vocabulary in OpenAI's order: bytes, bytes that end a word, merges, start, end."""
    # Each byte has a printable character; OpenAI's order is that of their code points.
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _merges(text)[:USED_MERGES]
    tokens = [*letters, *(f'{x}</w>' for x in letters), *(a + b for a, b in merges), START, END]
    return {token: k for k, token in enumerate(tokens)}, merges


def _merges(text: str) -> Merges:
    # The first line names the version, `#version: 0.2`; others may begin with # as well.
    lines = text.split('\n')[1:]
    return [(a, b) for a, b in (line.split() for line in lines if line.strip())]
