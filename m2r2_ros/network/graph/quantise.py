# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs with smaller numbers: matrices in 8 bits, convolutions of images too, or bfloat16."""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

Feed = Mapping[str, NDArray[Any]]
#: Numbers of a matrix from which on 8 bits are faster: smaller ones cost more to convert.
_LARGE: Final = 1 << 16


def to_int8(graph: onnx.ModelProto, feeds: Sequence[Feed]) -> onnx.ModelProto:
    """Return a graph whose large matrices and whose convolutions of images are of 8 bits.

    Inputs of matrices are scaled as they come, those of convolutions by what recordings showed.

    Args:
        graph: With its weights inside.
        feeds: What goes into the graph at some frames of recordings.
    """
    # Of what it prints, nothing is for those who compress.
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        folded, dynamic, whole = (Path(folder, f'{k}.onnx') for k in range(3))
        _fold(graph, folded)
        names = _large(onnx.load(str(folded)))
        quantize_dynamic(
            folded, dynamic, ['MatMul', 'Gemm'], per_channel=True, weight_type=QuantType.QInt8,
            nodes_to_quantize=names,
            extra_options={'MatMulConstBOnly': True},
        )  # fmt: skip
        found = onnx.load(str(dynamic))
        if convolutions := _of_images(found):
            quantize_static(
                dynamic, whole, _Feeds(feeds), QuantFormat.QDQ, ['Conv'], per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                nodes_to_quantize=convolutions,
            )  # fmt: skip
            found = onnx.load(str(whole))
    _forget_domains(found)
    return found


def to_bf16(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph whose stored numbers are bfloat16; it is computed with as devices can.

    Args:
        graph: With its weights inside, as float16.
    """
    found = onnx.ModelProto()
    found.CopyFrom(graph)
    for tensor in found.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            values = torch.from_numpy(np.array(numpy_helper.to_array(tensor))).to(torch.bfloat16)
            name, dims = tensor.name, list(tensor.dims)
            tensor.Clear()
            tensor.name, tensor.data_type = name, TensorProto.BFLOAT16
            tensor.dims.extend(dims)
            tensor.raw_data = values.view(torch.int16).numpy().tobytes()
    return found


def _fold(graph: onnx.ModelProto, path: Path) -> None:
    """Write a graph with all that depends on weights alone worked out."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(graph.SerializeToString(), options)


def _forget_domains(graph: onnx.ModelProto) -> None:
    """Leave out operators that no node is of: another runtime need not know them."""
    used = {node.domain for node in graph.graph.node}
    kept = [own for own in graph.opset_import if own.domain in used]
    del graph.opset_import[:]
    graph.opset_import.extend(kept)


def _large(graph: onnx.ModelProto) -> list[str]:
    """Return the names of the products with a large matrix, as the library calls them."""
    sizes = {t.name: int(np.prod(t.dims)) for t in graph.graph.initializer}
    large = [n for n in graph.graph.node if len(n.input) > 1 and sizes.get(n.input[1], 0) >= _LARGE]
    # Each Gemm becomes a product and a sum at first.
    ends = {'MatMul': '', 'Gemm': '_MatMul'}
    return [f'{n.name}{ends[n.op_type]}' for n in large if n.op_type in ends]


def _of_images(graph: onnx.ModelProto) -> list[str]:
    """Return the names of convolutions over two axes: those of images and of spectrograms."""
    dims = {t.name: len(t.dims) for t in graph.graph.initializer}
    nodes = (node for node in graph.graph.node if node.op_type == 'Conv')
    return [node.name for node in nodes if dims.get(node.input[1]) == 4]


class _Feeds(CalibrationDataReader):
    """Gives the library one feed after the other."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        """Return the next feed, None at the end."""
        return next(self._feeds, None)
