# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The backend that runs the graphs of a bundle with ONNX Runtime."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import IMAGE, SOUND, Modality, of_kind
from m2r2_ros.model.backend import BackendState, Encoded, Prediction
from m2r2_ros.model.config import ModelConfig
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
    array_names,
    image_features_name,
    new_state_name,
    state_name,
)
from m2r2_ros.model.head_config import HeadConfig, NoHeadConfig, OnlineTASConfig
from m2r2_ros.model.inputs import IMAGE_SIZE, Inputs
from m2r2_ros.model.sessions import GraphFile, GraphSession
from m2r2_ros.windows.logmel import MEL_BINS, mel_frames

#: Frames of a call, and of one with images, whose activations would not fit into caches.
CALL: Final = 256
IMAGE_CALL: Final = 8

_FLOAT, _WHOLE, _PIXEL, _FLAG = 'tensor(float)', 'tensor(int64)', 'tensor(uint8)', 'tensor(bool)'
_TYPES: Final[dict[str, Any]] = {
    _FLOAT: np.float32,
    _WHOLE: np.int64,
    _PIXEL: np.uint8,
    _FLAG: np.bool_,
}


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
            live: For frames as they come, with the online head; otherwise for recordings, with the
                offline head where there is one.

        Raises:
            BundleError: The bundle has no graphs, or not those that it was saved with, or ONNX
                Runtime cannot run them.
            ConfigError: There is no such device.
        """
        assert facts.network is not None
        self._facts, self._model = facts, facts.network.model
        self._graphs = _expect_graphs(facts)
        self._placement, self._live = placement or Placement(), live
        self._warnings: list[str] = []
        self._images = of_kind(self._model.modalities, IMAGE)
        self._arrays = _arrays(facts, self._model)
        self._network = self._session(NETWORK, one_frame=live)
        self._states = self._expect_inputs()
        offline = self._model.offline_head or self._model.head
        whole = not live and not offline.online and not isinstance(offline, NoHeadConfig)
        self._offline: HeadConfig | None = offline if whole else None
        self._recording = self._session(RECORDING, one_frame=False) if whole else None

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
        arrays = self._feed(inputs)
        parts = [
            self._network.run(self._encoded, {**_part(arrays, lo, hi), **self._rest()})
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
        logits, boundaries = self._recording.run((LOGITS, BOUNDARIES), given)
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
        arrays, tensors = self._feed(inputs), state.tensors
        asked = (*self._encoded, LOGITS, BOUNDARIES, *map(_new, self._states))
        encoded, logits, boundaries = [], [], []
        for lo, hi in self._calls(len(inputs), state.seen):
            found = self._network.run(asked, {**_part(arrays, lo, hi), **tensors})
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
        return {name: np.zeros(shape, kind) for name, (shape, kind) in self._states.items()}

    def _calls(self, frames: int, seen: int) -> Iterator[tuple[int, int]]:
        """Split frames into calls: of one frame live, and none over the end of a head's clip."""
        size = 1 if self._live else IMAGE_CALL if self._images else CALL
        head = self._model.head
        clip = head.window if isinstance(head, OnlineTASConfig) and self.online else 0
        edges = set(range(0, frames, size)) | {frames}
        if clip:
            edges |= set(range(clip - seen % clip, frames, clip))
        return pairwise(sorted(edges))

    def _feed(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """Return the arrays that the graph takes, zero where inputs have nothing."""
        n = len(inputs)
        feed: dict[str, NDArray[Any]] = {}
        for name, (shape, kind) in self._arrays.items():
            found = inputs.data.get(name)
            feed[name] = np.zeros((n, *shape), kind) if found is None else found
        feed[PRESENT] = np.stack([inputs.has(m) for m in self._model.modalities], axis=1)
        return feed

    def _expect_online(self) -> None:
        if not self._model.head.online:
            raise BundleError(self._model.head.refusal)

    def _session(self, name: str, *, one_frame: bool) -> GraphSession:
        folder, graphs = self._facts.folder, self._graphs
        raw = read_graph(folder, graphs, name, WEIGHTS)
        file = GraphFile(folder / name, raw, graphs.precision, one_frame)
        return GraphSession(
            file, self._placement.device, self._placement.threads, self._warnings.append
        )

    def _expect_inputs(self) -> dict[str, tuple[tuple[int, ...], Any]]:
        """Compare what the graph takes and gives with the model; return shapes of the state."""
        found, path = dict(self._network.inputs), self._facts.folder / NETWORK
        expected = {n: (s, _type(kind)) for n, (s, kind) in self._arrays.items()}
        expected[PRESENT] = ((len(self._model.modalities),), _FLAG)
        for name, (shape, kind) in expected.items():
            own = found.pop(name, None)
            if own is None:
                msg = f'{path}: input {name} {kind} (frames, {_text(shape)}) is missing'
                raise BundleError(msg)
            if own[0] != kind or own[1][1:] != shape:
                msg = (
                    f'{path}: input {name}: expected {kind} (frames, {_text(shape)}), found '
                    f'{own[0]} ({_text(own[1])})'
                )
                raise BundleError(msg)
        states = {}
        for name, (kind, shape) in found.items():
            known = name.startswith(state_name('')) and kind in (_FLOAT, _WHOLE)
            if not known or not all(isinstance(n, int) for n in shape):
                msg = f'{path}: input {name} {kind} ({_text(shape)}) is unknown'
                raise BundleError(msg)
            states[name] = shape, _TYPES[kind]
        outputs = [*self._encoded]
        if self._model.head.online:
            outputs += [LOGITS, BOUNDARIES, *map(_new, states)]
        if missing := [name for name in outputs if name not in self._network.outputs]:
            msg = f'{path}: output {missing[0]} is missing'
            raise BundleError(msg)
        return states


def _expect_graphs(facts: BundleFacts) -> GraphFacts:
    assert facts.network is not None
    if facts.network.graphs is None:
        msg = (
            f'{facts.folder}: was saved by an older m2r2_ros, without the graphs that label; write '
            f'them with: m2r2 models --upgrade {facts.folder}'
        )
        raise BundleError(msg)
    return facts.network.graphs


def _arrays(facts: BundleFacts, model: ModelConfig) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return shape, without the frames, and type of each array of windows."""
    windows = facts.windows

    def shape(modality: Modality) -> tuple[tuple[int, ...], Any]:
        if modality.kind == IMAGE:
            return (IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8
        if modality.kind == SOUND:
            columns = mel_frames(round(windows.audio_context * windows.audio_rate))
            return (MEL_BINS, columns), np.float32
        return (windows.points, modality.dims), np.float32

    names = array_names(model.modalities, relative=model.relative_pose)
    return {name: shape(model.modalities[name.partition('.')[0]]) for name in names}


def _type(kind: Any) -> str:  # noqa: ANN401 - a type of numpy's
    return next(name for name, own in _TYPES.items() if own is kind)


def _text(shape: tuple[Any, ...]) -> str:
    return ', '.join(map(str, shape))


def _part(arrays: Mapping[str, NDArray[Any]], lo: int, hi: int) -> dict[str, NDArray[Any]]:
    return {name: x[lo:hi] for name, x in arrays.items()}


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _new(name: str) -> str:
    """Return the output that goes into an input of the state in the next call."""
    return new_state_name(name.removeprefix(state_name('')))
