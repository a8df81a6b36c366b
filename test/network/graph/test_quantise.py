# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs in 8 bits: what is large is, what is small is not, and it says nearly the same."""

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from m2r2_ros.network.graph.quantise import to_bf16, to_int8
from m2r2_ros.network.graph.trace import OPSET, trace


class Seeing(nn.Module):
    """A convolution of images, a large matrix and a small one."""

    def __init__(self) -> None:
        super().__init__()
        self.see, self.large, self.small = (
            nn.Conv2d(3, 8, 5),
            nn.Linear(128, 512),
            nn.Linear(512, 4),
        )

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.small(torch.relu(self.large(self.see(image).flatten(1))))
        return y


def test_convolutions_and_large_matrices_are_whole_numbers() -> None:
    torch.manual_seed(0)
    graph = trace(Seeing().eval(), {'image': torch.randn(3, 3, 8, 8)}, ['y'], {'image': 0, 'y': 0})
    rng = np.random.default_rng(0)
    feeds = [{'image': rng.normal(size=(1, 3, 8, 8)).astype(np.float32)} for _ in range(20)]
    small = to_int8(graph, feeds)
    kinds = [node.op_type for node in small.graph.node]
    assert kinds.count('MatMulInteger') == 1
    assert kinds.count('MatMul') == 1
    assert 'DequantizeLinear' in kinds
    assert [(own.domain, own.version) for own in small.opset_import] == [('', OPSET)]
    one, other = (
        onnxruntime.InferenceSession(g.SerializeToString()).run(None, feeds[3])[0]
        for g in (graph, small)
    )
    assert 0 < np.abs(one - other).max() < 0.05 * np.abs(one).max()


def test_only_what_is_stored_in_half_precision_becomes_bfloat16() -> None:
    graph = trace(Seeing().eval(), {'image': torch.randn(3, 3, 8, 8)}, ['y'], {'image': 0, 'y': 0})
    tensor = graph.graph.initializer[0]
    values = np.array([1.0, 1 + 2**-9, 3e-5], np.float16)
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, 'w'))
    found = to_bf16(graph).graph.initializer
    assert found[0].data_type == onnx.TensorProto.BFLOAT16
    read = onnx.numpy_helper.to_array(found[0]).astype(np.float32)
    np.testing.assert_allclose(read, [1.0, 1.0, 3e-5], rtol=2**-8)
    assert {t.data_type for t in found[1:]} == {onnx.TensorProto.FLOAT}
