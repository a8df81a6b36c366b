# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model of a robot with two of everything: inputs, encoders of its own or shared, bundle."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.modalities import BUILTIN, Modality, declared
from m2r2_ros.model.config import PRESETS, ModelConfig, restrict_modalities, with_modalities
from m2r2_ros.model.describe import describe, described_widths
from m2r2_ros.model.facts import FORMAT, YAML, read_facts
from m2r2_ros.model.inputs import Inputs, make_inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.bundle import Bundle, load_bundle, save_bundle
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.network.torch_backend import TorchBackend
from test.bimanual import ARMS, BIMANUAL
from test.network.networks import (
    MEL_FRAMES,
    SMALL,
    WINDOWS,
    make_bundle,
    make_inputs_of,
    make_scales,
    make_windows,
)

#: All but the cameras, whose encoders take longer to make than everything else.
HEARING = {n: m for n, m in BIMANUAL.items() if m.kind != 'image'}
MODEL = replace(SMALL, modalities=HEARING)
SEEING = replace(SMALL, modalities=BIMANUAL, image_encoder='efficientnet_lite0')


def make_extractor(config: ModelConfig = MODEL) -> Extractor:
    return Extractor(config, points=WINDOWS.points, mel_frames=MEL_FRAMES, new_columns=10).eval()


def test_inputs_have_a_column_for_each() -> None:
    windows = make_windows(12, images=True, modalities=BIMANUAL)
    windows.images['cam2'][3] = None
    inputs = make_inputs(windows, make_scales(BIMANUAL), BIMANUAL)
    assert inputs.present.shape == (12, 13)
    assert set(inputs.data) == set(BIMANUAL)
    assert inputs.data['cam2'].shape == (12, 224, 224, 3)
    assert not np.array_equal(inputs.data['image'][1], inputs.data['cam2'][1])
    assert not inputs.has('cam2')[3]
    np.testing.assert_array_equal(np.delete(inputs.present, 1, 1), np.delete(windows.present, 1, 1))
    for name in ('tactile', 'right_wrench', 'mic2'):
        assert not inputs.data[name][~inputs.has(name)].any()
    scales = make_scales(BIMANUAL)
    seen = windows.has('tactile')
    expected = (windows.sensors['tactile'] - scales.mean['tactile']) / scales.std['tactile']
    np.testing.assert_allclose(inputs.data['tactile'][seen], expected[seen], atol=1e-5)


def test_a_model_takes_its_columns_out_of_more_and_masks_those_that_are_not_there() -> None:
    windows = make_windows(8, modalities=BIMANUAL)
    some = {n: BIMANUAL[n] for n in ('tactile', 'left_gripper')}
    inputs = make_inputs(windows, make_scales(BIMANUAL), some)
    assert tuple(inputs.modalities) == ('tactile', 'left_gripper')
    np.testing.assert_array_equal(inputs.has('tactile'), windows.has('tactile'))
    other = make_inputs(windows, make_scales(BIMANUAL), declared(('wrench',)))
    assert not other.present.any()


@torch.no_grad()
def test_columns_are_found_by_name_whatever_their_order() -> None:
    extractor = make_extractor()
    inputs = make_inputs_of(MODEL, 20)
    names = list(HEARING)
    order = np.random.default_rng(1).permutation(len(names)).tolist()
    turned = InputTensors(
        {names[k]: inputs.data[names[k]] for k in order},
        inputs.present[:, order],
        {names[k]: HEARING[names[k]] for k in order},
    )
    torch.testing.assert_close(extractor(turned), extractor(inputs))
    fewer = [k for k, name in enumerate(names) if name != 'tactile']
    present = inputs.present.clone()
    present[:, names.index('tactile')] = False
    without = InputTensors(
        {n: x for n, x in inputs.data.items() if n != 'tactile'},
        inputs.present[:, fewer],
        {n: m for n, m in HEARING.items() if n != 'tactile'},
    )
    masked = InputTensors(inputs.data, present, HEARING)
    torch.testing.assert_close(extractor(without), extractor(masked), atol=1e-5, rtol=1e-5)


def test_each_has_an_encoder_of_its_own_unless_it_shares_one() -> None:
    extractor = make_extractor()
    assert set(extractor.encoders) == set(HEARING) - {'mic2', 'right_wrench'}
    assert extractor.encoder('mic2') is extractor.encoder('sound')
    assert extractor.encoder('right_wrench') is extractor.encoder('left_wrench')
    assert extractor.encoder('right_pose') is not extractor.encoder('left_pose')
    apart = {n: replace(m, encoder='') for n, m in HEARING.items()}
    more = make_extractor(replace(MODEL, modalities=apart))

    def count(found: Extractor) -> int:
        return sum(p.numel() for p in found.parameters())

    both = (extractor.encoder('sound'), extractor.encoder('left_wrench'))
    shared = sum(p.numel() for encoder in both for p in encoder.parameters())
    assert count(more) == count(extractor) + shared


