# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The extractor as arithmetic alone says what the extractor says, for every mask."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from m2r2_ros.core.modalities import IMAGE, declared
from m2r2_ros.model.graph_names import array_names
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.graph.extractor import ExtractorGraph, encoder_layer
from m2r2_ros.network.tensors import InputTensors
from test.bimanual import BIMANUAL
from test.network.networks import MEL_FRAMES, SENSING, SMALL, WINDOWS, make_inputs_of

HEARING = {n: m for n, m in BIMANUAL.items() if m.kind != IMAGE}
CONFIGS = {
    'one': replace(SENSING, modalities=declared(('gripper',))),
    'sensors': SENSING,
    'sound': SMALL,
    'relative poses': replace(SENSING, relative_pose=True),
    'two of everything': replace(SMALL, modalities=HEARING, relative_pose=True),
}


def extractor_of(name: str) -> Extractor:
    torch.manual_seed(3)
    made = Extractor(CONFIGS[name], points=WINDOWS.points, mel_frames=MEL_FRAMES, new_columns=10)
    return made.eval()


def inputs_of(name: str, present: np.ndarray) -> Inputs:
    """Return inputs with a frame for each row of masks, whose masked rows hold numbers, too."""
    modalities = CONFIGS[name].modalities
    made = make_inputs_of(CONFIGS[name], len(present))
    data = {n: x.numpy() for n, x in made.data.items()}
    found = Inputs(data, present, modalities)
    return RelativePoses()(found) if CONFIGS[name].relative_pose else found


def masks(count: int) -> np.ndarray:
    """Return every mask of a few modalities, and some of many."""
    if count <= 6:
        return np.array(list(product((False, True), repeat=count)))
    random = np.random.default_rng(0).random((60, count)) < 0.5
    return np.vstack([np.zeros((1, count)), np.eye(count), ~np.eye(count, dtype=bool), random]) > 0


@torch.no_grad()
@pytest.mark.parametrize('name', CONFIGS)
def test_features_are_the_extractors_for_every_mask(name: str) -> None:
    extractor = extractor_of(name)
    graph = ExtractorGraph(extractor)
    inputs = inputs_of(name, masks(len(CONFIGS[name].modalities)))
    arrays = {n: torch.from_numpy(inputs.data[n]) for n in graph.inputs}
    found, images = graph(arrays, torch.from_numpy(inputs.present))
    expected = extractor(InputTensors.of(inputs))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert not images
    assert expected.std() > 1e-2


@torch.no_grad()
def test_what_is_masked_may_hold_any_number() -> None:
    extractor = extractor_of('sound')
    graph = ExtractorGraph(extractor)
    inputs = inputs_of('sound', masks(5))
    present = torch.from_numpy(inputs.present)
    arrays = {n: torch.from_numpy(inputs.data[n].copy()) for n in graph.inputs}
    expected, _ = graph(arrays, present)
    for name, rows in arrays.items():
        rows[~torch.from_numpy(inputs.has(name))] = 1e6
    assert torch.equal(graph(arrays, present)[0], expected)


def test_arrays_are_named_in_the_order_of_modalities() -> None:
    assert ExtractorGraph(extractor_of('relative poses')).inputs == array_names(
        CONFIGS['relative poses'].modalities, relative=True
    )
    assert 'pose.relative' not in ExtractorGraph(extractor_of('sensors')).inputs


@torch.no_grad()
def test_the_transformer_is_pytorchs() -> None:
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x, present = torch.randn(30, 4, 8), torch.rand(30, 4) < 0.6
    present[:, 0] |= ~present.any(dim=1)  # PyTorch's own gives NaN without any token
    expected = layer(x, src_key_padding_mask=~present)
    found = encoder_layer(layer, x, present)
    torch.testing.assert_close(found[present], expected[present], atol=1e-5, rtol=0)
