# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which graphs a network has, and what goes into them and comes out."""

from dataclasses import replace

import onnx
import pytest
import torch

from m2r2_ros.core.modalities import declared
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.graph_names import (
    BOUNDARIES,
    FEATURES,
    LOGITS,
    NETWORK,
    NOISE,
    PRESENT,
    RECORDING,
    image_features_name,
    new_state_name,
    state_name,
)
from m2r2_ros.model.head_config import (
    ASRFConfig,
    CausalTCNConfig,
    DiffActConfig,
    HeadConfig,
    NoHeadConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.network.graph.make import make_graphs, parameter_names
from m2r2_ros.network.graph.trace import OPSET
from m2r2_ros.network.network import Network
from test.network.networks import SENSING, WINDOWS

ASRF = ASRFConfig(stages=1, layers=2, width=8)
DIFFACT = DiffActConfig(2, 8, 3, 2, 8, 3, 16, sampling_steps=3)
ONLINE = {
    'causal_tcn': CausalTCNConfig(width=8, layers=2, lags=(0, 3)),
    'protas': ProTASConfig(stages=1, layers=2, width=8),
    'online_tas': OnlineTASConfig(window=5, width=8, layers=2),
}


def graphs_of(config: ModelConfig) -> dict[str, onnx.ModelProto]:
    torch.manual_seed(0)
    network = Network(config, WINDOWS, 3).eval()
    return {name: graph for name, (_, graph) in make_graphs(network).items()}


def names(values: object) -> list[str]:
    return [value.name for value in values]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ('head', 'offline', 'files'),
    [
        (ONLINE['protas'], None, [NETWORK]),
        (ONLINE['protas'], ASRF, [NETWORK, RECORDING]),
        (ASRF, None, [NETWORK, RECORDING]),
        (NoHeadConfig(), None, [NETWORK]),
    ],
)
def test_offline_heads_have_a_graph_of_their_own(
    head: HeadConfig, offline: HeadConfig | None, files: list[str]
) -> None:
    assert list(graphs_of(replace(SENSING, head=head, offline_head=offline))) == files


@pytest.mark.parametrize('name', ONLINE)
def test_an_online_head_takes_its_state_and_returns_it(name: str) -> None:
    graph = graphs_of(replace(SENSING, head=ONLINE[name]))[NETWORK].graph
    taken, given = names(graph.input), names(graph.output)
    assert taken[:5] == [*SENSING.modalities, PRESENT]
    states = [n.removeprefix(state_name('')) for n in taken[5:]]
    assert given == [FEATURES, LOGITS, BOUNDARIES, *map(new_state_name, states)]
    assert states


def test_poses_and_cameras_have_arrays_of_their_own() -> None:
    config = replace(
        SENSING, modalities=declared(('image', 'pose')), relative_pose=True,
        image_encoder='efficientnet_lite0', head=ASRF,
    )  # fmt: skip
    graph = graphs_of(config)[NETWORK].graph
    assert names(graph.input) == ['image', 'pose', 'pose.relative', PRESENT]
    assert names(graph.output) == [FEATURES, image_features_name('image')]


@pytest.mark.parametrize(('head', 'more'), [(ASRF, []), (DIFFACT, [NOISE])])
def test_the_graph_of_an_offline_head_begins_with_features(
    head: HeadConfig, more: list[str]
) -> None:
    graph = graphs_of(replace(SENSING, head=head))[RECORDING].graph
    assert names(graph.input) == [FEATURES, *more]
    assert names(graph.output) == [LOGITS, BOUNDARIES]


def test_graphs_are_of_one_opset_and_their_frames_are_open() -> None:
    for graph in graphs_of(replace(SENSING, offline_head=DIFFACT)).values():
        assert [(o.domain, o.version) for o in graph.opset_import] == [('', OPSET)]
        for value in (*graph.graph.input, *graph.graph.output):
            axes = [axis.dim_param for axis in value.type.tensor_type.shape.dim]
            assert axes.count('frames') == ('state' not in value.name)


def test_every_parameter_has_the_networks_name() -> None:
    network = Network(replace(SENSING, offline_head=ASRF), WINDOWS, 3).eval()
    found = set()
    for module, _ in make_graphs(network).values():
        found |= set(parameter_names(module, network).values())
    assert found >= {name for name, _ in network.named_parameters()}