@torch.no_grad()
def test_what_shares_an_encoder_keeps_a_place_of_its_own() -> None:
    extractor = make_extractor()
    inputs = make_inputs_of(MODEL, 4, whole=True)
    data = dict(inputs.data)
    a, b = data['left_wrench'], data['right_wrench']
    swapped = InputTensors(
        {**data, 'left_wrench': b, 'right_wrench': a}, inputs.present, inputs.modalities
    )
    assert not torch.allclose(extractor(swapped), extractor(inputs), atol=1e-3)


def test_the_gradient_of_both_reaches_a_shared_encoder() -> None:
    extractor = make_extractor(replace(MODEL, dropout=0.0)).train()
    inputs = make_inputs_of(MODEL, 4, whole=True)
    for only in ('left_wrench', 'right_wrench'):
        extractor.zero_grad()
        present = torch.zeros_like(inputs.present)
        present[:, list(HEARING).index(only)] = True
        extractor(InputTensors(inputs.data, present, HEARING)).square().sum().backward()
        for p in extractor.encoder('left_wrench').parameters():
            assert p.grad is not None
            assert p.grad.abs().max() > 0


@pytest.mark.parametrize('name', ['type', 'keys', 'items', 'forward', 'training', 'add_module'])
def test_names_that_torch_takes_are_refused(name: str) -> None:
    config = replace(SMALL, modalities={name: Modality(name, dims=3)})
    with pytest.raises(ConfigError, match=rf"'{name}': torch has another use for this name"):
        make_extractor(config)
    # What only shares an encoder has no part of the network called after it.
    pair = {'tactile': Modality('tactile', dims=3), name: Modality(name, dims=3, encoder='tactile')}
    with pytest.raises(ConfigError, match='torch has another use'):
        make_extractor(replace(SMALL, modalities=pair))


@torch.no_grad()
def test_every_pose_is_relative_to_its_own_first_one() -> None:
    config = replace(MODEL, relative_pose=True)
    windows = make_windows(10, modalities=HEARING)
    plain = make_inputs(windows, make_scales(HEARING), HEARING)
    found = RelativePoses()(plain)
    for name in ('left_pose', 'right_pose'):
        seen = np.flatnonzero(plain.has(name))
        expected = plain.data[name][seen] - plain.data[name][seen[0], 0]
        np.testing.assert_array_equal(found.data[f'{name}.relative'][seen], expected)
    extractor = make_extractor(config)
    before = extractor(InputTensors.of(found))[5]
    moved = dict(found.data)
    moved['right_pose.relative'] = moved['right_pose.relative'] + np.float32(1)
    present = np.ones_like(found.present)
    after = extractor(InputTensors.of(Inputs(moved, present, HEARING)))[5]
    whole = extractor(InputTensors.of(Inputs(found.data, present, HEARING)))[5]
    assert before.isfinite().all()
    assert not torch.allclose(after, whole, atol=1e-4)


@torch.no_grad()
def test_cameras_share_a_backbone_and_keep_their_pictures() -> None:
    pytest.importorskip('efficientnet_lite_pytorch')
    third = replace(BUILTIN['image'], name='cam3')
    cameras = {'image': BIMANUAL['image'], 'cam2': BIMANUAL['cam2'], 'cam3': third}
    config = replace(SEEING, modalities=cameras)
    torch.manual_seed(0)
    network = Network(config, WINDOWS, 3).eval()
    encoders = network.extractor.encoders
    assert set(encoders) == {'image', 'cam3'}
    windows = make_windows(3, images=True, modalities=cameras)
    windows.present[:] = True
    pictures = [i for i in make_windows(9, 4, images=True).images['image'] if i][:3]
    for frames in windows.images.values():
        frames[:] = pictures
    inputs = make_inputs(windows, make_scales(cameras), cameras)
    seen = TorchBackend(network).encode(inputs).images
    np.testing.assert_array_equal(seen['image'], seen['cam2'])
    # One that has a backbone of its own, of other random weights, sees something else.
    assert not np.array_equal(seen['image'], seen['cam3'])


def features_of(bundle: Bundle, modalities: Mapping[str, Modality]) -> torch.Tensor:
    windows = make_windows(20, 3, modalities=modalities)
    inputs = make_inputs(windows, bundle.normalisation, bundle.model.modalities)
    with torch.no_grad():
        features: torch.Tensor = bundle.network.features(InputTensors.of(RelativePoses()(inputs)))
    return features


