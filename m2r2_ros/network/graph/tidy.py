# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes that tracing leaves to be computed at every call, written into the graph instead."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from m2r2_ros.model.graph_names import PRESENT
from m2r2_ros.model.sessions import WEIGHT_FOLDER

Shapes = dict[str, tuple[int, ...]]

#: Two numbers of frames: what differs between the two is open.
_TRIED: Final = (3, 2)
_KINDS: Final[dict[str, Any]] = {
    'tensor(float)': np.float32,
    'tensor(int64)': np.int64,
    'tensor(uint8)': np.uint8,
    'tensor(bool)': np.bool_,
}


def fold_constants(graph: onnx.ModelProto) -> None:
    """Make constants of the small numbers that tracing wraps in nodes, and drop what only renames.

    Args:
        graph: Changed in place.
    """
    constants = {t.name: t for t in graph.graph.initializer if not t.external_data}
    renamed: dict[str, str] = {}
    kept, outputs = [], {value.name for value in graph.graph.output}
    for node in graph.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        (out,) = node.output[:1]
        if node.op_type == 'Identity' and out not in outputs:
            renamed[out] = node.input[0]
        elif node.op_type == 'Constant' and node.attribute[0].name == 'value':
            constants[out] = node.attribute[0].t
            constants[out].name = out
        elif node.op_type == 'Unsqueeze' and set(node.input) <= constants.keys():
            value, axes = (numpy_helper.to_array(constants[name]) for name in node.input)
            whole = np.expand_dims(value, tuple(int(axis) for axis in axes))
            constants[out] = numpy_helper.from_array(whole, out)
        else:
            kept.append(node)
    _use_names(kept, renamed)
    del graph.graph.node[:]
    graph.graph.node.extend(kept)
    there = {t.name for t in graph.graph.initializer}
    graph.graph.initializer.extend(t for name, t in constants.items() if name not in there)
    remove_unused(graph)


def _use_names(nodes: Sequence[onnx.NodeProto], renamed: Mapping[str, str]) -> None:
    """Rename what subgraphs take from outside."""
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField('g'):
                for inner in attribute.g.node:
                    inner.input[:] = [renamed.get(name, name) for name in inner.input]
                _use_names(attribute.g.node, renamed)


def fix_reshapes(graph: onnx.ModelProto, folder: Path) -> None:
    """Give each Reshape its shape as a constant where only the number of frames is open.

    So that calls need not compute it, and that it works for no frames at all: a -1 stands for no
    number then.

    Args:
        graph: Changed in place.
        folder: Where its weights are.
    """
    if not _reshapes(graph):
        return
    one, other = (_shapes(graph, folder, frames) for frames in _TRIED)
    for node in _reshapes(graph):
        before, after = (
            [known.get(name, ()) for known in (one, other)]
            for name in (node.input[0], node.output[0])
        )
        if not after[0] or 0 in after[0][1:] or after[0][1:] != after[1][1:]:
            continue
        if after[0] == after[1]:
            first = after[0][0]
        elif before[0][:1] == after[0][:1] and before[1][:1] == after[1][:1]:
            first = 0  # taken from what comes in
        else:
            first = -1
        shape = numpy_helper.from_array(
            np.array([first, *after[0][1:]], np.int64), f'{node.output[0]}.shape'
        )
        graph.graph.initializer.append(shape)
        node.input[1] = shape.name
    remove_unused(graph)


def remove_unused(graph: onnx.ModelProto) -> None:
    """Remove nodes and constants that lead to no output."""
    wanted = {value.name for value in graph.graph.output}
    kept = []
    for node in reversed(graph.graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= _uses(node)
    tensors = [t for t in graph.graph.initializer if t.name in wanted]
    for field, left in ((graph.graph.node, kept[::-1]), (graph.graph.initializer, tensors)):
        del field[:]
        field.extend(left)


def _shapes(graph: onnx.ModelProto, folder: Path, frames: int) -> Shapes:
    """Return the shapes that go into each Reshape and come out, as they are in a run.

    One frame less than there are has all modalities.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    names = {n for node in _reshapes(graph) for n in (node.input[0], node.output[0])}
    constants = {t.name for t in graph.graph.initializer}
    there = constants | {v.name for v in (*copy.graph.input, *copy.graph.output)}
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names - there))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry(WEIGHT_FOLDER, str(folder))
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(copy.SerializeToString(), options)
    feed = {}
    for value in session.get_inputs():
        dims = [n if isinstance(n, int) else frames for n in value.shape]
        feed[value.name] = np.zeros(dims, _KINDS[value.type])
    if PRESENT in feed:
        feed[PRESENT][1:] = True
    outputs = [v.name for v in session.get_outputs() if v.name in names]
    found = dict(zip(outputs, session.run(outputs, feed), strict=True))
    return {name: array.shape for name, array in (feed | found).items()}


def _reshapes(graph: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in graph.graph.node if node.op_type == 'Reshape']


def _uses(node: onnx.NodeProto) -> set[str]:
    """Return what a node needs, what its subgraphs take from outside included."""
    found = set(node.input)
    for attribute in node.attribute:
        if attribute.HasField('g'):
            found |= {name for inner in attribute.g.node for name in _uses(inner)}
            found |= {value.name for value in attribute.g.output}
    return found
