# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs are smaller when they are tidied, and say the same."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from m2r2_ros.network.graph.tidy import fix_reshapes, fold_constants, remove_unused
from m2r2_ros.network.graph.trace import trace
from test.network.graph.runs import run, session


class Reshaping(nn.Module):
    """Reshapes in every way that a graph may have."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        split = x.reshape(x.shape[0], 2, 3)  # frames first
        turned = split.permute(1, 0, 2).reshape(2, -1)  # frames inside
        flat = turned.reshape(-1, 3)  # of frames and more
        back = flat.reshape(2, x.shape[0], 3).permute(1, 0, 2).flatten(1)
        made: Tensor = self.matrix(back)
        return made


@pytest.fixture
def graph() -> onnx.ModelProto:
    torch.manual_seed(0)
    return trace(Reshaping().eval(), {'x': torch.randn(3, 6)}, ['y'], {'x': 0, 'y': 0})


def rows(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(n, 6)).astype(np.float32)


def test_a_tidied_graph_says_the_same_with_fewer_nodes(
    graph: onnx.ModelProto, tmp_path: Path
) -> None:
    before, nodes = session(graph), len(graph.graph.node)
    fold_constants(graph)
    fix_reshapes(graph, tmp_path)
    onnx.checker.check_model(graph)
    after = session(graph)
    for n in (1, 2, 3, 50):
        assert np.array_equal(run(after, rows(n))[0], run(before, rows(n))[0])
    assert len(graph.graph.node) < nodes
    kinds = [node.op_type for node in graph.graph.node]
    assert not {'Constant', 'Identity'} & set(kinds)


def test_a_tidied_graph_takes_no_frames_too(tmp_path: Path) -> None:
    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.reshape(-1, 2, 3).flatten(1)

    graph = trace(Plain(), {'x': torch.randn(3, 6)}, ['y'], {'x': 0, 'y': 0})
    fold_constants(graph)
    fix_reshapes(graph, tmp_path)
    assert run(session(graph), rows(0))[0].shape == (0, 6)


def test_shapes_that_nothing_is_known_of_stay_as_they_are(tmp_path: Path) -> None:
    """The second axis counts frames, too: no constant could say how many."""
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in 'xy')
    x = helper.make_tensor_value_info('x', TensorProto.FLOAT, ['frames', 6])
    y = helper.make_tensor_value_info('y', TensorProto.FLOAT, [3, 'more'])
    shape = numpy_helper.from_array(np.array([3, -1], np.int64), 'shape')
    node = helper.make_node('Reshape', ['x', 'shape'], ['y'])
    graph = helper.make_model(
        helper.make_graph([node], 'g', [x], [y], [shape]),
        opset_imports=[helper.make_opsetid('', 17)], ir_version=8,
    )  # fmt: skip
    fix_reshapes(graph, tmp_path)
    assert run(session(graph), rows(5))[0].shape == (3, 10)


def test_what_leads_nowhere_is_removed_and_what_a_branch_uses_is_kept() -> None:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in 'xy')
    flag = helper.make_tensor_value_info('flag', TensorProto.BOOL, [])
    branches = {
        f'{name}_branch': helper.make_graph(
            [helper.make_node(kind, ['x', 'used'], ['z'])], name, [],
            [helper.make_tensor_value_info('z', TensorProto.FLOAT, [2])],
        )
        for name, kind in (('then', 'Add'), ('else', 'Sub'))
    }  # fmt: skip
    nodes = [
        helper.make_node('Abs', ['x'], ['idle']),
        helper.make_node('If', ['flag'], ['y'], **branches),
    ]
    constants = [numpy_helper.from_array(np.ones(2, np.float32), n) for n in ('used', 'unused')]
    graph = helper.make_model(
        helper.make_graph(nodes, 'g', [x, flag], [y], constants),
        opset_imports=[helper.make_opsetid('', 17)], ir_version=8,
    )  # fmt: skip
    remove_unused(graph)
    assert [node.op_type for node in graph.graph.node] == ['If']
    assert [t.name for t in graph.graph.initializer] == ['used']
    assert run(session(graph), np.zeros(2, np.float32), np.array(True))[0].tolist() == [1, 1]
