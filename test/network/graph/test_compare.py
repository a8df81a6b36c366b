# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs that say something else than the network are found before a bundle is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from m2r2_ros.core.errors import BundleError
from m2r2_ros.model.head_config import (
    ASRFConfig,
    CausalTCNConfig,
    HeadConfig,
    MSTCNConfig,
    NoHeadConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.model.inputs import Inputs, make_inputs
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.graph import weights
from m2r2_ros.network.graph.compare import TOLERANCE, compare, masked
from m2r2_ros.network.graph.make import make_graphs
from m2r2_ros.network.network import Network
from test.network.graph.runs import looking_elsewhere
from test.network.networks import SENSING, make_bundle, make_scales, make_windows

MATRIX = 'extractor.mlp.0.weight'
OFFLINE = MSTCNConfig(stages=1, layers=3, width=8)
HEADS: dict[str, tuple[HeadConfig, HeadConfig | None]] = {
    'causal_tcn': (CausalTCNConfig(width=8, layers=3, lags=(0, 4)), None),
    'protas': (ProTASConfig(stages=1, layers=3, width=8), None),
    'online_tas': (OnlineTASConfig(window=8, width=8, layers=3), None),
    'asrf': (ASRFConfig(stages=1, layers=3, width=8), None),
    'both': (CausalTCNConfig(width=8, layers=3), OFFLINE),
    'none': (NoHeadConfig(), None),
}


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('compared')


def saved(name: str, place: Path) -> tuple[Path, Network]:
    """Return the folder of a bundle, and its network, to be changed."""
    folder = place / name
    if not folder.exists():
        head, offline = HEADS[name]
        save_bundle(make_bundle(replace(SENSING, head=head, offline_head=offline)), folder)
    return folder, load_bundle(folder).network


@pytest.mark.parametrize('name', HEADS)
def test_graphs_say_what_the_network_says(name: str, place: Path) -> None:
    folder, network = saved(name, place)
    assert compare(folder, network) < TOLERANCE


@pytest.mark.parametrize('name', HEADS)
def test_another_network_is_found_out(name: str, place: Path) -> None:
    folder, network = saved(name, place)
    with torch.no_grad():
        network.get_parameter(MATRIX).mul_(1.5)
    with pytest.raises(BundleError, match=r'the graphs differ from the network by'):
        compare(folder, network)


@pytest.mark.parametrize('part', ['head', 'offline_head'])
def test_either_head_is_compared(part: str, place: Path) -> None:
    folder, network = saved('both', place)
    setattr(network, part, looking_elsewhere(getattr(network, part)))
    with pytest.raises(BundleError, match='differ'):
        compare(folder, network)


def test_nan_is_a_difference(place: Path) -> None:
    folder, network = saved('causal_tcn', place)
    with torch.no_grad():
        network.get_parameter(MATRIX)[0] = float('nan')
    with pytest.raises(BundleError, match='nan'):
        compare(folder, network)


def test_examples_are_of_recordings_where_there_are_some(place: Path) -> None:
    folder, network = saved('causal_tcn', place)
    windows = make_windows(150)
    examples = make_inputs(windows, make_scales(SENSING.modalities), SENSING.modalities)
    assert compare(folder, network, examples) < TOLERANCE
    with torch.no_grad():
        network.get_parameter(MATRIX).mul_(1.5)
    with pytest.raises(BundleError, match='differ'):
        compare(folder, network, examples)


def test_a_bundle_whose_graphs_differ_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, 'make_graphs', lambda network: make_graphs(_biased(network)))
    with pytest.raises(BundleError, match='the bundle is not written'):
        save_bundle(make_bundle(), tmp_path / 'model')
    assert not [*tmp_path.iterdir()]


def _biased(network: Network) -> Network:
    """Return a network that says something else, with weights of the same names."""
    network.extractor.token_norm.eps = 1.0
    return network


def test_masks_leave_a_third_whole_and_take_each_modality_away() -> None:
    count = 4
    data = {name: np.ones((60, 30, m.dims)) for name, m in SENSING.modalities.items()}
    found = masked(Inputs(data, np.ones((60, count), np.bool_), SENSING.modalities)).present
    assert found[:20].all()
    assert (found[20:40].sum(axis=1) == count - 1).all()
    assert (~found[20:40]).any(axis=0).all()
    assert 0.3 < found[40:].mean() < 0.7
