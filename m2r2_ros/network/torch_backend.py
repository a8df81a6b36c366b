# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The backend that runs a network with PyTorch."""

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.model.backend import BackendState, Encoded, Prediction
from m2r2_ros.model.inputs import Inputs, with_images
from m2r2_ros.network.heads.base import HeadOutput
from m2r2_ros.network.image import ImageEncoder
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors


class TorchBackend:
    """Keeps the Backend protocol; encodes on a device, labels on the CPU."""

    def __init__(self, network: Network) -> None:
        """Take a network in evaluation mode, on the processor."""
        self._network = network

    @property
    def online(self) -> bool:
        """Whether the head labels frames as they come."""
        return bool(self._network.head.online)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Nothing: it runs where it was asked to."""
        return ()

    def encode(self, inputs: Inputs) -> Encoded:
        """Return features of N frames; see Backend."""
        images = self._images(inputs)
        ready = InputTensors.of(with_images(inputs, images))
        return Encoded(_array(self._network.features(ready)), images)

    @torch.no_grad()
    def predict(self, features: NDArray[np.float32]) -> Prediction:
        """Label all frames of a recording, with any head; see Backend."""
        head = self._network.recording_head
        return _prediction(head.predict(torch.from_numpy(features)))

    def initial_state(self) -> BackendState:
        """Return the state before the first frame; see Backend."""
        return self._network.initial_state()

    @torch.no_grad()
    def advance(
        self, inputs: Inputs, state: BackendState
    ) -> tuple[Encoded, Prediction, BackendState]:
        """Encode and label N frames; see Backend."""
        encoded = self.encode(inputs)
        features = torch.from_numpy(encoded.features)
        prediction, state = self._network.online_head.advance(features, state)
        return encoded, _prediction(prediction), state

    @torch.no_grad()
    def _images(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """Return the backbone's features of each camera, zero where there is no image."""
        extractor, found = self._network.extractor, {}
        for name in of_kind(extractor.modalities, IMAGE):
            pixels, encoder = inputs.data.get(name), extractor.encoder(name)
            if pixels is None or pixels.dtype != np.uint8:
                continue
            assert isinstance(encoder, ImageEncoder)
            seen = inputs.has(name)
            found[name] = np.zeros((len(inputs), encoder.feature_dim), np.float32)
            if seen.any():
                found[name][seen] = _array(encoder.features(torch.from_numpy(pixels[seen])))
        return found


def _prediction(found: HeadOutput) -> Prediction:
    revised = {lag: _array(rows) for lag, rows in found.revised.items()}
    return Prediction(_array(found.probabilities), _array(found.boundaries), revised)


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.numpy()
    return array
