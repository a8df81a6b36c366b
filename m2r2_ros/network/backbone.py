# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What encoders with a pretrained backbone have in common: that it can be frozen."""

from typing import ClassVar, TypeVar

from torch import nn

Encoder = TypeVar('Encoder', bound='BackboneEncoder')


class BackboneEncoder(nn.Module):
    """An encoder made of a backbone and of what maps its features to D_e.

    Attributes:
        modality: What it encodes: 'image', 'sound' or 'text'.
        trunk_name: The backbone's name among the submodules.
        frozen: Whether the backbone stays as it is.
    """

    modality: ClassVar[str]
    trunk_name: ClassVar[str] = 'backbone'
    frozen: bool = False

    @property
    def trunk(self) -> nn.Module:
        """The backbone."""
        return self.get_submodule(self.trunk_name)

    def freeze(self) -> None:
        """Keep the backbone as it is from now on: no gradients, no dropout, no new statistics."""
        self.frozen = True
        self.trunk.requires_grad_(False)
        self.trunk.eval()  # from the first input on, before anyone calls train or eval

    def train(self: Encoder, mode: bool = True) -> Encoder:
        """Switch to training or evaluation; a frozen backbone always evaluates."""
        super().train(mode)
        if self.frozen:
            self.trunk.eval()
        return self
