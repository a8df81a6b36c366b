# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs that were made to do harm, in bundles that are whole to their hashes."""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from m2r2_ros.model.facts import YAML
from m2r2_ros.model.graph_names import BOUNDARIES, FEATURES, LOGITS, NETWORK
from test.hostile.bundle_files import Change, load, seal

#: Changes a graph in place, or returns what is written instead.
GraphChange = Callable[[onnx.ModelProto], bytes | None]


def regraphed(change: GraphChange, name: str = NETWORK) -> Change:
    """Return what changes a graph, and the hashes so that they fit it, as an attacker does."""

    def apply(folder: Path) -> None:
        graph = onnx.load(str(folder / name), load_external_data=False)
        raw = change(graph)
        (folder / name).write_bytes(graph.SerializeToString() if raw is None else raw)
        rehash(folder, name)

    return apply


def rehash(folder: Path, name: str = NETWORK) -> None:
    entries = load(folder)
    entries['graph']['files'][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / YAML).write_text(yaml.safe_dump(entries, sort_keys=False))
    seal(folder)


def value(graph: onnx.ModelProto, name: str) -> onnx.ValueInfoProto:
    """Return an input or output by its name."""
    return next(v for v in (*graph.graph.input, *graph.graph.output) if v.name == name)


def with_constant(graph: onnx.ModelProto, name: str, array: Any) -> None:
    graph.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))


def behind(graph: onnx.ModelProto, name: str, kind: str, *more: str, **options: Any) -> None:
    """Put a node between what gave an output and the output."""
    for node in graph.graph.node:
        node.output[:] = ['harmless' if own == name else own for own in node.output]
        node.input[:] = ['harmless' if own == name else own for own in node.input]
    graph.graph.node.append(helper.make_node(kind, ['harmless', *more], [name], **options))


def without_input(name: str, graph: onnx.ModelProto) -> None:
    graph.graph.input.remove(value(graph, name))
    with_constant(graph, name, np.zeros((1, 30, 6), np.float32))


def without_output(name: str, graph: onnx.ModelProto) -> None:
    graph.graph.output.remove(value(graph, name))


def more_input(name: str, shape: tuple[Any, ...], graph: onnx.ModelProto) -> None:
    graph.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def more_state(shape: tuple[int, ...], graph: onnx.ModelProto) -> None:
    more_input('state.more', shape, graph)
    more = helper.make_tensor_value_info('new_state.more', TensorProto.FLOAT, shape)
    graph.graph.output.append(more)
    graph.graph.node.append(helper.make_node('Identity', ['state.more'], ['new_state.more']))


def of_type(name: str, kind: int, graph: onnx.ModelProto) -> None:
    value(graph, name).type.tensor_type.elem_type = kind


def of_size(name: str, axis: int, size: int, graph: onnx.ModelProto) -> None:
    value(graph, name).type.tensor_type.shape.dim[axis].dim_value = size


def cast(name: str, kind: int, graph: onnx.ModelProto) -> None:
    behind(graph, name, 'Cast', to=kind)
    of_type(name, kind, graph)


def cut(name: str, axis: int, size: int, graph: onnx.ModelProto) -> None:
    """Return less of an output than there is, which nobody can tell before the first call."""
    first, least = graph.graph.input[0].name, 'least'
    for kind, given, made, options in (
        ('Cast', [first], 'cut.numbers', {'to': TensorProto.FLOAT}),
        ('ReduceMin', ['cut.numbers'], least, {'keepdims': 0}),
        ('Mul', [least, 'cut.nothing'], 'cut.zero', {}),
        ('Cast', ['cut.zero'], 'cut.whole', {'to': TensorProto.INT64}),
        ('Add', ['cut.whole', 'cut.size'], 'cut.end', {}),
    ):
        graph.graph.node.append(helper.make_node(kind, given, [made], **options))
    with_constant(graph, 'cut.nothing', np.float32(0))
    for key, number in (('begin', 0), ('size', size), ('axis', axis)):
        with_constant(graph, f'cut.{key}', np.array([number], np.int64))
    behind(graph, name, 'Slice', 'cut.begin', 'cut.end', 'cut.axis')
    value(graph, name).type.tensor_type.ClearField('shape')


def added(name: str, number: float, graph: onnx.ModelProto) -> None:
    with_constant(graph, 'added', np.float32(number))
    behind(graph, name, 'Add', 'added')


def unknown_operator(graph: onnx.ModelProto) -> None:
    graph.opset_import.append(helper.make_opsetid('elsewhere', 1))
    behind(graph, LOGITS, 'Steal', domain='elsewhere')


def with_opset(number: int, graph: onnx.ModelProto) -> None:
    graph.opset_import[0].version = number


def with_ir(number: int, graph: onnx.ModelProto) -> None:
    graph.ir_version = number


def asking_memory(numbers: int, graph: onnx.ModelProto) -> None:
    """Take the greatest of so many ones."""
    with_constant(graph, 'many', np.array([numbers], np.int64))
    ones = helper.make_tensor('ones', TensorProto.FLOAT, [1], [1.0])
    graph.graph.node.append(helper.make_node('ConstantOfShape', ['many'], ['large'], value=ones))
    graph.graph.node.append(helper.make_node('ReduceMax', ['large'], ['one'], keepdims=0))
    behind(graph, LOGITS, 'Mul', 'one')


def pointing(key: str, place: str, graph: onnx.ModelProto) -> None:
    """Let the first tensor of the weights point elsewhere."""
    tensor = next(t for t in graph.graph.initializer if t.external_data)
    for entry in tensor.external_data:
        if entry.key == key:
            entry.value = place


