# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The backend that runs a network with PyTorch."""

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.model.backend import BackendState, Prediction
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.network.heads.base import HeadOutput
from m2r2_ros.network.image import ImageEncoder
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors


class TorchBackend:
    """Keeps the Backend protocol; encodes on a device, labels on the CPU."""

    def __init__(self, network: Network, device: str = 'cpu') -> None:
        """Take a network in evaluation mode.

        Args:
            network: Extractor and head.
            device: 'auto', 'cpu' or 'cuda'; 'auto' takes a GPU where there is one.

        Raises:
            ConfigError: There is no such device.
        """
        self._network = network
        network.use(_find_device(device))

    @property
    def online(self) -> bool:
        """Whether the head labels frames as they come."""
        return bool(self._network.head.online)

    @torch.no_grad()
    def prepare(self, inputs: Inputs) -> Inputs:
        """Return the inputs with the backbone's features in place of pixels; see Backend."""
        extractor, data = self._network.extractor, dict(inputs.data)
        for name in of_kind(extractor.modalities, IMAGE):
            pixels, encoder = data.get(name), extractor.encoder(name)
            if pixels is None or pixels.dtype != np.uint8:
                continue
            assert isinstance(encoder, ImageEncoder)
            seen = inputs.has(name)
            data[name] = np.zeros((len(inputs), encoder.feature_dim), np.float32)
            if seen.any():
                device = next(encoder.parameters()).device
                found = encoder.features(torch.from_numpy(pixels[seen]).to(device))
                data[name][seen] = _array(found.cpu())
        return Inputs(data, inputs.present, inputs.modalities)

    def features(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return x_i of N frames; see Backend."""
        return _array(self._network.features(InputTensors.of(inputs)))

    @torch.no_grad()
    def predict(self, features: NDArray[np.float32]) -> Prediction:
        """Label all frames of a recording; see Backend."""
        head = self._network.recording_head
        return _prediction(head.predict(torch.from_numpy(features)))

    def initial_state(self) -> BackendState:
        """Return the state before the first frame; see Backend."""
        return self._network.initial_state()

    @torch.no_grad()
    def advance(
        self, features: NDArray[np.float32], state: BackendState
    ) -> tuple[Prediction, BackendState]:
        """Label N frames that follow the state; see Backend."""
        prediction, state = self._network.online_head.advance(torch.from_numpy(features), state)
        return _prediction(prediction), state


def _prediction(found: HeadOutput) -> Prediction:
    revised = {lag: _array(rows) for lag, rows in found.revised.items()}
    return Prediction(_array(found.probabilities), _array(found.boundaries), revised)


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.numpy()
    return array


def _find_device(asked: str) -> torch.device:
    available = torch.cuda.is_available()
    if asked == 'cuda' and not available:
        msg = "device is 'cuda', but torch finds no GPU: take 'auto' or 'cpu'"
        raise ConfigError(msg)
    return torch.device('cuda' if available and asked != 'cpu' else 'cpu')
