# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a head's options to the head."""

from typing import Any

from m2r2_ros.model.heads.base import Head
from m2r2_ros.model.heads.causal_tcn import CausalTCN
from m2r2_ros.model.heads.config import CausalTCNConfig, HeadConfig, NoHeadConfig
from m2r2_ros.model.heads.no_head import NoHead

HEADS: dict[type[HeadConfig], Any] = {
    CausalTCNConfig: CausalTCN,
    NoHeadConfig: NoHead,
}


def make_head(config: HeadConfig, inputs: int, classes: int) -> Head:
    """Return a head with random weights.

    Args:
        config: Its options.
        inputs: D_e, width of the features.
        classes: C, labels.
    """
    head: Head = HEADS[type(config)](config, inputs, classes)
    return head
