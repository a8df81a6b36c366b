# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs say what the network says: whatever is masked, in whatever pieces, on any threads."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import BUILTIN, IMAGE, Modalities, declared, of_kind
from m2r2_ros.model.backend import Backend, Prediction
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import read_facts
from m2r2_ros.model.graph_backend import CALL, GraphBackend
from m2r2_ros.model.head_config import (
    ASRFConfig,
    CausalTCNConfig,
    DiffActConfig,
    MSTCNConfig,
    NoHeadConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.model.inputs import Inputs, make_inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.torch_backend import TorchBackend
from test.bimanual import BIMANUAL
from test.network.networks import SENSING, SMALL, make_bundle, make_scales, make_windows

HEARING = {n: m for n, m in BIMANUAL.items() if m.kind != IMAGE}
CAMERAS: Modalities = {
    'image': BUILTIN['image'],
    'cam2': replace(BIMANUAL['cam2'], name='cam2'),
    'cam3': replace(BIMANUAL['cam2'], name='cam3', encoder=''),
    'pose': BUILTIN['pose'],
}
ONE = declared(('wrench',))
CONFIGS: dict[str, ModelConfig] = {
    'sound and sensors': replace(SMALL, head=CausalTCNConfig(width=8, layers=3, lags=(0, 2))),
    'two arms': replace(
        SMALL, modalities=HEARING, relative_pose=True, head=ProTASConfig(1, 3, 8), sound_width=32
    ),
    'one sensor': replace(SENSING, modalities=ONE),
    'clips': replace(SENSING, head=OnlineTASConfig(window=6, iterations=2, width=8, layers=2)),
    'offline': replace(SENSING, head=ASRFConfig(stages=1, layers=2, width=8)),
    'both': replace(SENSING, offline_head=DiffActConfig(2, 8, 3, 2, 8, 3, 16, sampling_steps=3)),
    'three cameras': replace(
        SENSING, modalities=CAMERAS, image_encoder='efficientnet_lite0', relative_pose=True,
        offline_head=MSTCNConfig(stages=1, layers=2, width=8),
    ),
}  # fmt: skip
ONLINE = [name for name, config in CONFIGS.items() if config.head.online]
WHOLE = ['offline', 'both', 'three cameras']
CLOSE = 2e-5

Made = Callable[[str], Path]


@pytest.fixture(scope='module')
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return the folder of a bundle by its name above."""
    place = tmp_path_factory.mktemp('bundles')

    @cache
    def make(name: str) -> Path:
        save_bundle(make_bundle(CONFIGS[name]), place / name)
        return place / name

    return make


@cache
def backends(folder: Path, *, live: bool, threads: int = 1) -> tuple[Backend, GraphBackend]:
    torch = TorchBackend(load_bundle(folder).network)
    placement = Placement(threads=threads, one_frame=live)
    return torch, GraphBackend(read_facts(folder), placement, live=live)


def inputs_of(modalities: Modalities, n: int = 20, seed: int = 0) -> Inputs:
    """Return inputs with every modality alone, all together, none at all, and random masks."""
    windows = make_windows(n, seed, images=True, modalities=modalities)
    found = make_inputs(windows, make_scales(modalities), modalities)
    for k in range(min(n - 2, len(modalities))):  # behind the frames with nothing and everything
        found.present[k + 2] &= np.arange(len(modalities)) == k
    return RelativePoses()(found)


def part(inputs: Inputs, lo: int, hi: int) -> Inputs:
    data = {name: rows[lo:hi] for name, rows in inputs.data.items()}
    return Inputs(data, inputs.present[lo:hi], inputs.modalities)


def streamed(backend: Backend, inputs: Inputs, cuts: Sequence[int] = ()) -> list[Prediction]:
    """Label calls between cuts, which follow on each other."""
    state, found = backend.initial_state(), []
    for lo, hi in pairwise(sorted({0, *cuts, len(inputs)})):
        _, said, state = backend.advance(part(inputs, lo, hi), state)
        found.append(said)
    return found


def rows_of(found: Sequence[Prediction]) -> np.ndarray:
    """Return all that is said of each frame, side by side."""
    return np.concatenate(
        [np.hstack([p.probabilities, p.boundaries[:, None], *p.revised.values()]) for p in found]
    )


@pytest.mark.parametrize('name', CONFIGS)
def test_features_are_those_of_the_network_whatever_is_masked(made: Made, name: str) -> None:
    torch, graph = backends(made(name), live=False)
    inputs = inputs_of(CONFIGS[name].modalities)
    expected, found = torch.encode(inputs), graph.encode(inputs)
    np.testing.assert_allclose(found.features, expected.features, atol=CLOSE)
    assert found.features.dtype == np.float32
    assert found.images.keys() == expected.images.keys()
    for camera, rows in found.images.items():
        seen = inputs.has(camera)
        np.testing.assert_allclose(rows[seen], expected.images[camera][seen], atol=1e-3, rtol=1e-4)
    assert found.features.std() > 1e-2


@pytest.mark.parametrize('name', ONLINE)
def test_live_labels_are_those_of_the_network(made: Made, name: str) -> None:
    torch, graph = backends(made(name), live=True)
    inputs = inputs_of(CONFIGS[name].modalities, 13)
    expected = rows_of(streamed(torch, inputs))
    np.testing.assert_allclose(rows_of(streamed(graph, inputs, range(13))), expected, atol=CLOSE)
    # Calls of several frames are split into calls of one.
    np.testing.assert_allclose(rows_of(streamed(graph, inputs, [5])), expected, atol=CLOSE)


@pytest.mark.parametrize('name', ONLINE)
def test_many_frames_at_once_are_split_as_the_head_needs_it(made: Made, name: str) -> None:
    folder, n = made(name), 10 if name == 'three cameras' else CALL + 20
    torch, graph = backends(folder, live=False)
    online = read_facts(folder).network
    assert online is not None
    inputs = inputs_of(CONFIGS[name].modalities, n)
    expected = rows_of(streamed(torch, inputs))
    for cuts in ((), (1, 4, 6, 7), (n - 1,)):
        found = rows_of(streamed(graph, inputs, cuts))
        np.testing.assert_allclose(found, expected, atol=CLOSE)


@pytest.mark.parametrize('name', WHOLE)
def test_recordings_are_labelled_as_the_network_does(made: Made, name: str) -> None:
    torch, graph = backends(made(name), live=False)
    assert not graph.online
    for n in (1, 2, 50):
        features = np.random.default_rng(n).normal(size=(n, 32)).astype(np.float32)
        found, expected = rows_of([graph.predict(features)]), rows_of([torch.predict(features)])
        np.testing.assert_allclose(found, expected, atol=CLOSE)


@pytest.mark.parametrize('name', ['sound and sensors', 'both', 'clips'])
def test_threads_make_no_difference(made: Made, name: str) -> None:
    inputs = inputs_of(CONFIGS[name].modalities, 30)
    one, two = (backends(made(name), live=False, threads=k)[1] for k in (1, 2))
    np.testing.assert_allclose(two.encode(inputs).features, one.encode(inputs).features, atol=1e-6)
    found, expected = (rows_of(streamed(graph, inputs)) for graph in (two, one))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_modalities_that_inputs_do_not_have_are_masked(made: Made) -> None:
    torch, graph = backends(made('two arms'), live=False)
    some = {n: m for n, m in HEARING.items() if n not in ('sound', 'left_pose', 'tactile')}
    inputs = inputs_of(some)
    for backend in (torch, graph):
        assert 'left_pose' not in inputs.data
        assert np.isfinite(backend.encode(inputs).features).all()
    np.testing.assert_allclose(
        graph.encode(inputs).features, torch.encode(inputs).features, atol=CLOSE
    )


def test_images_may_be_absent_from_a_whole_call(made: Made) -> None:
    torch, graph = backends(made('three cameras'), live=False)
    inputs = inputs_of(CAMERAS, 4)
    inputs.present[:, :3] = False
    blind = Inputs({n: inputs.data[n] for n in ('pose', 'pose.relative')}, inputs.present, CAMERAS)
    expected = torch.encode(inputs).features
    for given in (inputs, blind):
        np.testing.assert_allclose(graph.encode(given).features, expected, atol=CLOSE)
    assert of_kind(CAMERAS, IMAGE) == tuple(graph.encode(blind).images)


def test_a_state_may_be_kept_and_gone_on_from_twice(made: Made) -> None:
    _, graph = backends(made('clips'), live=True)
    inputs = inputs_of(CONFIGS['clips'].modalities, 9)
    _, _, state = graph.advance(part(inputs, 0, 5), graph.initial_state())
    one, two = (graph.advance(part(inputs, 5, 9), state)[1] for _ in range(2))
    assert np.array_equal(rows_of([one]), rows_of([two]))


def test_what_a_head_cannot_do_is_said(made: Made, tmp_path: Path) -> None:
    _, graph = backends(made('offline'), live=False)
    with pytest.raises(BundleError, match='the head asrf is offline'):
        graph.initial_state()
    _, graph = backends(made('one sensor'), live=False)
    with pytest.raises(BundleError, match='has no offline head'):
        graph.predict(np.zeros((3, 32), np.float32))
    save_bundle(make_bundle(replace(SENSING, head=NoHeadConfig())), tmp_path / 'extractor')
    graph = GraphBackend(read_facts(tmp_path / 'extractor'), live=False)
    assert graph.encode(inputs_of(SENSING.modalities)).features.shape == (20, 32)
