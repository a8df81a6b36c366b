# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs of offline heads say what the heads say, for recordings of any length."""

from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from m2r2_ros.model.backend import Prediction
from m2r2_ros.model.finish import draws_of, finish, noise_for
from m2r2_ros.model.head_config import (
    ASFormerConfig,
    ASRFConfig,
    DiffActConfig,
    HeadConfig,
    MSTCNConfig,
)
from m2r2_ros.network.graph.offline import OfflineGraph, offline_graph
from m2r2_ros.network.heads.base import Head
from m2r2_ros.network.heads.registry import make_head
from test.network.graph.runs import CLASSES, INPUTS, looking_elsewhere, run, session, traced_offline

CONFIGS: dict[str, HeadConfig] = {
    'ms_tcn': MSTCNConfig(stages=3, layers=4, width=8),
    'asrf': ASRFConfig(stages=2, layers=3, width=8, threshold=0.2),
    'asrf without refinement': ASRFConfig(stages=1, layers=3, width=8),
    'asformer': ASFormerConfig(decoders=2, layers=5, width=8),
    'asformer with fewer maps than its reduction': ASFormerConfig(
        decoders=1, layers=8, width=4, reduction=8
    ),
    'diffact': DiffActConfig(
        encoder_layers=3, encoder_width=8, decoder_layers=3, decoder_width=8, decoder_kernel=5,
        time_width=16, steps=50, sampling_steps=6,
    ),
    'diffact with a median and an even kernel': DiffActConfig(
        encoder_layers=2, encoder_width=8, encoder_kernel=4, decoder_layers=2, decoder_width=8,
        decoder_kernel=2, time_width=5, steps=3, median=9,
    ),
}  # fmt: skip
LENGTHS = (1, 2, 7, 130, 300)

each_head = pytest.mark.parametrize('name', CONFIGS)


@cache
def head_of(name: str) -> Head:
    # With some weights, two frames hardly differ, and a norm makes much of the last digit.
    torch.manual_seed(0)
    return make_head(CONFIGS[name], INPUTS, CLASSES).eval()


@cache
def graph_of(name: str) -> tuple[OfflineGraph, onnx.ModelProto]:
    module = offline_graph(head_of(name))
    return module, traced_offline(module)


def said_by(runtime: onnxruntime.InferenceSession, name: str, x: NDArray[np.float32]) -> Prediction:
    noise = noise_for(CONFIGS[name], CLASSES, len(x))
    logits, boundaries = run(runtime, x, *([] if noise is None else [noise]))
    return finish(CONFIGS[name], logits, boundaries)


def features_of(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(n).normal(0, 2, (n, INPUTS)).astype(np.float32)


@torch.no_grad()
def assert_same(found: Prediction, name: str, x: NDArray[np.float32]) -> None:
    expected = head_of(name).predict(torch.from_numpy(x))
    for a, b in (
        (found.probabilities, expected.probabilities.numpy()),
        (found.boundaries, expected.boundaries.numpy()),
    ):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-5, rtol=0)


@cache
def session_of(name: str) -> onnxruntime.InferenceSession:
    return session(graph_of(name)[1])


@each_head
@pytest.mark.parametrize('n', LENGTHS)
def test_a_graph_says_what_the_head_says(name: str, n: int) -> None:
    x = features_of(n)
    found = said_by(session_of(name), name, x)
    assert_same(found, name, x)
    assert n < 100 or found.boundaries.std() > 1e-3


@each_head
def test_a_graph_for_recordings_of_one_length(name: str) -> None:
    x = features_of(1)
    assert_same(said_by(session(graph_of(name)[1], frames=1), name, x), name, x)


@each_head
def test_the_weights_are_those_of_the_head(name: str) -> None:
    module, graph = graph_of(name)
    own = {t.data_ptr() for t in head_of(name).state_dict(keep_vars=True).values()}
    shared = module.state_dict(keep_vars=True)
    weights = [x for x in graph.graph.initializer if x.name in shared]
    assert sum(shared[x.name].data_ptr() in own for x in weights) > 3
    large = [x.name for x in graph.graph.initializer if x.ByteSize() > 256]
    assert all(shared[x].data_ptr() in own for x in large)
    assert module.draws == draws_of(CONFIGS[name])


def test_sampling_is_one_loop() -> None:
    nodes = [node.op_type for node in graph_of('diffact')[1].graph.node]
    assert nodes.count('Loop') == 1


@pytest.mark.parametrize('name', ['ms_tcn', 'asrf', 'asformer', 'diffact'])
def test_a_graph_that_looks_elsewhere_is_found_out(name: str) -> None:
    graph = traced_offline(offline_graph(looking_elsewhere(head_of(name))))
    x = features_of(40)
    with pytest.raises(AssertionError, match='Mismatch'):
        assert_same(said_by(session(graph), name, x), name, x)
