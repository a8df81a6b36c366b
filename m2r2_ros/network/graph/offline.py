# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an offline head to its graph."""

from m2r2_ros.network.graph.heads_diffact import DiffActGraph
from m2r2_ros.network.graph.heads_offline import ASRFGraph, LastStageGraph, OfflineGraph
from m2r2_ros.network.heads.asformer import ASFormer
from m2r2_ros.network.heads.asrf import ASRF
from m2r2_ros.network.heads.base import Head
from m2r2_ros.network.heads.diffact import DiffAct
from m2r2_ros.network.heads.ms_tcn import MSTCN

__all__ = ['OfflineGraph', 'offline_graph']


def offline_graph(head: Head) -> OfflineGraph:
    """Return a module that shares the weights of a head and does what it does, for tracing."""
    if isinstance(head, ASRF):
        return ASRFGraph(head)
    if isinstance(head, DiffAct):
        return DiffActGraph(head)
    assert isinstance(head, MSTCN | ASFormer)
    return LastStageGraph(head)
