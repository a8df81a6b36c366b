# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the graphs of a model take and give: compared as they load, and at every call."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import IMAGE, SOUND, Modality, of_kind
from m2r2_ros.core.text import excerpt
from m2r2_ros.model.config import IMAGE_FEATURES, ModelConfig
from m2r2_ros.model.facts import BundleFacts
from m2r2_ros.model.finish import draws_of
from m2r2_ros.model.graph_names import (
    BOUNDARIES,
    FEATURES,
    LOGITS,
    NOISE,
    PRESENT,
    array_names,
    image_features_name,
    new_state_name,
    state_name,
)
from m2r2_ros.model.head_config import CausalTCNConfig, HeadConfig
from m2r2_ros.model.inputs import IMAGE_SIZE
from m2r2_ros.windows.logmel import MEL_BINS, mel_frames

#: Bytes of what a head remembers, at most; it is set aside before the first frame.
MOST_STATE: Final = 256 << 20

_FLOAT, _WHOLE, _PIXEL, _FLAG = 'tensor(float)', 'tensor(int64)', 'tensor(uint8)', 'tensor(bool)'
_TYPES: Final[dict[str, Any]] = {
    _FLOAT: np.float32,
    _WHOLE: np.int64,
    _PIXEL: np.uint8,
    _FLAG: np.bool_,
}
_WAY_OUT: Final = '; restore it, or write the graphs anew: m2r2 models --upgrade'
#: Stands for the number of frames in shapes.
_FRAMES: Final = -1

