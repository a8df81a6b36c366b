# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The inputs of encoders as tensors, inside the model room and in training."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from m2r2_ros.core.modalities import MODALITIES, Modalities, declared
from m2r2_ros.model.inputs import Inputs


@dataclass(frozen=True, slots=True)
class InputTensors:
    """What `Inputs` holds, as tensors.

    Attributes:
        data: By modality, shapes and types as in `Inputs`.
        present: bool (N, M).
        modalities: What the columns of `present` stand for.
    """

    data: dict[str, Tensor]
    present: Tensor
    modalities: Modalities = field(default_factory=lambda: declared(MODALITIES))

    @classmethod
    def of(cls, inputs: Inputs) -> 'InputTensors':
        """Return the same numbers in the same memory."""
        data = {name: torch.from_numpy(x) for name, x in inputs.data.items()}
        return cls(data, torch.from_numpy(inputs.present), inputs.modalities)

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, part: slice) -> 'InputTensors':
        data = {name: x[part] for name, x in self.data.items()}
        return InputTensors(data, self.present[part], self.modalities)

    def to(self, device: torch.device) -> 'InputTensors':
        """Return them on a device."""
        data = {name: x.to(device) for name, x in self.data.items()}
        return InputTensors(data, self.present.to(device), self.modalities)

    @staticmethod
    def join(parts: 'list[InputTensors]') -> 'InputTensors':
        """Concatenate runs of frames."""
        data = {name: torch.cat([p.data[name] for p in parts]) for name in parts[0].data}
        present = torch.cat([p.present for p in parts])
        return InputTensors(data, present, parts[0].modalities)
