# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs whose weights lie in the safetensors file beside them, once for both and for training."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import onnx
from onnx import TensorProto, helper

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import sync
from m2r2_ros.model.facts import WEIGHTS
from m2r2_ros.model.weight_header import TensorPlace, read_layout
from m2r2_ros.network.graph.make import make_graphs, parameter_names
from m2r2_ros.network.graph.tidy import fix_reshapes, fold_constants
from m2r2_ros.network.network import Network

#: Bytes of a constant that may stay in the graph itself.
_SMALL: Final = 1 << 16
#: ONNX's types of tensors by those of safetensors.
TYPES: Final = {
    'F32': TensorProto.FLOAT,
    'F16': TensorProto.FLOAT16,
    'BF16': TensorProto.BFLOAT16,
    'I64': TensorProto.INT64,
    'I8': TensorProto.INT8,
    'U8': TensorProto.UINT8,
    'I32': TensorProto.INT32,
}


def write_graphs(network: Network, folder: Path) -> dict[str, str]:
    """Write the graphs of a network into a folder that has its weights.

    Args:
        network: With weights as they were written.
        folder: Of the bundle.

    Returns:
        SHA-256 of each, by the name of its file.
    """
    hashes = {}
    for file, (module, graph) in make_graphs(network).items():
        refer_to_weights(graph, parameter_names(module, network), folder / WEIGHTS)
        fold_constants(graph)
        fix_reshapes(graph, folder)
        hashes[file] = write_graph(graph, folder / file)
    return hashes


def write_graph(graph: onnx.ModelProto, path: Path) -> str:
    """Write a graph, wait until it is on the disk, and return its SHA-256."""
    raw = graph.SerializeToString(deterministic=True)
    path.write_bytes(raw)
    sync(path)
    return hashlib.sha256(raw).hexdigest()


def refer_to_weights(graph: onnx.ModelProto, names: Mapping[str, str], weights: Path) -> None:
    """Let a graph's tensors point into a safetensors file in the folder that it will lie in.

    Half-precision ones are cast where they are used, which a runtime does once as it loads.

    Args:
        graph: Changed in place.
        names: The file's name of each of its tensors, by the graph's.
        weights: The file.

    Raises:
        BundleError: A large tensor of the graph is not in the file.
    """
    places = read_layout(weights).places
    casts = []
    for tensor in graph.graph.initializer:
        place = places.get(names.get(tensor.name, tensor.name))
        if place is None:
            if tensor.ByteSize() > _SMALL:
                msg = f'{weights}: tensor {tensor.name} of the graph is not among the weights'
                raise BundleError(msg)
            continue
        found, wanted = TYPES[place.kind], tensor.data_type
        own = tensor.name
        if found != wanted:
            tensor.name = f'{own}.stored'
            casts.append(helper.make_node('Cast', [tensor.name], [own], f'{own}.cast', to=wanted))
        _point(tensor, found, place, weights.name)
    for node in reversed(casts):
        graph.graph.node.insert(0, node)


def _point(tensor: onnx.TensorProto, kind: int, place: TensorPlace, location: str) -> None:
    """Make a tensor refer to bytes of a file."""
    name, shape = tensor.name, place.shape
    tensor.Clear()
    tensor.name, tensor.data_type = name, kind
    tensor.dims.extend(shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ('location', location),
        ('offset', str(place.start)),
        ('length', str(place.length)),
    ):
        tensor.external_data.add(key=key, value=value)
