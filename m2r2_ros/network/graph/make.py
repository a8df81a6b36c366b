# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graphs of a network: from windows to labels, and the offline head's from features."""

from collections.abc import Sequence

import onnx
import torch
from torch import Tensor, nn

from m2r2_ros.core.modalities import IMAGE, SOUND
from m2r2_ros.model.graph_names import (
    BOUNDARIES,
    FEATURES,
    LOGITS,
    NETWORK,
    NOISE,
    PRESENT,
    RECORDING,
    image_features_name,
    new_state_name,
    state_name,
)
from m2r2_ros.model.inputs import IMAGE_SIZE
from m2r2_ros.network.graph.extractor import ExtractorGraph
from m2r2_ros.network.graph.offline import offline_graph
from m2r2_ros.network.graph.online import OnlineGraph, StateTensor, online_graph
from m2r2_ros.network.graph.trace import trace
from m2r2_ros.network.heads.base import OnlineHead
from m2r2_ros.network.heads.no_head import NoHead
from m2r2_ros.network.network import Network
from m2r2_ros.windows.logmel import MEL_BINS

#: Frames of the examples that graphs are traced with.
_FRAMES = 3


class Graph(nn.Module):
    """Extractor and online head in one call; an extractor alone where the head is offline."""

    def __init__(self, extractor: ExtractorGraph, head: OnlineGraph | None) -> None:
        """Put them behind each other."""
        super().__init__()
        self.extractor_graph, self.head_graph = extractor, head

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Map arrays, presence and state to features, those of images, labels and new state."""
        names = self.extractor_graph.inputs
        arrays = dict(zip(names, given, strict=False))
        present, *state = given[len(names) :]
        features, images = self.extractor_graph(arrays, present)
        labels = () if self.head_graph is None else self.head_graph(features, *state)
        return features, *images, *labels


def make_graphs(network: Network) -> dict[str, tuple[nn.Module, onnx.ModelProto]]:
    """Return each graph under the name of its file, with the module that it was traced from."""
    graphs = {NETWORK: _network_graph(network)}
    offline = network.recording_head
    if not offline.online and not isinstance(offline, NoHead):
        graphs[RECORDING] = _recording_graph(network)
    return graphs


def _network_graph(network: Network) -> tuple[nn.Module, onnx.ModelProto]:
    extractor = ExtractorGraph(network.extractor)
    head = online_graph(network.head) if isinstance(network.head, OnlineHead) else None
    arrays = {name: _example(network, name) for name in extractor.inputs}
    count = len(network.extractor.modalities)
    present = torch.ones(_FRAMES, count, dtype=torch.bool)
    present[0, 0] = count == 1  # masks are traced, too
    states = {} if head is None else {state_name(n): _zeros(s) for n, s in head.states.items()}
    outputs = [FEATURES, *(image_features_name(c) for c in extractor.cameras)]
    framed = [*arrays, PRESENT, *outputs]
    if head is not None:
        outputs += [LOGITS, BOUNDARIES, *(new_state_name(n) for n in head.states)]
        framed += [LOGITS, BOUNDARIES]
    module = Graph(extractor, head).eval()
    inputs = {**arrays, PRESENT: present, **states}
    return module, trace(module, inputs, outputs, dict.fromkeys(framed, 0))


def _recording_graph(network: Network) -> tuple[nn.Module, onnx.ModelProto]:
    module = offline_graph(network.recording_head).eval()
    inputs = {FEATURES: torch.randn(_FRAMES, network.width)}
    frames = {FEATURES: 0, LOGITS: 0, BOUNDARIES: 0}
    if module.draws:
        inputs[NOISE] = torch.randn(module.draws, network.classes, _FRAMES)
        frames[NOISE] = 2
    return module, trace(module, inputs, [LOGITS, BOUNDARIES], frames)


def _example(network: Network, name: str) -> Tensor:
    """Return an array of a modality as windows hold it."""
    modality = network.extractor.modalities[name.partition('.')[0]]
    if modality.kind == IMAGE:
        return torch.zeros(_FRAMES, IMAGE_SIZE, IMAGE_SIZE, 3, dtype=torch.uint8)
    if modality.kind == SOUND:
        return torch.randn(_FRAMES, MEL_BINS, network.mel_frames)
    return torch.randn(_FRAMES, network.points, modality.dims)


def _zeros(state: StateTensor) -> Tensor:
    return torch.zeros(state.shape, dtype=torch.int64 if state.whole else torch.float32)


def parameter_names(module: nn.Module, network: Network) -> dict[str, str]:
    """Return the network's name of each tensor of a module that shares them, by the module's."""
    own = {t.data_ptr(): name for name, t in _tensors(network)}
    return {name: own[t.data_ptr()] for name, t in _tensors(module) if t.data_ptr() in own}


def _tensors(module: nn.Module) -> Sequence[tuple[str, Tensor]]:
    kept = module.state_dict(keep_vars=True)
    return [(name, t) for name, t in kept.items() if t.numel()]
