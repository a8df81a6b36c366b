# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs whose weights are those of the safetensors file, byte for byte."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open
from safetensors.torch import save_file

from m2r2_ros.core.errors import BundleError
from m2r2_ros.model.facts import WEIGHTS
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.model.head_config import MSTCNConfig, OnlineTASConfig, ProTASConfig
from m2r2_ros.model.weight_header import read_layout
from m2r2_ros.network.graph.inline import read_inline
from m2r2_ros.network.graph.weights import TYPES, refer_to_weights, write_graphs
from m2r2_ros.network.network import Network
from test.network.networks import SENSING, SMALL, WINDOWS

OFFLINE = MSTCNConfig(stages=1, layers=2, width=8)
CONFIGS = {
    'usual': replace(SMALL, offline_head=OFFLINE),
    'protas': replace(SENSING, head=ProTASConfig(stages=1, layers=2, width=8)),
    'online_tas': replace(SENSING, head=OnlineTASConfig(window=5, width=8, layers=2)),
}


@pytest.fixture(params=CONFIGS)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Network:
    """A network of halves, whose weights are in a folder with its graphs."""
    torch.manual_seed(0)
    made = Network(CONFIGS[request.param], WINDOWS, 3).eval()
    state = {n: t.half() if t.is_floating_point() else t for n, t in made.state_dict().items()}
    made.load_state_dict(state)
    save_file({n: t.contiguous() for n, t in state.items()}, tmp_path / WEIGHTS)
    write_graphs(made, tmp_path)
    return made


def test_every_large_tensor_is_one_of_the_file(network: Network, tmp_path: Path) -> None:
    places = read_layout(tmp_path / WEIGHTS).places
    by_start = {place.start: name for name, place in places.items()}
    for path in tmp_path.glob('*.onnx'):
        graph = onnx.load(str(path), load_external_data=False)
        inside = [t for t in graph.graph.initializer if not t.external_data]
        assert sum(t.ByteSize() for t in inside) < 20_000
        outside = [t for t in graph.graph.initializer if t.external_data]
        assert outside
        for tensor in outside:
            where = {entry.key: entry.value for entry in tensor.external_data}
            place = places[by_start[int(where['offset'])]]
            assert where['location'] == WEIGHTS
            assert int(where['length']) == place.length
            assert tuple(tensor.dims) == place.shape
            assert tensor.data_type == TYPES[place.kind]


def test_their_numbers_are_the_networks(network: Network, tmp_path: Path) -> None:
    state = network.state_dict()
    halves = {t.numpy().astype(np.float16).tobytes() for t in state.values()}
    for path in tmp_path.glob('*.onnx'):
        for tensor in read_inline(tmp_path, path.name).graph.initializer:
            if tensor.data_type == TensorProto.FLOAT16:
                assert numpy_helper.to_array(tensor).tobytes() in halves


def test_graphs_are_whole_and_the_same_every_time(network: Network, tmp_path: Path) -> None:
    before = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.glob('*.onnx')}
    assert write_graphs(network, tmp_path) == before
    assert set(before) == ({NETWORK, RECORDING} if network.offline_head else {NETWORK})
    for name in before:
        onnx.checker.check_model(str(tmp_path / name))


def graph_of(numbers: np.ndarray) -> onnx.ModelProto:
    """Return a graph that adds a tensor of its own."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, numbers.shape) for n in 'xy']
    nodes = [helper.make_node('Add', ['x', 'own'], ['y'])]
    own = numpy_helper.from_array(numbers, 'own')
    graph = helper.make_graph(nodes, 'g', ends[:1], ends[1:], [own])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def test_a_large_tensor_that_is_not_in_the_file_is_an_error(tmp_path: Path) -> None:
    save_file({'other': torch.ones(3)}, tmp_path / WEIGHTS)
    large = graph_of(np.ones(20_000, np.float32))
    with pytest.raises(BundleError, match='tensor own of the graph is not among the weights'):
        refer_to_weights(large, {}, tmp_path / WEIGHTS)
    small = graph_of(np.ones(20, np.float32))
    refer_to_weights(small, {}, tmp_path / WEIGHTS)
    assert not small.graph.initializer[0].external_data


@pytest.mark.parametrize(
    ('kind', 'casts'), [(torch.float32, 0), (torch.float16, 1), (torch.bfloat16, 1)]
)
def test_smaller_numbers_are_cast_where_they_are_used(
    tmp_path: Path, kind: torch.dtype, casts: int
) -> None:
    save_file({'named': torch.arange(4).to(kind)}, tmp_path / WEIGHTS)
    graph = graph_of(np.zeros(4, np.float32))
    refer_to_weights(graph, {'own': 'named'}, tmp_path / WEIGHTS)
    assert [node.op_type for node in graph.graph.node] == ['Cast'] * casts + ['Add']
    with safe_open(tmp_path / WEIGHTS, framework='pt') as file:
        assert file.get_slice('named').get_shape() == list(graph.graph.initializer[0].dims)
