# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a head's options to the head."""

from typing import Any

from m2r2_ros.model.head_config import (
    ASFormerConfig,
    ASRFConfig,
    CausalTCNConfig,
    DiffActConfig,
    HeadConfig,
    MSTCNConfig,
    NoHeadConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.network.heads.asformer import ASFormer
from m2r2_ros.network.heads.asrf import ASRF
from m2r2_ros.network.heads.base import Head, OnlineHead, Recipe
from m2r2_ros.network.heads.causal_tcn import CausalTCN
from m2r2_ros.network.heads.diffact import DiffAct
from m2r2_ros.network.heads.ms_tcn import MSTCN
from m2r2_ros.network.heads.no_head import NoHead
from m2r2_ros.network.heads.online_tas import OnlineTAS
from m2r2_ros.network.heads.protas import ProTAS

HEADS: dict[type[HeadConfig], Any] = {
    CausalTCNConfig: CausalTCN,
    ProTASConfig: ProTAS,
    OnlineTASConfig: OnlineTAS,
    MSTCNConfig: MSTCN,
    ASRFConfig: ASRF,
    ASFormerConfig: ASFormer,
    DiffActConfig: DiffAct,
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


def recipe_of(config: HeadConfig) -> Recipe:
    """Return how a head is trained unless told otherwise."""
    recipe: Recipe = HEADS[type(config)].recipe
    return recipe


def is_online(config: HeadConfig) -> bool:
    """Return whether a head labels each frame without later ones."""
    return issubclass(HEADS[type(config)], OnlineHead)
