# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs of online heads say what the heads say, in whatever pieces."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from m2r2_ros.model.backend import Prediction
from m2r2_ros.model.finish import finish
from m2r2_ros.model.head_config import (
    CausalTCNConfig,
    HeadConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.network.graph.heads_attention import attend
from m2r2_ros.network.graph.heads_protas import greatest_so_far
from m2r2_ros.network.graph.online import OnlineGraph, online_graph
from m2r2_ros.network.heads.base import OnlineHead
from m2r2_ros.network.heads.online_tas import OnlineTAS
from m2r2_ros.network.heads.registry import make_head
from test.network.graph.runs import (
    CLASSES,
    INPUTS,
    Arrays,
    beginning,
    looking_elsewhere,
    run,
    session,
    traced_online,
)

CONFIGS: dict[str, HeadConfig] = {
    'causal_tcn': CausalTCNConfig(width=8, layers=4),
    'causal_tcn of one stage and layer': CausalTCNConfig(width=3, layers=1, stages=1),
    'causal_tcn with lags': CausalTCNConfig(width=8, layers=3, stages=3, lags=(0, 2, 7)),
    'protas': ProTASConfig(stages=2, layers=4, width=8),
    'protas with a task graph': ProTASConfig(stages=1, layers=2, width=8, task_graph=True),
    'online_tas': OnlineTASConfig(window=12, iterations=2, width=8, layers=3),
    'online_tas of short clips': OnlineTASConfig(window=5, iterations=1, width=6, layers=2),
    'online_tas of long clips': OnlineTASConfig(window=140, iterations=3, width=8, layers=2),
}
LENGTHS = (1, 2, 7, 130, 300)

each_head = pytest.mark.parametrize('name', CONFIGS)


@cache
def head_of(name: str) -> OnlineHead:
    """Return a head of random weights, large enough to make labels and memories differ."""
    torch.manual_seed(1)
    head = make_head(CONFIGS[name], INPUTS, CLASSES).eval()
    assert isinstance(head, OnlineHead)
    with torch.no_grad():
        for parameter in head.parameters():
            # Twice as large, memories of memories would make much of the last digit.
            if parameter.ndim > 1 and not isinstance(head, OnlineTAS):
                parameter.mul_(2)
    head.fit_label_statistics([torch.arange(CLASSES)])
    return head


@cache
def graph_of(name: str) -> tuple[OnlineGraph, onnx.ModelProto]:
    module = online_graph(head_of(name))
    return module, traced_online(module)


@cache
def session_of(name: str, frames: int = 0) -> onnxruntime.InferenceSession:
    return session(graph_of(name)[1], frames)


def features_of(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(n).normal(0, 2, (n, INPUTS)).astype(np.float32)


@torch.no_grad()
def expected_of(name: str, x: NDArray[np.float32]) -> Prediction:
    said = head_of(name).predict(torch.from_numpy(x))
    revised = {lag: rows.numpy() for lag, rows in said.revised.items()}
    return Prediction(said.probabilities.numpy(), said.boundaries.numpy(), revised)


def pieces(length: int, cuts: Iterable[int], clip: int) -> list[tuple[int, int]]:
    """Return calls between cuts, and the ends of clips."""
    ends = range(clip, length, clip) if clip else ()
    return list(pairwise(sorted({0, length, *ends, *(c for c in cuts if c < length)})))


def in_pieces(
    runtime: onnxruntime.InferenceSession,
    name: str,
    x: NDArray[np.float32],
    cuts: Sequence[int],
    state: Arrays | None = None,
) -> tuple[Prediction, Arrays]:
    module, _ = graph_of(name)
    state = beginning(module) if state is None else state
    logits, boundaries = [], []
    for lo, hi in pieces(len(x), cuts, module.clip):
        given = [s.copy() for s in state]
        found = run(runtime, x[lo:hi], *state)
        assert all(np.array_equal(a, b) for a, b in zip(given, state, strict=True))
        logits.append(found[0])
        boundaries.append(found[1])
        state = found[2:]
    said = finish(CONFIGS[name], np.concatenate(logits), np.concatenate(boundaries))
    return said, state


def assert_close(a: Prediction, b: Prediction) -> None:
    assert a.revised.keys() == b.revised.keys()
    pairs = [(rows, b.revised[lag]) for lag, rows in a.revised.items()]
    for x, y in [(a.probabilities, b.probabilities), (a.boundaries, b.boundaries), *pairs]:
        assert x.dtype == y.dtype == np.float32
        np.testing.assert_allclose(x, y, atol=1e-5, rtol=0)


@each_head
@pytest.mark.parametrize('n', LENGTHS)
def test_a_graph_says_what_the_head_says(name: str, n: int) -> None:
    x = features_of(n)
    found, _ = in_pieces(session_of(name), name, x, [])
    expected = expected_of(name, x)
    assert_close(found, expected)
    assert n < 100 or len(set(expected.probabilities.argmax(axis=1))) > 1
    assert n == 1 or expected.boundaries.std() > 1e-3


@each_head
def test_pieces_are_the_whole_and_lead_to_the_same_state(name: str) -> None:
    x = features_of(170)
    whole, state = in_pieces(session_of(name), name, x, [])
    for cuts in (range(170), [1, 2, 60, 63, 139, 141], [3]):
        found, own = in_pieces(session_of(name), name, x, list(cuts))
        assert_close(found, whole)
        for a, b in zip(own, state, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5, rtol=1e-4)


@each_head
def test_a_state_keeps_its_shape_and_type(name: str) -> None:
    module, _ = graph_of(name)
    for n in (1, 5, 23):
        _, state = in_pieces(session_of(name), name, features_of(n), [])
        for found, wanted in zip(state, module.states.values(), strict=True):
            assert found.shape == wanted.shape
            assert found.dtype == (np.int64 if wanted.whole else np.float32)


@each_head
def test_a_graph_for_one_frame_at_a_time(name: str) -> None:
    x = features_of(40)
    found, state = in_pieces(session_of(name, frames=1), name, x, range(40))
    assert_close(found, expected_of(name, x))
    # One takes over from the other.
    later = features_of(5)
    module, _ = graph_of(name)
    if not module.clip or 40 % module.clip + 5 <= module.clip:
        one = run(session_of(name), later, *state)
        several = in_pieces(session_of(name, frames=1), name, later, range(5), state)[0]
        assert_close(several, finish(CONFIGS[name], one[0], one[1]))


@each_head
def test_the_weights_are_those_of_the_head(name: str) -> None:
    module, graph = graph_of(name)
    own = {t.data_ptr() for t in head_of(name).state_dict(keep_vars=True).values()}
    shared = module.state_dict(keep_vars=True)
    weights = [x for x in graph.graph.initializer if x.name in shared]
    assert sum(shared[x.name].data_ptr() in own for x in weights) == len(weights) > 3
    rest = [x for x in graph.graph.initializer if x.name not in shared]
    assert sum(x.ByteSize() for x in rest) < 4096


def test_graphs_of_many_rows_have_small_constants() -> None:
    head = make_head(ProTASConfig(stages=2, layers=11, width=2), INPUTS, CLASSES)
    assert isinstance(head, OnlineHead)
    graph = traced_online(online_graph(head)).graph
    assert max(x.ByteSize() for x in [*graph.initializer, *graph.node]) < 1024


@pytest.mark.parametrize('name', ['causal_tcn', 'protas', 'online_tas'])
def test_a_graph_that_looks_elsewhere_is_found_out(name: str) -> None:
    module = online_graph(looking_elsewhere(head_of(name)))
    wrong = session(traced_online(module))
    x = features_of(5)
    logits, boundaries, *_ = run(wrong, x, *beginning(module))
    with pytest.raises(AssertionError, match='Mismatch'):
        assert_close(finish(CONFIGS[name], logits, boundaries), expected_of(name, x))


def test_the_greatest_so_far_is_cummax() -> None:
    torch.manual_seed(0)
    x, before = torch.rand(400, 3), torch.tensor([[0.0, 0.5, 1.0]])
    expected = torch.cat([before, x]).cummax(dim=0).values[1:]
    torch.testing.assert_close(greatest_so_far(x, before), expected, atol=1e-6, rtol=0)


@torch.no_grad()
def test_attention_is_that_of_the_module() -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    nn.init.normal_(attention.in_proj_bias)
    queries, keys = torch.randn(5, 8), torch.randn(7, 8)
    hidden = torch.rand(5, 7) > 0.7
    for mask in (None, hidden):
        expected, _ = attention(queries[None], keys[None], keys[None], attn_mask=mask)
        torch.testing.assert_close(attend(attention, queries, keys, mask), expected[0])
