# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.training.pretraining.prompts import Prompts, Sentence
from m2r2_ros.training.pretraining.sentences import LabelOrderEmbedding, ScratchText, make_text

LABELS = LabelSet.of(('pick_usb', 'insert_bnc', 'no_action'))
PROMPTS = Prompts(LABELS.names)


def window(*labels: int, seed: int = 0) -> Sentence:
    return PROMPTS.window(labels, np.random.default_rng(seed))


@pytest.mark.parametrize('text', ['labels', 'scratch'])
def test_order_is_embedded_and_every_parameter_learns(text: str) -> None:
    torch.manual_seed(0)
    net = make_text(text, LABELS, 16)
    every = [window(a, b, c, seed=a) for a in range(3) for b in range(3) for c in range(3)]
    third = [PROMPTS.action(2, 1, np.random.default_rng(k)) for k in (0, 1)]
    rest = [window(0), window(1, 2), *third]
    many = [window(k % 3, k % 2, 0, seed=k) for k in range(200)]  # every word
    e = net([*every, *rest, *many])
    assert e.shape == (231, 16)
    forth, back = net([window(0, 1, 2), window(2, 1, 0)])
    assert not torch.allclose(forth, back, atol=1e-4)
    (e * torch.randn_like(e)).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.abs().sum() > 0), name


def test_label_order_ignores_the_wording() -> None:
    torch.manual_seed(0)
    net = LabelOrderEmbedding(3, 16)
    one, other, shorter = net([window(0, 1, seed=1), window(0, 1, seed=2), window(0)])
    assert torch.equal(one, other)
    assert not torch.allclose(one, shorter, atol=1e-4)


def test_label_order_has_a_vector_for_each_label_at_each_place() -> None:
    net = LabelOrderEmbedding(3, 16)
    net([Sentence('', (2, UNKNOWN, 0))]).sum().backward()
    assert net.vectors.weight.grad is not None
    used = torch.nonzero(net.vectors.weight.grad.abs().sum(dim=1)).flatten()
    assert used.tolist() == [3, 4, 9]


def test_scratch_text_does_not_see_what_fills_up() -> None:
    torch.manual_seed(0)
    net = ScratchText(PROMPTS, 16).eval()
    short, long = window(0), window(0, 1, 2)
    assert torch.allclose(net([short])[0], net([short, long])[0], atol=1e-5)
    assert not torch.allclose(net([window(0, seed=1)])[0], net([window(0, seed=2)])[0], atol=1e-5)


class Letters(nn.Module):
    """A text encoder of width 26."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(26))

    def forward(self, sentences: list[str]) -> Tensor:
        counts = [[float(s.lower().count(chr(97 + k))) for k in range(26)] for s in sentences]
        return torch.tensor(counts) * self.weight


@pytest.mark.parametrize('width', [26, 16])
def test_an_encoder_with_weights_is_given_the_text(width: int) -> None:
    net = make_text('clip', LABELS, width, Letters())
    sentence = window(0, 1, 2)
    e = net([sentence, sentence])
    assert e.shape == (2, width)
    if width == 26:
        assert e[0, 20] == sentence.text.lower().count('u')


def test_clip_without_weights_says_what_is_needed() -> None:
    with pytest.raises(ConfigError, match='--text-weights'):
        make_text('clip', LABELS, 16)
