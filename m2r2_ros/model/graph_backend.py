# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The backend that runs the graphs of a bundle with ONNX Runtime."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.model.backend import BackendState, Encoded, Prediction
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import WEIGHTS, BundleFacts
from m2r2_ros.model.finish import finish, noise_for
from m2r2_ros.model.graph_facts import GraphFacts, read_graph
from m2r2_ros.model.graph_names import (
    BOUNDARIES,
    FEATURES,
    LOGITS,
    NETWORK,
    NOISE,
    PRESENT,
    RECORDING,
    image_features_name,
)
from m2r2_ros.model.graph_ports import GraphPorts, network_ports, new_name, recording_ports
from m2r2_ros.model.head_config import HeadConfig, NoHeadConfig, OnlineTASConfig
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.model.sessions import GraphFile, GraphSession

#: Frames of a call, and of one with images, whose activations would not fit into caches.
CALL: Final = 256
IMAGE_CALL: Final = 8


@dataclass(frozen=True, slots=True)
class _State:
    """What an online head remembers: the tensors that its graph returned, and frames so far."""

    tensors: Mapping[str, NDArray[Any]]
    seen: int


class GraphBackend:
    """Keeps the Backend protocol."""

    def __init__(
        self, facts: BundleFacts, placement: Placement | None = None, *, live: bool
    ) -> None:
        """Load the graphs of a bundle.

        Args:
            facts: Of a bundle of a network.
            placement: Where it runs.
            live: With the online head, as a robot labels; otherwise with the offline head where
                there is one.

        Raises:
            BundleError: The bundle has no graphs, or not those that it was saved with, or ONNX
                Runtime cannot run them.
            ConfigError: There is no such device.
        """
        assert facts.network is not None
        self._facts, self._model = facts, facts.network.model
        self._graphs = _expect_graphs(facts)
        self._placement = placement or Placement()
        self._warnings: list[str] = []
        self._images = of_kind(self._model.modalities, IMAGE)
        self._network = self._open(NETWORK, one_frame=self._placement.one_frame)
        self._ports = self._network.ports
        self._states = self._ports.states
        offline = self._model.offline_head or self._model.head
        whole = not live and not offline.online and not isinstance(offline, NoHeadConfig)
        self._offline: HeadConfig | None = offline if whole else None
        self._recording = self._open(RECORDING, one_frame=False) if whole else None

    @property
    def online(self) -> bool:
        """Whether the head labels frames as they come."""
        return self._offline is None and self._model.head.online

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not as it was asked for; see Backend."""
        return tuple(self._warnings)

    def encode(self, inputs: Inputs) -> Encoded:
        """Return features of N frames; see Backend."""
        arrays = self.feed(inputs)
        parts = [
            self._network.run(self._encoded, {**_part(arrays, lo, hi), **self._rest()}, hi - lo)
            for lo, hi in self._calls(len(inputs), 0)
        ]
        return self._encoded_of(parts)

    def predict(self, features: NDArray[np.float32]) -> Prediction:
        """Label all frames of a recording; see Backend."""
        if self._recording is None or self._offline is None:
            msg = f'{self._facts.folder}: has no offline head; frames are labelled one by one'
            raise BundleError(msg)
        noise = noise_for(self._offline, len(self._facts.labels.names), len(features))
        given = {FEATURES: features} if noise is None else {FEATURES: features, NOISE: noise}
        logits, boundaries = self._recording.run((LOGITS, BOUNDARIES), given, len(features))
        return finish(self._offline, logits, boundaries)

    def initial_state(self) -> BackendState:
        """Return the state before the first frame; see Backend."""
        self._expect_online()
        return _State(self._rest(), 0)

    def advance(
        self, inputs: Inputs, state: BackendState
    ) -> tuple[Encoded, Prediction, BackendState]:
        """Encode and label N frames; see Backend."""
        self._expect_online()
        arrays, tensors = self.feed(inputs), state.tensors
        asked = (*self._encoded, LOGITS, BOUNDARIES, *map(new_name, self._states))
        encoded, logits, boundaries = [], [], []
        for lo, hi in self._calls(len(inputs), state.seen):
            found = self._network.run(asked, {**_part(arrays, lo, hi), **tensors}, hi - lo)
            own = len(self._encoded)
            encoded.append(found[:own])
            logits.append(found[own])
            boundaries.append(found[own + 1])
            tensors = dict(zip(self._states, found[own + 2 :], strict=True))
        said = finish(self._model.head, _joined(logits), _joined(boundaries))
        return self._encoded_of(encoded), said, _State(tensors, state.seen + len(inputs))

    @property
    def _encoded(self) -> tuple[str, ...]:
        return (FEATURES, *map(image_features_name, self._images))

    def _encoded_of(self, parts: list[list[NDArray[Any]]]) -> Encoded:
        features, *images = (_joined(list(rows)) for rows in zip(*parts, strict=True))
        return Encoded(features, dict(zip(self._images, images, strict=True)))

    def _rest(self) -> dict[str, NDArray[Any]]:
        """Return the state before the first frame, which all calls take."""
        return {name: port.zeros() for name, port in self._states.items()}

    def _calls(self, frames: int, seen: int) -> Iterator[tuple[int, int]]:
        """Split frames into calls, none of which goes over the end of a head's clip."""
        size = 1 if self._placement.one_frame else IMAGE_CALL if self._images else CALL
        head = self._model.head
        clip = head.window if isinstance(head, OnlineTASConfig) and self.online else 0
        edges = set(range(0, frames, size)) | {frames}
        if clip:
            edges |= set(range(clip - seen % clip, frames, clip))
        return pairwise(sorted(edges))

    def feed(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """Return the arrays that the graph takes, zero where inputs have nothing."""
        n = len(inputs)
        feed: dict[str, NDArray[Any]] = {}
        for name, port in self._ports.inputs.items():
            found = inputs.data.get(name)
            feed[name] = port.zeros(n) if found is None else found
        feed[PRESENT] = np.stack([inputs.has(m) for m in self._model.modalities], axis=1)
        return feed

    def _expect_online(self) -> None:
        if not self._model.head.online:
            raise BundleError(self._model.head.refusal)

    def _open(self, name: str, *, one_frame: bool) -> '_Graph':
        folder, graphs = self._facts.folder, self._graphs
        raw = read_graph(folder, graphs, name, WEIGHTS)
        file = GraphFile(folder / name, raw, folder / WEIGHTS, graphs.precision, one_frame)
        session = GraphSession(
            file, self._placement.device, self._placement.threads, self._warnings.append
        )
        told = file.path, session.inputs, session.outputs
        if name == NETWORK:
            return _Graph(session, network_ports(self._facts, *told))
        assert self._offline is not None
        return _Graph(session, recording_ports(self._facts, self._offline, *told))


@dataclass(frozen=True, slots=True)
class _Graph:
    """A session whose outputs are compared with what was promised."""

    session: GraphSession
    ports: GraphPorts

    def run(
        self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]], frames: int
    ) -> list[NDArray[Any]]:
        """Return some of the outputs for so many frames."""
        found = self.session.run(outputs, inputs)
        self.ports.check(outputs, found, frames)
        return found


def _expect_graphs(facts: BundleFacts) -> GraphFacts:
    assert facts.network is not None
    if facts.network.graphs is None:
        msg = (
            f'{facts.folder}: was saved by an older m2r2_ros, without the graphs that label; write '
            f'them with: m2r2 models --upgrade {facts.folder}'
        )
        raise BundleError(msg)
    return facts.network.graphs


def _part(arrays: Mapping[str, NDArray[Any]], lo: int, hi: int) -> dict[str, NDArray[Any]]:
    return {name: x[lo:hi] for name, x in arrays.items()}


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