def pointing_at(make: Callable[[Path], object]) -> Change:
    """Let it point at something else than a file."""

    def apply(folder: Path) -> None:
        make(folder / 'elsewhere')
        regraphed(partial(pointing, 'location', 'elsewhere'))(folder)

    return apply


def cut_short(share: float, graph: onnx.ModelProto) -> bytes:
    raw = graph.SerializeToString()
    return raw[: int(len(raw) * share)]


RUNTIME: Final = 'cannot run this graph'
IN, AT = 'looks for weights in', 'looks for weights at'
#: What is done, and what the error says of it.
CHANGES: Final[dict[str, tuple[GraphChange, str]]] = {
    'an input less': (partial(without_input, 'wrench'), 'input wrench tensor(float) (frames, 30'),
    'an input more': (
        partial(more_input, 'more', ('frames', 3)), 'input more tensor(float) (frames, 3) is unkn',
    ),
    'an input of a long name': (partial(more_input, 'x' * 10**5, (3,)), 'is unknown'),
    'a state that does not come out': (
        partial(more_input, 'state.more', (3,)), 'output new_state.more',
    ),
    'a state of any size': (partial(more_input, 'state.more', ('any', 3)), 'state.more'),
    'a state of -3': (partial(more_state, (-3, 3)), 'state.more'),
    'a huge state': (partial(more_state, (2**20, 2**20)), 'its state takes 4398'),
    'an input of another shape': (partial(of_size, 'wrench', 2, 7), RUNTIME),
    'an input of another type': (partial(of_type, 'wrench', TensorProto.DOUBLE), RUNTIME),
    'masks as numbers': (partial(of_type, 'present', TensorProto.FLOAT), NETWORK),
    'an output less': (
        partial(without_output, BOUNDARIES), 'output boundaries tensor(float) (frames) is missing',
    ),
    'no features': (partial(without_output, FEATURES), 'output features'),
    'opset 999': (partial(with_opset, 999), 'Opset 999'),
    'opset 5': (partial(with_opset, 5), RUNTIME),
    'opset -1': (partial(with_opset, -1), RUNTIME),
    'format of the future': (partial(with_ir, 99), 'IR version: 99'),
    'an unknown operator': (unknown_operator, 'elsewhere:Steal'),
    'a program of a device': (
        partial(behind, name=LOGITS, kind='EPContext', domain='com.microsoft'), 'could be any code',
    ),
    'logits as doubles': (
        partial(cast, LOGITS, TensorProto.DOUBLE),
        'output logits: expected tensor(float) (frames, 1, 3), found tensor(double)',
    ),
    'logits as texts': (partial(cast, LOGITS, TensorProto.STRING), 'output logits: expected'),
    'features as whole numbers': (partial(cast, FEATURES, TensorProto.INT64), 'output features'),
    'weights in another file': (partial(pointing, 'location', YAML), IN),
    'weights outside': (partial(pointing, 'location', '../../../../etc/passwd'), IN),
    'weights anywhere': (partial(pointing, 'location', '/etc/passwd'), IN),
    'weights nowhere': (partial(pointing, 'location', 'nowhere'), IN),
    'weights beyond the end': (partial(pointing, 'offset', '999999999'), f'{AT} offset'),
    'weights before the beginning': (partial(pointing, 'offset', '-8'), f'{AT} offset'),
    'weights far beyond': (partial(pointing, 'offset', str(2**64)), f'{AT} offset'),
    'weights of a place that is none': (partial(pointing, 'offset', 'x'), 'cannot be read'),
    'long weights': (partial(pointing, 'length', str(2**40)), f'{AT} length'),
    'weights of length -1': (partial(pointing, 'length', '-1'), f'{AT} length'),
    'half a graph': (partial(cut_short, 0.5), 'expected a graph of ONNX'),
    'all but its last byte': (
        lambda g: g.SerializeToString()[:-1], 'expected a graph of ONNX',
    ),
    'nothing': (lambda g: b'', RUNTIME),
    'noise': (lambda g: b'\xff' * 5000, 'expected a graph of ONNX'),
    'no nodes': (lambda g: onnx.ModelProto(ir_version=8).SerializeToString(), RUNTIME),
}  # fmt: skip

#: What is found in the first call.
LATE: Final[dict[str, tuple[GraphChange, str]]] = {
    'a class less': (
        partial(cut, LOGITS, 2, 2),
        'output logits: expected tensor(float) (frames, 1, 3), got float32 (1, 1, 2) for 1 frames',
    ),
    'no lag': (partial(cut, LOGITS, 1, 0), 'got float32 (1, 0, 3)'),
    'no frame': (partial(cut, LOGITS, 0, 0), 'got float32 (0, 1, 3)'),
    'no boundary': (partial(cut, BOUNDARIES, 0, 0), 'output boundaries'),
    'a feature less': (partial(cut, FEATURES, 1, 31), 'output features'),
    'a state cut short': (partial(cut, 'new_state.layers', 0, 1), 'output new_state.layers'),
}

#: Other things in the place of a file that the graph points at.
ELSEWHERE: Final[dict[str, Callable[[Path], object]]] = {
    'a pipe': os.mkfifo,
    'a folder': Path.mkdir,
    'a device': lambda path: path.symlink_to('/dev/zero'),
    'a file outside': lambda path: path.symlink_to('/etc/passwd'),
    'a link to itself': lambda path: path.symlink_to(path),
}
