# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether graphs say what the network says, frame by frame, with and without masks."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import IMAGE, SOUND
from m2r2_ros.model.backend import Backend, Prediction
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import read_facts
from m2r2_ros.model.graph_backend import GraphBackend
from m2r2_ros.model.inputs import IMAGE_SIZE, Inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.heads.no_head import NoHead
from m2r2_ros.network.network import Network
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.windows.logmel import MEL_BINS

#: Greatest difference of a probability or a boundary score.
TOLERANCE: Final = 1e-5
#: Frames that are compared: enough for heads to come to the end of a clip, and fewer with images,
#: whose encoders take long.
FRAMES: Final = 96
IMAGE_FRAMES: Final = 6


def compare(folder: Path, network: Network, examples: Inputs | None = None) -> float:
    """Compare the graphs of a bundle with the network that they were made of.

    Args:
        folder: Of the bundle.
        network: With the weights as they were saved.
        examples: Windows of recordings, without relative poses; made up of random numbers where
            there are none.

    Returns:
        The greatest difference of a probability or a boundary score, of x_i without a head.

    Raises:
        BundleError: It is greater than TOLERANCE.
    """
    facts = read_facts(folder)
    assert facts.network is not None
    given = _random(network, _frames(network)) if examples is None else _few(network, examples)
    inputs = RelativePoses()(masked(given))
    torch = TorchBackend(network)
    worst = 0.0
    one = Placement(threads=1)
    if network.head.online:
        live = GraphBackend(facts, replace(one, one_frame=True), live=True)
        worst = _difference(_streamed(torch, inputs), _streamed(live, inputs))
    whole = GraphBackend(facts, one, live=False)
    own, encoded = torch.encode(inputs), whole.encode(inputs)
    if not network.recording_head.online and not isinstance(network.head, NoHead):
        worst = max(
            worst, _difference(torch.predict(own.features), whole.predict(encoded.features))
        )
    elif network.head.online:
        worst = max(worst, _difference(_streamed(torch, inputs), _streamed(whole, inputs)))
    else:
        worst = float(np.abs(own.features - encoded.features).max())
    if not worst <= TOLERANCE:  # which NaN is not either
        msg = (
            f'{folder}: the graphs differ from the network by {worst:.2g} in what they say, more '
            f'than {TOLERANCE:g}: the bundle is not written'
        )
        raise BundleError(msg)
    return worst


def masked(inputs: Inputs) -> Inputs:
    """Return inputs, the second third with one modality less each, the last with random masks."""
    n, count = inputs.present.shape
    rng = np.random.default_rng(0)
    present = inputs.present.copy()
    for frame in range(n // 3, 2 * n // 3):
        present[frame, frame % count] = False
    present[2 * n // 3 :] &= rng.random((n - 2 * n // 3, count)) < 0.5
    return Inputs(inputs.data, present, inputs.modalities)


def _streamed(backend: Backend, inputs: Inputs) -> Prediction:
    return backend.advance(inputs, backend.initial_state())[1]


def _difference(a: Prediction, b: Prediction) -> float:
    pairs = [(a.probabilities, b.probabilities), (a.boundaries, b.boundaries)]
    pairs += [(rows, b.revised[lag]) for lag, rows in a.revised.items()]
    return max(float(np.abs(x - y).max()) for x, y in pairs)


def _few(network: Network, inputs: Inputs) -> Inputs:
    """Return as many frames as are compared, with pixels where a cache has features of images."""
    n = min(len(inputs), _frames(network))
    made_up = _random(network, n)
    data = {
        name: inputs.data[name][:n]
        if name in inputs.data and inputs.data[name].dtype == rows.dtype
        else rows
        for name, rows in made_up.data.items()
    }
    present = np.stack([inputs.has(name)[:n] for name in made_up.modalities], axis=1)
    return Inputs(data, present, made_up.modalities)


def _frames(network: Network) -> int:
    large = any(m.kind == IMAGE for m in network.extractor.modalities.values())
    return IMAGE_FRAMES if large else FRAMES


def _random(network: Network, n: int) -> Inputs:
    rng = np.random.default_rng(0)
    modalities = network.extractor.modalities
    data: dict[str, NDArray[np.float32] | NDArray[np.uint8]] = {}
    for name, modality in modalities.items():
        if modality.kind == IMAGE:
            data[name] = rng.integers(0, 256, (n, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
        elif modality.kind == SOUND:
            shape = (n, MEL_BINS, network.mel_frames)
            data[name] = rng.normal(size=shape).astype(np.float32)
        else:
            shape = (n, network.points, modality.dims)
            data[name] = rng.normal(size=shape).astype(np.float32)
    return Inputs(dict(data), np.ones((n, len(modalities)), np.bool_), modalities)
