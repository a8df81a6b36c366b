# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs with their weights inside, and out of them again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper

from m2r2_ros.model.facts import WEIGHTS
from m2r2_ros.network.graph.weights import refer_to_weights, write_graph

#: Numbers of a tensor that is stored beside the graph; fewer stay in it.
_MANY: Final = 256


def read_inline(folder: Path, name: str) -> onnx.ModelProto:
    """Return a graph of a bundle with its weights inside."""
    return onnx.load(str(folder / name))  # which follows references within the folder


def move_out(graph: onnx.ModelProto, stem: str) -> dict[str, torch.Tensor]:
    """Return the larger tensors of a graph, to be stored under their names behind a stem.

    Args:
        graph: Its tensors are renamed; `write_outside` lets them refer to the file.
        stem: Tells graphs apart that have tensors of one name.
    """
    tensors, names = {}, {}
    for tensor in graph.graph.initializer:
        if np.prod(tensor.dims) >= _MANY:
            names[tensor.name] = f'{stem}.{tensor.name}'
            found = _tensor(tensor)
            # As weights are stored; scales of whole numbers are left as exact as they are.
            half = found.dtype == torch.float32 and found.ndim > 1
            tensors[f'{stem}.{tensor.name}'] = found.half() if half else found
            tensor.name = names[tensor.name]
    for node in graph.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    return tensors


def write_outside(graphs: Mapping[str, onnx.ModelProto], folder: Path) -> dict[str, str]:
    """Write graphs whose larger tensors are in the weights of a folder; return their SHA-256."""
    hashes = {}
    for name, graph in graphs.items():
        refer_to_weights(graph, {}, folder / WEIGHTS)
        hashes[name] = write_graph(graph, folder / name)
    return hashes


def _tensor(tensor: onnx.TensorProto) -> torch.Tensor:
    """Return the numbers of an initializer, whatever their type."""
    if tensor.data_type == TensorProto.BFLOAT16:
        bits = np.frombuffer(tensor.raw_data, np.int16).reshape(tuple(tensor.dims))
        return torch.from_numpy(bits.copy()).view(torch.bfloat16)
    return torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
