# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an online head to its graph."""

from m2r2_ros.network.graph.heads_base import OnlineGraph, StateTensor
from m2r2_ros.network.graph.heads_causal_tcn import CausalTCNGraph
from m2r2_ros.network.graph.heads_online_tas import OnlineTASGraph
from m2r2_ros.network.graph.heads_protas import ProTASGraph
from m2r2_ros.network.heads.base import OnlineHead
from m2r2_ros.network.heads.causal_tcn import CausalTCN
from m2r2_ros.network.heads.online_tas import OnlineTAS
from m2r2_ros.network.heads.protas import ProTAS

__all__ = ['OnlineGraph', 'StateTensor', 'online_graph']


def online_graph(head: OnlineHead) -> OnlineGraph:
    """Return a module that shares the weights of a head and does what it does, for tracing."""
    if isinstance(head, CausalTCN):
        return CausalTCNGraph(head)
    if isinstance(head, ProTAS):
        return ProTASGraph(head)
    assert isinstance(head, OnlineTAS)
    return OnlineTASGraph(head)
