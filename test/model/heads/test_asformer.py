# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ASFormer: its size, a block and the loss by hand, what it sees, and that it learns."""

import math

import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.heads.asformer import ASFormer, Block
from m2r2_ros.model.heads.config import ASFormerConfig
from m2r2_ros.model.heads.local_attention import local_attention
from m2r2_ros.model.losses import classification_loss, smoothing_loss
from test.model.heads.toy import (
    CLASSES,
    WIDTH,
    accuracy,
    assert_any_length_works,
    assert_state_round_trip,
    fit,
    frames_seen,
    toy_recording,
    without_gradient,
)

SMALL = ASFormerConfig(decoders=1, layers=3, width=16)


def make_head(config: ASFormerConfig = SMALL) -> ASFormer:
    torch.manual_seed(0)
    return ASFormer(config, WIDTH, CLASSES)


def test_it_has_the_published_size() -> None:
    attention = 3 * (64 * 32 + 32) + 32 * 64 + 64
    blocks = 10 * (64 * 64 * 3 + 64 + attention + 64 * 64 + 64)
    encoder = 512 * 64 + 64 + blocks + 64 * 69 + 69
    decoder = 69 * 64 + 64 + blocks + 64 * 69 + 69
    assert encoder + 3 * decoder == 1_058_772
    assert sum(p.numel() for p in ASFormer(ASFormerConfig(), 512, 69).parameters()) == 1_058_772


def test_it_is_trained_as_published() -> None:
    recipe = ASFormer.recipe
    assert (recipe.epochs, recipe.learning_rate, recipe.weight_decay, recipe.batch) == (
        120, 5e-4, 1e-5, 1,
    )  # fmt: skip
    assert not ASFormer.online


