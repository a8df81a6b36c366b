# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fusion: token order, masks, gradients."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from m2r2_ros.core.modalities import MODALITIES, SENSORS
from m2r2_ros.model.config import PRESETS, ModelConfig
from m2r2_ros.network.extractor import Extractor, drop_modalities
from m2r2_ros.network.tensors import InputTensors
from test.network.networks import MEL_FRAMES, SENSING, SMALL, WINDOWS, make_inputs_of


def make_extractor(config: ModelConfig = SMALL) -> Extractor:
    return Extractor(config, points=WINDOWS.points, mel_frames=MEL_FRAMES, new_columns=10).eval()


def masked(inputs: InputTensors, *modalities: str) -> InputTensors:
    present = inputs.present.clone()
    for name in modalities:
        present[:, MODALITIES.index(name)] = False
    return InputTensors(inputs.data, present)


@pytest.mark.parametrize('n', [1, 2, 17])
def test_each_frame_becomes_a_feature_of_the_width(n: int) -> None:
    assert make_extractor()(make_inputs_of(SMALL, n)).shape == (n, 32)


def test_the_preset_has_the_papers_width() -> None:
    config = PRESETS['proprio']
    assert make_extractor(config)(make_inputs_of(config, 2)).shape == (2, 512)


def test_it_is_the_papers_fusion_step_by_step() -> None:
    """Fuse tok = [A, S^1 ..], one self-attention layer, concatenation, MLP (equations 2 and 3)."""
    extractor = make_extractor()
    inputs = make_inputs_of(SMALL, 4, whole=True)
    assert tuple(extractor.modalities) == ('sound', *SENSORS)
    tokens = [extractor.encoders[m](inputs.data[m]) for m in ('sound', *SENSORS)]
    tok = extractor.token_norm(torch.stack(tokens, dim=1))
    mixed = extractor.modality_transformer(tok)
    expected = extractor.mlp(mixed.reshape(4, -1))
    torch.testing.assert_close(extractor(inputs), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('name', SMALL.modalities)
@pytest.mark.parametrize('rubbish', [0.0, 1e4, float('nan')])
def test_what_is_masked_has_no_influence(name: str, rubbish: float) -> None:
    extractor = make_extractor()
    inputs = make_inputs_of(SMALL, 12)
    absent = ~inputs.present[:, MODALITIES.index(name)]
    assert absent.any()
    other = {m: x.clone() for m, x in inputs.data.items()}
    other[name][absent] = rubbish
    torch.testing.assert_close(
        extractor(InputTensors(other, inputs.present)), extractor(inputs), atol=1e-5, rtol=1e-5
    )


@torch.no_grad()
@pytest.mark.parametrize('name', SMALL.modalities)
def test_what_is_there_has_influence(name: str) -> None:
    extractor = make_extractor()
    inputs = make_inputs_of(SMALL, 6, whole=True)
    other = {m: x + (m == name) * torch.randn_like(x) for m, x in inputs.data.items()}
    change = extractor(InputTensors(other, inputs.present)) - extractor(inputs)
    assert (change.abs().amax(dim=1) > 1e-3).all()


@torch.no_grad()
@pytest.mark.parametrize('names', [('sound',), ('wrench', 'pose'), SENSORS])
def test_absence_from_the_whole_batch_is_absence_row_by_row(names: tuple[str, ...]) -> None:
    extractor = make_extractor()
    inputs = masked(make_inputs_of(SMALL, 6, whole=True), *names)
    # A row beside them that has everything keeps every encoder in use.
    mixed = InputTensors.join([inputs, make_inputs_of(SMALL, 1, 5, whole=True)])
    torch.testing.assert_close(extractor(mixed)[:6], extractor(inputs), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_modality_that_is_absent_from_the_batch_needs_no_data() -> None:
    extractor = make_extractor()
    inputs = masked(make_inputs_of(SMALL, 6), 'sound')
    without = InputTensors({m: x for m, x in inputs.data.items() if m != 'sound'}, inputs.present)
    torch.testing.assert_close(extractor(without), extractor(inputs))


@torch.no_grad()
def test_a_frame_without_any_modality_is_finite_and_always_the_same() -> None:
    extractor = make_extractor()
    inputs = make_inputs_of(SMALL, 5)
    nothing = masked(inputs, *MODALITIES)
    features = extractor(nothing)
    assert torch.isfinite(features).all()
    torch.testing.assert_close(features, features[:1].expand(5, -1))
    # The first row of the inputs has nothing either, among rows that do.
    torch.testing.assert_close(extractor(inputs)[0], features[0], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_rest_of_the_batch_does_not_change_a_row() -> None:
    extractor = make_extractor()
    inputs = make_inputs_of(SMALL, 40)
    whole = extractor(inputs)
    for size in (1, 7, 39):
        parts = [extractor(inputs[k : k + size]) for k in range(0, 40, size)]
        torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-5)


def test_the_gradient_reaches_every_parameter() -> None:
    config = replace(SMALL, dropout=0.0)
    extractor = make_extractor(config).train()
    features: Tensor = extractor(make_inputs_of(config, 12))
    (features * torch.randn_like(features)).sum().backward()
    for name, p in extractor.named_parameters():
        assert p.grad is not None, name
        assert torch.isfinite(p.grad).all(), name
        # What is added to all keys alike cancels in the softmax.
        if not name.endswith('k_proj.bias'):
            assert p.grad.abs().max() > 0, name


def test_the_order_of_tokens_is_that_of_the_modalities_not_of_the_inputs() -> None:
    extractor = make_extractor(SENSING)
    inputs = make_inputs_of(SENSING, 3)
    turned = InputTensors(dict(reversed(list(inputs.data.items()))), inputs.present)
    torch.testing.assert_close(extractor(turned), extractor(inputs))


@pytest.mark.parametrize('share', [0.0, 0.5, 1.0])
def test_dropping_modalities_masks_whole_runs_but_never_the_last_one(share: float) -> None:
    inputs = make_inputs_of(SMALL, 8, whole=True)
    left = []
    for _ in range(50):
        present = drop_modalities(inputs, share).present
        assert (present == present[:1]).all()
        left.append(int(present[0].sum()))
    assert min(left) >= 1
    assert inputs.present.all()
    expected = {0.0: 6, 0.5: 3, 1.0: 1}[share]
    assert sum(left) / 50 == pytest.approx(expected, abs=0.7)
