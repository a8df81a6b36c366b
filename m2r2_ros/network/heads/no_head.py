# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The head of a pretrained extractor: none yet."""

from typing import NoReturn

from torch import Tensor

from m2r2_ros.core.errors import BundleError
from m2r2_ros.model.head_config import NO_HEAD, NoHeadConfig
from m2r2_ros.network.heads.base import Head


class NoHead(Head):
    """Keeps the place of a head, and says so where one is needed."""

    def __init__(self, config: NoHeadConfig, inputs: int, classes: int) -> None:
        """Take what every head takes."""
        super().__init__()

    def loss(self, features: Tensor, targets: Tensor) -> NoReturn:
        """Refuse."""
        self.refuse()

    def predict(self, features: Tensor) -> NoReturn:
        """Refuse."""
        self.refuse()

    def refuse(self) -> NoReturn:
        """Raise the BundleError that says how to get a head."""
        raise BundleError(NO_HEAD)
