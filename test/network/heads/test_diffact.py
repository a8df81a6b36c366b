# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DiffAct: its layers by plain loops, what they look at, and what is filtered."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from m2r2_ros.model.head_config import DiffActConfig
from m2r2_ros.model.median import median_filtered
from m2r2_ros.network.heads.diffact import DiffAct
from m2r2_ros.network.heads.diffact_parts import Encoder, LocalAttention, MixedLayer, waves

INPUTS, CLASSES = 6, 4
SMALL = DiffActConfig(
    encoder_layers=3, encoder_width=16, decoder_layers=3, decoder_width=16, decoder_kernel=5,
    time_width=16, steps=50, sampling_steps=5, dropout=0.0,
)  # fmt: skip


def make(config: DiffActConfig = SMALL) -> DiffAct:
    torch.manual_seed(0)
    return DiffAct(config, INPUTS, CLASSES).eval()


HEAD = make()


def test_published_size() -> None:
    """1.12 million."""
    head = DiffAct(DiffActConfig(), 512, 69)
    assert sum(p.numel() for p in head.parameters()) == 1_121_130
    assert head.encoder.levels == [5, 7, 9]


@pytest.mark.parametrize(('kernel', 'dilation'), [(3, 1), (4, 2), (5, 3), (1, 4)])
@torch.no_grad()
def test_local_attention_by_a_plain_loop(kernel: int, dilation: int) -> None:
    torch.manual_seed(0)
    attention = LocalAttention(4, 2, kernel, dilation)
    x, condition = torch.randn(1, 4, 11), torch.randn(1, 2, 11)
    seen = torch.cat([x, condition], dim=1)
    query, key = attention.query(seen)[0].T, attention.key(seen)[0].T
    value = attention.value(x)[0].T
    rows = []
    for i in range(11):
        taps = [i + (j - kernel // 2) * dilation for j in range(kernel)]
        taps = [t for t in taps if 0 <= t < 11]
        weights = torch.stack([query[i] @ key[t] / 2 for t in taps]).softmax(dim=0)
        rows.append(sum((w * value[t] for w, t in zip(weights, taps, strict=True)), torch.zeros(4)))
    torch.testing.assert_close(attention(x, condition), torch.stack(rows).T[None])


@pytest.mark.parametrize(('kernel', 'dilation'), [(3, 1), (5, 2), (4, 1)])
def test_a_layer_convolves_the_frames_under_its_kernel(kernel: int, dilation: int) -> None:
    """Without attention, and with the same mean and scale wherever the change is."""
    layer = MixedLayer(3, 0, kernel, dilation, 0.0)
    with torch.no_grad():
        layer.attend.value.weight.zero_()
        layer.attend.value.bias.zero_()  # type: ignore[union-attr]
    x = torch.randn(1, 3, 25, requires_grad=True)
    found: list[Tensor] = []
    layer.taps.register_forward_hook(lambda _m, _i, out: found.append(out))
    layer(x, x[:, :0])
    found[0][0, :, 12].sum().backward()
    assert x.grad is not None
    reached = (x.grad[0].abs().sum(dim=0) > 0).nonzero().flatten().tolist()
    assert set(reached) == {12 + (j - kernel // 2) * dilation for j in range(kernel)}


@torch.no_grad()
def test_what_a_layer_adds_by_hand() -> None:
    """Convolution and attention together, normalised, then two 1x1 convolutions."""
    torch.manual_seed(0)
    layer = MixedLayer(3, 2, 3, 2, 0.0)
    x, condition = torch.randn(1, 3, 30), torch.randn(1, 2, 30)
    found = layer.taps(torch.nn.functional.pad(x, (2, 2))) + layer.attend(x, condition)
    even = (found - found.mean(2, keepdim=True)) / found.std(2, correction=0, keepdim=True)
    expected = x + layer.mix(layer.spread(even).relu())
    torch.testing.assert_close(layer(x, condition), expected, atol=1e-4, rtol=1e-4)


def test_dropout_hides_what_goes_into_a_layer() -> None:
    layer = MixedLayer(3, 2, 3, 1, 1.0)
    x, condition = torch.randn(1, 3, 9), torch.randn(1, 2, 9)
    other = torch.randn(1, 3, 9)
    added = layer(x, condition) - x
    torch.testing.assert_close(layer(other, 2 * condition) - other, added)


def test_the_condition_holds_the_maps_of_three_layers() -> None:
    encoder = Encoder(INPUTS, 8, 7, 3, CLASSES, 0.0)
    assert encoder.levels == [2, 4, 6]
    kept: list[Tensor] = []
    for layer in encoder.layers:
        layer.register_forward_hook(lambda _m, _i, out: kept.append(out))
    logits, condition = encoder(torch.randn(1, INPUTS, 9))
    assert torch.equal(condition, torch.cat([kept[k] for k in (2, 4, 6)], dim=1))
    assert torch.equal(logits, encoder.leave(kept[6]))


def test_waves_tell_steps_apart() -> None:
    assert waves(0, 6).tolist() == [0, 0, 0, 1, 1, 1]
    expected = torch.tensor([7.0, 0.07, 0.0007])
    torch.testing.assert_close(waves(7, 6), torch.cat([expected.sin(), expected.cos()]))
    assert waves(7, 5).shape == (5,)


@torch.no_grad()
def test_the_median_filter_is_the_last_thing() -> None:
    x = torch.randn(30, INPUTS)
    rough = HEAD.predict(x).probabilities
    smooth = make(replace(SMALL, median=5)).predict(x)
    expected = torch.from_numpy(median_filtered(rough.numpy(), 5))
    assert torch.equal(smooth.probabilities, expected)
    assert not torch.equal(rough, expected)
    torch.testing.assert_close(smooth.boundaries[7], 1 - expected[7] @ expected[6])