def test_the_loss_reaches_every_parameter_that_matters() -> None:
    head = make_head(ASFormerConfig(decoders=3, layers=3, width=16)).double()
    head.loss(torch.randn(80, WIDTH).double(), torch.arange(80) // 9 % CLASSES).backward()
    untouched = [
        name for name, p in head.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-14
    ]
    # A frame that sees itself alone has nothing to weigh, and what all keys share weighs nothing.
    coders = ['encoder', 'decoders.0', 'decoders.1', 'decoders.2']
    alone = [
        f'{c}.blocks.0.attention.{x}.{y}'
        for c in coders
        for x in ('query', 'key')
        for y in ('weight', 'bias')
    ]
    shared = [f'{c}.blocks.{k}.attention.key.bias' for c in coders for k in (1, 2)]
    assert sorted(untouched) == sorted(alone + shared)


@pytest.mark.parametrize('decoding', [False, True])
@torch.no_grad()
def test_a_block_is_its_formula(decoding: bool) -> None:
    torch.manual_seed(0)
    block = Block(width=6, reduction=2, dilation=4, alpha=0.3).eval()
    x, other = torch.randn(6, 20), torch.randn(6, 20)
    y = block.taps(x).relu()
    even = (y - y.mean(1, keepdim=True)) / (y.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    a = block.attention
    query, key, value = a.query(even), a.key(even), a.value(other if decoding else even)
    assert query.shape == key.shape == value.shape == (3, 20)
    y = y + 0.3 * a.leave(local_attention(query, key, value, 4).relu())
    torch.testing.assert_close(block(x, other if decoding else None), x + block.mix(y))


@torch.no_grad()
def test_decoders_refine_with_less_and_less_attention() -> None:
    head = make_head(ASFormerConfig(decoders=2, layers=2, width=8)).eval()
    features = torch.randn(30, WIDTH)
    y, source = head.encoder(features.t())
    expected = [y]
    for decoder in head.decoders:
        y, source = decoder(y.softmax(0), source)
        expected.append(y)
    for a, b in zip(head(features), expected, strict=True):
        torch.testing.assert_close(a, b.t())
    alphas = [[m.alpha for m in head.modules() if isinstance(m, Block)][k] for k in (0, 2, 4)]
    assert alphas == pytest.approx([1, 1, math.exp(-3)])
    windows = [m.attention.window for m in head.modules() if isinstance(m, Block)]
    assert windows == [1, 2] * 3


@torch.no_grad()
def test_the_loss_is_the_sum_over_coders() -> None:
    head = make_head(ASFormerConfig(decoders=2, layers=2, width=8, smoothing=0.4)).eval()
    features, targets = torch.randn(6, WIDTH), torch.tensor([0, 1, UNKNOWN, 3, 3, 2])
    logits = head(features)
    assert len(logits) == 3
    expected = sum(
        float(classification_loss(x, targets)) + 0.4 * float(smoothing_loss(x)) for x in logits
    )
    assert float(head.loss(features, targets)) == pytest.approx(expected, rel=1e-5)


def test_convolutions_and_windows_double_their_reach() -> None:
    """Without the norm, which sees all: 1 ahead + 0, 2 + 0, 4 + 1; back 1 + 0, 2 + 1, 4 + 2."""
    torch.manual_seed(0)
    blocks = [Block(width=32, reduction=1, dilation=2**k, alpha=1.0).eval() for k in range(3)]
    features = torch.randn(60, 32, requires_grad=True)
    y = features.t()
    for block in blocks:
        taps = block.taps(y).relu()
        y = y + block.mix(taps + block.attention(taps, taps))
    assert frames_seen(y[:, 30].sum(), features) == list(range(30 - 10, 30 + 8 + 1))


@torch.no_grad()
def test_channels_are_masked_whole_and_in_training_alone() -> None:
    torch.manual_seed(0)
    head = ASFormer(ASFormerConfig(decoders=1, layers=1, width=8, channel_mask=0.5), 400, 2)
    given: list[torch.Tensor] = []
    head.encoder.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    features = torch.ones(50, 400)
    head(features)
    head.eval()(features)
    masked, whole = given
    assert torch.equal(masked, masked[:, :1].expand(400, 50))
    assert masked.unique().tolist() == [0, 2]
    assert float((masked == 0).float().mean()) == pytest.approx(0.5, abs=0.1)
    assert torch.equal(whole, features.t())


@torch.no_grad()
def test_it_says_the_last_decoder_and_where_it_changes() -> None:
    head = make_head().eval()
    features = torch.randn(8, WIDTH)
    found, p = head.predict(features), head(features)[-1].softmax(1)
    assert torch.equal(found.probabilities, p)
    expected = [0.0, *(1 - float(p[t] @ p[t - 1]) for t in range(1, 8))]
    assert found.boundaries.tolist() == pytest.approx(expected, abs=1e-6)


def test_it_learns_a_recording() -> None:
    features, targets = toy_recording()
    head = make_head()
    fit(head, features, targets, steps=60)
    assert accuracy(head, features, targets) > 0.95


def test_training_is_the_same_every_time() -> None:
    heads = [make_head() for _ in range(2)]
    for head in heads:
        torch.manual_seed(1)
        fit(head, *toy_recording(), steps=3)
    a, b = (head.state_dict() for head in heads)
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_any_length_works_with_and_without_labels() -> None:
    assert_any_length_works(make_head(), WIDTH, CLASSES)


def test_fewer_maps_than_the_reduction_leave_one() -> None:
    assert_any_length_works(
        make_head(ASFormerConfig(decoders=1, layers=2, width=4, reduction=8)), WIDTH, CLASSES
    )


def test_state_is_all_there_is() -> None:
    assert_state_round_trip(make_head(), ASFormer(SMALL, WIDTH, CLASSES))


def test_without_gradient_names_what_is_not_reached() -> None:
    """The helper of the other heads' tests does find the parameters above."""
    found = without_gradient(make_head(), WIDTH, CLASSES)
    assert 'encoder.blocks.0.attention.query.weight' in found
    assert 'encoder.blocks.0.attention.value.weight' not in found