#: Type and shape of each tensor of a session, by name, as ONNX Runtime tells them.
Told = Mapping[str, tuple[str, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Port:
    """A tensor that goes into a graph or comes out.

    Attributes:
        shape: With -1 for the number of frames.
        kind: ONNX Runtime's name of its type.
    """

    shape: tuple[int, ...]
    kind: str = _FLOAT

    def __str__(self) -> str:
        return f'{self.kind} ({_text(["frames" if n == _FRAMES else n for n in self.shape])})'

    def zeros(self, frames: int = 0) -> NDArray[Any]:
        """Return zeros for so many frames."""
        return np.zeros(self._shape(frames), _TYPES[self.kind])

    def fits(self, kind: str, shape: Sequence[Any]) -> bool:
        """Return whether a tensor of a session, whose number of frames is open, is this one."""
        own = [(n, m) for n, m in zip(shape, self.shape, strict=False) if m != _FRAMES]
        return kind == self.kind and len(shape) == len(self.shape) and all(n == m for n, m in own)

    def holds(self, array: object, frames: int) -> bool:
        """Return whether an array is this tensor, of so many frames."""
        return (
            isinstance(array, np.ndarray)
            and array.shape == self._shape(frames)
            and array.dtype == _TYPES[self.kind]
        )

    def _shape(self, frames: int) -> tuple[int, ...]:
        return tuple(frames if n == _FRAMES else n for n in self.shape)


@dataclass(frozen=True, slots=True)
class GraphPorts:
    """What a graph takes and gives.

    Attributes:
        path: Of the graph, for messages.
        inputs: By name, without the head's state.
        outputs: The same of what comes out.
        states: What an online head remembers, by the names of the inputs.
    """

    path: Path
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    states: Mapping[str, Port] = field(default_factory=dict)

    def check(self, names: Sequence[str], found: Sequence[object], frames: int) -> None:
        """Compare what came out of a call with what was promised.

        Raises:
            BundleError: A tensor is of another shape or type.
        """
        for name, array in zip(names, found, strict=True):
            port = self.outputs[name]
            if not port.holds(array, frames):
                own = f'{getattr(array, "dtype", "")} ({_text(getattr(array, "shape", ()))})'
                msg = (
                    f'{self.path}: output {excerpt(name)}: expected {port}, got {own} for {frames} '
                    'frames'
                )
                raise BundleError(msg + _WAY_OUT)


def network_ports(facts: BundleFacts, path: Path, inputs: Told, outputs: Told) -> GraphPorts:
    """Compare the graph from windows to features, and to labels where the head is online.

    Args:
        facts: Of the bundle of a network.
        path: Of the graph.
        inputs: What the graph takes.
        outputs: What it gives.

    Raises:
        BundleError: An input or output is missing, unknown or another one, or the state is huge.
    """
    assert facts.network is not None
    model = facts.network.model
    arrays = {name: _array(facts, model, name) for name in _array_names(model)}
    takes = {**arrays, PRESENT: Port((_FRAMES, len(model.modalities)), _FLAG)}
    gives = {FEATURES: Port((_FRAMES, model.width))}
    for camera in of_kind(model.modalities, IMAGE):
        width = IMAGE_FEATURES.get(model.image_encoder, 0)
        gives[image_features_name(camera)] = Port((_FRAMES, width))
    states = {}
    if model.head.online:
        states = _states(path, {n: x for n, x in inputs.items() if n not in takes})
        lags = model.head.lags if isinstance(model.head, CausalTCNConfig) else (0,)
        gives[LOGITS] = Port((_FRAMES, len(lags), len(facts.labels.names)))
        gives[BOUNDARIES] = Port((_FRAMES,))
        gives |= {new_name(name): port for name, port in states.items()}
    _compare(path, 'input', {**takes, **states}, inputs, alone=True)
    _compare(path, 'output', gives, outputs)
    return GraphPorts(path, takes, gives, states)


def recording_ports(
    facts: BundleFacts, head: HeadConfig, path: Path, inputs: Told, outputs: Told
) -> GraphPorts:
    """Compare the graph of an offline head, from features to labels; see `network_ports`."""
    assert facts.network is not None
    classes = len(facts.labels.names)
    takes = {FEATURES: Port((_FRAMES, facts.network.model.width))}
    if draws := draws_of(head):
        takes[NOISE] = Port((draws, classes, _FRAMES))
    gives = {LOGITS: Port((_FRAMES, classes)), BOUNDARIES: Port((_FRAMES,))}
    _compare(path, 'input', takes, inputs, alone=True)
    _compare(path, 'output', gives, outputs)
    return GraphPorts(path, takes, gives)


def new_name(name: str) -> str:
    """Return the output that goes into an input of the state in the next call."""
    return new_state_name(name.removeprefix(state_name('')))


def _array_names(model: ModelConfig) -> tuple[str, ...]:
    return array_names(model.modalities, relative=model.relative_pose)


def _array(facts: BundleFacts, model: ModelConfig, name: str) -> Port:
    """Return what windows hold under a name."""
    windows = facts.windows
    modality: Modality = model.modalities[name.partition('.')[0]]
    if modality.kind == IMAGE:
        return Port((_FRAMES, IMAGE_SIZE, IMAGE_SIZE, 3), _PIXEL)
    if modality.kind == SOUND:
        columns = mel_frames(round(windows.audio_context * windows.audio_rate))
        return Port((_FRAMES, MEL_BINS, columns))
    return Port((_FRAMES, windows.points, modality.dims))


def _states(path: Path, found: Told) -> dict[str, Port]:
    """Return what a head remembers, whose shapes are the graph's own affair, but bounded."""
    states, size = {}, 0
    for name, (kind, shape) in found.items():
        known = name.startswith(state_name('')) and kind in (_FLOAT, _WHOLE)
        if not known or not all(isinstance(n, int) and n >= 0 for n in shape):
            continue  # which is then found to be unknown
        states[name] = Port(tuple(shape), kind)
        size += math.prod(shape) * np.dtype(_TYPES[kind]).itemsize
    if size > MOST_STATE:
        msg = f'{path}: its state takes {size} bytes, at most {MOST_STATE} are set aside'
        raise BundleError(msg)
    return states


def _compare(
    path: Path, what: str, expected: Mapping[str, Port], found: Told, *, alone: bool = False
) -> None:
    """Refuse what is missing or another one, and what is unknown where it would be needed."""
    for name, port in expected.items():
        if name not in found:
            msg = f'{path}: {what} {excerpt(name)} {port} is missing'
            raise BundleError(msg + _WAY_OUT)
        kind, shape = found[name]
        if not port.fits(kind, shape if what == 'input' else _said(shape, port)):
            own = f'{kind} ({_text(shape)})'
            msg = f'{path}: {what} {excerpt(name)}: expected {port}, found {own}'
            raise BundleError(msg + _WAY_OUT)
    unknown = [name for name in found if name not in expected]
    if alone and unknown:
        kind, shape = found[unknown[0]]
        msg = f'{path}: {what} {excerpt(unknown[0])} {kind} ({_text(shape)}) is unknown'
        raise BundleError(msg + _WAY_OUT)


def _said(shape: Sequence[Any], port: Port) -> Sequence[Any]:
    """Return the shape of an output, which need not say it: then it is found in the first call."""
    if len(shape) != len(port.shape):
        return port.shape
    return [n if isinstance(n, int) else m for n, m in zip(shape, port.shape, strict=True)]


def _text(shape: Sequence[Any]) -> str:
    return ', '.join(map(str, shape))