def test_a_bundle_keeps_all_that_was_declared(tmp_path: Path) -> None:
    made = make_bundle(replace(MODEL, relative_pose=True))
    saved = save_bundle(made, tmp_path / 'model')
    loaded = load_bundle(tmp_path / 'model')
    assert loaded.model == made.model
    assert loaded.model.modalities == HEARING
    assert list(loaded.model.modalities) == list(HEARING)
    assert loaded.normalisation.to_dict() == made.normalisation.to_dict()
    torch.testing.assert_close(
        features_of(saved, HEARING), features_of(made, HEARING), atol=5e-3, rtol=0
    )
    assert torch.equal(features_of(loaded, HEARING), features_of(saved, HEARING))
    facts = read_facts(tmp_path / 'model')
    assert facts.modalities == HEARING
    assert facts.parameters == sum(p.numel() for p in made.network.parameters())
    entries = yaml.safe_load((tmp_path / 'model' / YAML).read_text())
    assert entries['format'] == FORMAT
    assert entries['model']['modalities']['tactile'] == {
        'kind': 'vector', 'like': '', 'dims': 16, 'unit': 'N', 'max_age': 0.3, 'min_rate': 20,
        'max_rate': 50, 'derived_from': '', 'encoder': '',
    }  # fmt: skip


def test_what_training_never_saw_is_not_looked_at(tmp_path: Path) -> None:
    made = make_bundle(MODEL)
    unseen = ('tactile', 'left_pose', 'right_twist')
    topics = {n: t for n, t in made.topics.items() if n not in unseen}
    save_bundle(replace(made, topics=topics), tmp_path / 'model')
    # A twist without a topic was made from its pose, where that has one.
    assert set(HEARING) - set(read_facts(tmp_path / 'model').modalities) == {'tactile', 'left_pose'}


def test_descriptions_have_the_widths_that_bundles_promise() -> None:
    windows = make_windows(5, modalities=HEARING)
    found = describe(make_inputs(windows, make_scales(HEARING), HEARING))
    assert {n: x.shape[1] for n, x in found.items()} == described_widths(HEARING, {})
    assert described_widths(BIMANUAL, {'image': 1280, 'cam2': 1280})['cam2'] == 1280
    assert described_widths(ARMS, {})['tactile'] == 48


def test_some_of_many_are_a_model_of_their_own() -> None:
    some = restrict_modalities(MODEL, ('left_wrench', 'right_wrench', 'tactile'))
    assert list(some.modalities) == ['left_wrench', 'right_wrench', 'tactile']
    # Without the one that it shares with, an encoder is its own.
    alone = restrict_modalities(MODEL, ('right_wrench', 'mic2'))
    assert {m.encoder for m in alone.modalities.values()} == {''}
    make_extractor(alone)
    with pytest.raises(ConfigError, match='image not among those of the preset: sound, mic2'):
        restrict_modalities(MODEL, ('image', 'tactile'))
    # A twist that can no longer be made has a topic of its own, or none.
    turning = restrict_modalities(MODEL, ('left_twist', 'right_twist', 'right_pose'))
    derived = {n: m.derived_from for n, m in turning.modalities.items() if m.like == 'twist'}
    assert derived == {'left_twist': '', 'right_twist': 'right_pose'}
    # Cameras need an encoder, which a preset without images lacks.
    proprio = with_modalities(PRESETS['proprio'], BIMANUAL)
    assert set(proprio.modalities) == set(HEARING)
    lite = with_modalities(PRESETS['lite'], BIMANUAL)
    assert (set(lite.modalities), lite.image_encoder) == (set(BIMANUAL), 'efficientnet_lite0')
    assert with_modalities(PRESETS['lite'], HEARING).image_encoder == ''


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        ({'dims': 0}, r'model\.modalities\.tactile\.dims: expected a whole number above 0'),
        ({'encoder': 'left_wrench'}, r'model\.modalities\.tactile\.encoder: expected a modality'),
        ({'derived_from': 'left_pose'}, r'model\.modalities\.tactile\.derived_from'),
    ],
)
def test_a_model_refuses_what_does_not_fit(change: dict[str, object], expected: str) -> None:
    tactile = replace(BIMANUAL['tactile'], **change)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=expected):
        replace(MODEL, modalities={**HEARING, 'tactile': tactile})


def test_a_vector_of_more_readings_than_any_robot_has_is_refused() -> None:
    large = replace(MODEL, modalities={'tactile': Modality('tactile', dims=4096)})
    slow = replace(WINDOWS, frame_rate=4.0)
    expected = r'model\.modalities\.tactile: 307200 numbers in a window, expected at most 262144'
    with pytest.raises(ConfigError, match=expected):
        Network(large, slow, 3)


def test_weights_of_other_declarations_do_not_fit(tmp_path: Path) -> None:
    save_bundle(make_bundle(MODEL), tmp_path / 'model')
    path = tmp_path / 'model' / YAML
    path.write_text(path.read_text().replace('dims: 16', 'dims: 17'))
    with pytest.raises(BundleError, match=r'normalisation\.sensors\.tactile\.mean: expected 17'):
        load_bundle(tmp_path / 'model')
