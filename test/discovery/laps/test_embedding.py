# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from itertools import chain

import numpy as np
import torch
from torch import nn

from m2r2_ros.discovery.laps.embedding import (
    FORWARD,
    HEADS,
    LAYERS,
    WIDTH,
    FrozenEmbedding,
    sinusoids,
)


def sequences() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 12)).astype(np.float32) for n in (1, 5, 30)]


def test_the_order_of_a_sequence_matters() -> None:
    embedding = FrozenEmbedding(12)
    found = embedding.embed(sequences())
    assert found.shape == (3, WIDTH) and np.isfinite(found).all()
    assert np.abs(embedding.embed([sequences()[2][::-1]])[0] - found[2]).max() > 1e-3
    assert embedding.embed([]).shape == (0, WIDTH)


def test_a_sequence_is_embedded_by_itself() -> None:
    embedding = FrozenEmbedding(12)
    together = embedding.embed(sequences())
    assert np.array_equal(embedding.embed(sequences()[1:2])[0], together[1])


def test_the_weights_are_the_same_in_every_process() -> None:
    code = (
        'import numpy as np; np.random.seed(7)\n'
        'from m2r2_ros.discovery.laps.embedding import FrozenEmbedding\n'
        "x = np.linspace(-1, 1, 60, dtype='f').reshape(5, 12)\n"
        'print(FrozenEmbedding(12).embed([x]).tobytes().hex())'
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    there = np.frombuffer(bytes.fromhex(run.stdout.strip()), np.float32)
    x = np.linspace(-1, 1, 60, dtype=np.float32).reshape(5, 12)
    assert np.allclose(there, FrozenEmbedding(12).embed([x])[0], atol=1e-5)
    assert not np.allclose(there, FrozenEmbedding(12, seed=1).embed([x])[0], atol=1e-2)


def test_it_is_the_transformer_that_torch_has() -> None:
    """As it was made with torch, from numbers that are drawn in the order of torch's weights."""
    rng = np.random.default_rng(3)
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, FORWARD, dropout=0.0, batch_first=True)
    project = nn.Linear(12, WIDTH)
    encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False).eval()
    for name, parameter in chain(project.named_parameters(), encoder.named_parameters()):
        if parameter.ndim == 2:
            reach = np.sqrt(6 / sum(parameter.shape))
            drawn = rng.uniform(-reach, reach, tuple(parameter.shape))
            parameter.data = torch.from_numpy(drawn.astype(np.float32))
        elif 'norm' not in name:
            parameter.data.zero_()
    found = FrozenEmbedding(12, seed=3).embed(sequences())
    with torch.inference_mode():
        for sequence, own in zip(sequences(), found, strict=True):
            places = torch.from_numpy(sinusoids(len(sequence), WIDTH))
            tokens = project(torch.from_numpy(sequence)) + places
            expected = encoder(tokens[None])[0].mean(dim=0).numpy()
            np.testing.assert_allclose(own, expected, rtol=0, atol=1e-5)


def test_it_has_as_many_weights_as_the_paper_says() -> None:
    layer = 4 * WIDTH**2 + 2 * WIDTH * FORWARD
    assert abs(LAYERS * layer + 768 * WIDTH - 2.3e6) < 0.05e6


def test_positions_differ() -> None:
    places = sinusoids(50, 16)
    assert len(np.unique(places.round(4), axis=0)) == 50
    assert np.allclose(places[0], [0, 1] * 8)
