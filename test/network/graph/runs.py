# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs of heads in ONNX Runtime, on one thread."""

from copy import deepcopy
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from m2r2_ros.network.graph.offline import OfflineGraph
from m2r2_ros.network.graph.online import OnlineGraph, StateTensor
from m2r2_ros.network.graph.trace import trace

INPUTS, CLASSES = 6, 4
#: Frames of the examples that graphs are traced with.
TRACED = 5

Arrays = list[NDArray[Any]]
SomeHead = TypeVar('SomeHead', bound=nn.Module)


def session(graph: onnx.ModelProto, frames: int = 0) -> onnxruntime.InferenceSession:
    """Load a graph, maybe for calls of so many frames alone."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if frames:
        options.add_free_dimension_override_by_name('frames', frames)
    return onnxruntime.InferenceSession(graph.SerializeToString(), options)


def run(session: onnxruntime.InferenceSession, *arrays: NDArray[Any]) -> Arrays:
    """Call with arrays in the order of the inputs."""
    names = [x.name for x in session.get_inputs()]
    return list(session.run(None, dict(zip(names, arrays, strict=True))))


def traced_online(module: OnlineGraph) -> onnx.ModelProto:
    states = {name: torch.from_numpy(_zeros(state)) for name, state in module.states.items()}
    outputs = ['logits', 'boundaries', *(f'new_{name}' for name in states)]
    inputs = {'features': torch.randn(TRACED, INPUTS), **states}
    return trace(module.eval(), inputs, outputs, dict.fromkeys(['features', *outputs[:2]], 0))


def traced_offline(module: OfflineGraph) -> onnx.ModelProto:
    inputs, frames = {'features': torch.randn(TRACED, INPUTS)}, {'features': 0}
    if module.draws:
        inputs['noise'] = torch.randn(module.draws, CLASSES, TRACED)
        frames['noise'] = 2
    outputs = ['logits', 'boundaries']
    return trace(module.eval(), inputs, outputs, {**frames, **dict.fromkeys(outputs, 0)})


def beginning(module: OnlineGraph) -> Arrays:
    """Return the state before the first frame."""
    return [_zeros(state) for state in module.states.values()]


def _zeros(state: StateTensor) -> NDArray[Any]:
    return np.zeros(state.shape, np.int64 if state.whole else np.float32)


def looking_elsewhere(head: SomeHead) -> SomeHead:
    """Return a copy of a head whose layers of dilation 2 have 1."""
    other = deepcopy(head)
    for module in other.modules():
        if isinstance(module, nn.Conv1d) and module.dilation == (2,):
            module.dilation = (1,)
            module.padding = tuple(min(int(p), 1) for p in module.padding)
        elif getattr(module, 'dilation', None) == 2:
            setattr(module, 'dilation', 1)  # noqa: B010 - a name that modules in general do not have
    return other
