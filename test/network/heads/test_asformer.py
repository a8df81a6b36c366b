# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ASFormer: its size, a block and the loss by hand, and what it sees."""

import math

import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import ASFormerConfig
from m2r2_ros.network.heads.asformer import ASFormer, Block
from m2r2_ros.network.heads.local_attention import local_attention, windows
from m2r2_ros.network.losses import classification_loss, smoothing_loss
from test.network.heads.toy import (
    CLASSES,
    WIDTH,
    frames_seen,
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


@pytest.mark.parametrize('decoding', [False, True])
@torch.no_grad()
def test_a_block_is_its_formula(decoding: bool) -> None:
    torch.manual_seed(0)
    block = Block(width=6, reduction=2, dilation=4, alpha=0.3).eval()
    x, other = torch.randn(6, 20), torch.randn(6, 20)
    around = windows(x.t(), 4)
    y = block.taps(x).relu()
    even = (y - y.mean(1, keepdim=True)) / (y.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    a = block.attention
    query, key, value = a.query(even), a.key(even), a.value(other if decoding else even)
    assert query.shape == key.shape == value.shape == (3, 20)
    y = y + 0.3 * a.leave(local_attention(query, key, value, around).relu())
    torch.testing.assert_close(block(x, other if decoding else None, around), x + block.mix(y))


@torch.no_grad()
def test_decoders_refine_with_less_and_less_attention() -> None:
    head = make_head(ASFormerConfig(decoders=2, layers=2, width=8)).eval()
    features = torch.randn(30, WIDTH)
    around = head.windows(features)
    assert [view.own.shape[1] for view in around] == [1, 2]
    y, source = head.encoder(features.t(), None, around)
    expected = [y]
    for decoder in head.decoders:
        y, source = decoder(y.softmax(0), source, around)
        expected.append(y)
    for a, b in zip(head(features), expected, strict=True):
        torch.testing.assert_close(a, b.t())
    alphas = [[m.alpha for m in head.modules() if isinstance(m, Block)][k] for k in (0, 2, 4)]
    assert alphas == pytest.approx([1, 1, math.exp(-3)])


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


def test_convolutions_and_blocks_double_their_reach() -> None:
    """Without the norm, which sees all.

    Frame 30 sees what 28 to 31 see, 26 to 32, which convolution widens to 22 to 36; blocks of two
    widen that to 21 to 37, and the convolutions before, of reach 2 and 1, to 18 to 40.
    """
    torch.manual_seed(0)
    blocks = [Block(width=32, reduction=1, dilation=2**k, alpha=1.0).eval() for k in range(3)]
    features = torch.randn(60, 32, requires_grad=True)
    y = features.t()
    for k, block in enumerate(blocks):
        taps = block.taps(y).relu()
        y = y + block.mix(taps + block.attention(taps, taps, windows(features, 2**k)))
    assert frames_seen(y[:, 30].sum(), features) == list(range(18, 41))


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
