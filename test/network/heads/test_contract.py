# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every head in the registry is held to; what is special to one has a file of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import (
    CONFIGS,
    ASFormerConfig,
    ASRFConfig,
    CausalTCNConfig,
    DiffActConfig,
    HeadConfig,
    MSTCNConfig,
    NoHeadConfig,
    OnlineTASConfig,
    ProTASConfig,
    head_from_dict,
)
from m2r2_ros.network.heads.base import Head, HeadOutput, OnlineHead, Recipe
from m2r2_ros.network.heads.registry import HEADS, make_head, recipe_of
from test.network.heads.toy import CLASSES, WIDTH, accuracy, fit, toy_recording

#: A small one of each kind of head.
SMALL: dict[str, HeadConfig] = {
    config.name: config
    for config in (
        CausalTCNConfig(width=16, layers=3),
        ProTASConfig(stages=2, layers=2, width=16, dropout=0.2, task_graph=True),
        OnlineTASConfig(window=12, iterations=2, width=16, layers=2, dropout=0.1),
        MSTCNConfig(stages=2, layers=3, width=16, dropout=0.2),
        ASRFConfig(stages=2, layers=3, width=16, dropout=0.2),
        ASFormerConfig(decoders=1, layers=2, width=16),
        DiffActConfig(
            encoder_layers=3, encoder_width=16, decoder_layers=3, decoder_width=16,
            decoder_kernel=5, time_width=16, steps=50, sampling_steps=5, dropout=0.0,
        ),
    )
}  # fmt: skip

#: Small ones at the edge of their options.
EDGES: dict[str, HeadConfig] = {
    'asrf without refinement': ASRFConfig(stages=1, layers=3, width=16),
    'asformer with fewer maps than its reduction': ASFormerConfig(
        decoders=1, layers=2, width=4, reduction=8
    ),
    'diffact with dropout and few layers': DiffActConfig(
        encoder_layers=2, decoder_layers=1, time_width=4, steps=3
    ),
}

#: As published, and our own for the causal head: epochs, learning rate, weight decay, batch.
RECIPES = {
    'causal_tcn': Recipe(50, 5e-4, 1e-4, 1),
    'protas': Recipe(50, 5e-4, 0.0, 1),
    'online_tas': Recipe(50, 5e-4, 0.0, 1),
    'ms_tcn': Recipe(50, 5e-4, 0.0, 1),
    'asrf': Recipe(50, 5e-4, 0.0, 1),
    'asformer': Recipe(120, 5e-4, 1e-5, 1, patience=3),
    'diffact': Recipe(1001, 5e-4, 1e-6, 4),
}

ONLINE = ('causal_tcn', 'protas', 'online_tas')

#: Parameters without gradient: in ASFormer, a frame that sees itself alone has nothing to weigh,
#: and what all keys share weighs nothing; in DiffAct, a norm takes away what all frames share.
UNREACHED = {
    'asformer': {
        f'{coder}.blocks.{block}.attention.{layer}.{part}'
        for coder in ('encoder', 'decoders.0')
        for block, layer, part in (
            *((0, layer, part) for layer in ('query', 'key') for part in ('weight', 'bias')),
            (1, 'key', 'bias'),
        )
    },
    'diffact': {
        f'{coder}.layers.{layer}.{part}.bias'
        for coder in ('encoder', 'decoder')
        for layer in range(3)
        for part in ('taps', 'attend.value')
    },
}

#: Gradients below this are zero but for rounding.
ROUNDING = 1e-7

each_head = pytest.mark.parametrize('name', SMALL)
each_head_and_edge = pytest.mark.parametrize(
    'config', [*SMALL.values(), *EDGES.values()], ids=[*SMALL, *EDGES]
)
each_online_head = pytest.mark.parametrize('name', ONLINE)


def make(name: str, seed: int = 0) -> Head:
    torch.manual_seed(seed)
    return make_head(SMALL[name], WIDTH, CLASSES).eval()


def trained(name: str) -> Head:
    """Return a head that has seen labels, so that its buffers hold something too."""
    head = make(name)
    torch.manual_seed(1)
    with torch.enable_grad():
        fit(head, *toy_recording(length=5), steps=2)
    return head


def online(name: str) -> OnlineHead:
    head = make(name)
    assert isinstance(head, OnlineHead)
    head.fit_label_statistics([torch.arange(CLASSES)])
    return head


def assert_close(found: HeadOutput, expected: HeadOutput) -> None:
    for a, b in (
        (found.probabilities, expected.probabilities),
        (found.boundaries, expected.boundaries),
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


@torch.no_grad()
def in_pieces(head: OnlineHead, x: Tensor, cuts: Iterable[int]) -> tuple[HeadOutput, Any]:
    """Return what a head says in pieces between `cuts`, and its last state."""
    state = head.initial_state()
    pieces = []
    for lo, hi in pairwise(sorted({0, *cuts, len(x)})):
        piece, state = head.advance(x[lo:hi], state)
        pieces.append(piece)
    probabilities = torch.cat([p.probabilities for p in pieces])
    return HeadOutput(probabilities, torch.cat([p.boundaries for p in pieces])), state


def tensors(state: Any) -> list[Tensor]:
    """Return the tensors of a state."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, int):
        return []
    parts = (
        state if isinstance(state, Sequence) else [getattr(state, f.name) for f in fields(state)]
    )
    return [tensor for part in parts for tensor in tensors(part)]


def test_every_head_is_here() -> None:
    assert {*SMALL, NoHeadConfig.name} == CONFIGS.keys()
    assert set(HEADS) == set(CONFIGS.values())
    assert RECIPES.keys() == SMALL.keys()


@each_head
def test_the_registry_says_what_the_head_is(name: str) -> None:
    head = make(name)
    assert head.online == isinstance(head, OnlineHead) == (name in ONLINE)
    assert recipe_of(SMALL[name]) == head.recipe == RECIPES[name]


@each_head
def test_options_survive_a_round_trip(name: str) -> None:
    assert head_from_dict(SMALL[name].to_dict()) == SMALL[name]
    assert head_from_dict({'name': name}) == CONFIGS[name]()


@each_head
def test_wrong_options_are_named(name: str) -> None:
    for f in fields(SMALL[name]):
        beyond = [-1, 10**6, True, float('nan')] if 'check' in f.metadata else [1]
        for value in [*beyond, '1', None]:
            with pytest.raises(ConfigError, match=rf'{name}\.{f.name}: expected .*found'):
                head_from_dict({'name': name, f.name: value})
    with pytest.raises(ConfigError, match=rf'{name}: unknown entries depth'):
        head_from_dict({'name': name, 'depth': 3})


@each_head_and_edge
@pytest.mark.parametrize('n', [1, 2, 7])
def test_any_length_has_a_loss_with_and_without_labels(config: HeadConfig, n: int) -> None:
    torch.manual_seed(0)
    head = make_head(config, WIDTH, CLASSES).train()
    for targets in (torch.arange(n) % CLASSES, torch.full((n,), UNKNOWN)):
        for _ in range(3):  # what DiffAct hides is a matter of chance
            head.zero_grad()
            loss = head.loss(torch.randn(n, WIDTH), targets)
            loss.backward()
            assert loss.shape == ()
            assert loss.isfinite()
            assert all(p.grad is None or p.grad.isfinite().all() for p in head.parameters())


@each_head_and_edge
@pytest.mark.parametrize('n', [1, 2, 7])
@torch.no_grad()
def test_any_length_has_probabilities_and_boundaries(config: HeadConfig, n: int) -> None:
    torch.manual_seed(0)
    found = make_head(config, WIDTH, CLASSES).eval().predict(torch.randn(n, WIDTH))
    assert found.probabilities.shape == (n, CLASSES)
    assert found.boundaries.shape == (n,)
    assert found.probabilities.dtype == found.boundaries.dtype == torch.float32
    assert (found.probabilities >= 0).all()
    torch.testing.assert_close(found.probabilities.sum(dim=1), torch.ones(n))
    assert ((found.boundaries >= 0) & (found.boundaries <= 1)).all()


@each_head
@torch.no_grad()
def test_the_same_features_get_the_same_labels(name: str) -> None:
    head, x = trained(name), torch.randn(20, WIDTH)
    torch.manual_seed(1)
    first = head.predict(x)
    torch.manual_seed(2)
    again = head.predict(x)
    assert torch.equal(first.probabilities, again.probabilities)
    assert torch.equal(first.boundaries, again.boundaries)


@each_head
def test_the_loss_reaches_every_parameter(name: str) -> None:
    head = make(name).train()
    features, targets = toy_recording(length=5)
    for _ in range(6):  # what DiffAct hides is a matter of chance
        head.loss(features, targets).backward()
    untouched = {
        parameter
        for parameter, p in head.named_parameters()
        if p.grad is None or p.grad.abs().max() < ROUNDING
    }
    assert untouched == UNREACHED.get(name, set())


@each_head
@torch.no_grad()
def test_the_state_dict_is_all_there_is(name: str) -> None:
    head, fresh = trained(name), make(name, seed=2)
    features, targets = toy_recording(1)
    expected = head.predict(features)
    assert not torch.equal(fresh.predict(features).probabilities, expected.probabilities)
    fresh.load_state_dict(head.state_dict())
    found = fresh.predict(features)
    assert torch.equal(found.probabilities, expected.probabilities)
    assert torch.equal(found.boundaries, expected.boundaries)
    losses = []
    for model in (head, fresh):
        torch.manual_seed(3)
        losses.append(model.loss(features, targets))
    assert torch.equal(*losses)


@each_head
def test_training_is_the_same_every_time(name: str) -> None:
    a, b = (trained(name).state_dict() for _ in range(2))
    assert all(torch.equal(a[key], b[key]) for key in a)


@each_head
def test_it_learns_a_recording(name: str) -> None:
    features, targets = toy_recording()
    features *= 3  # what differs much is learnt in few steps
    head = make(name)
    fit(head, features, targets, steps=60 if name == 'diffact' else 20, rate=1e-2)
    assert accuracy(head, features, targets) > 0.85, 'guessing has 0.33'


@each_online_head
@torch.no_grad()
def test_frames_one_by_one_are_the_same_as_all_together(name: str) -> None:
    head, x = online(name), torch.randn(40, WIDTH)
    assert_close(in_pieces(head, x, range(40))[0], head.predict(x))


@each_online_head
@settings(max_examples=10)
@given(st.lists(st.integers(1, 39), max_size=12))
@torch.no_grad()
def test_any_pieces_are_the_same_as_all_together(name: str, cuts: list[int]) -> None:
    generator = torch.Generator().manual_seed(len(cuts))
    head, x = online(name), torch.randn(40, WIDTH, generator=generator)
    assert_close(in_pieces(head, x, cuts)[0], head.predict(x))


@each_online_head
@torch.no_grad()
def test_a_frame_changes_nothing_before_it(name: str) -> None:
    head, x = online(name), torch.randn(40, WIDTH)
    expected = head.predict(x)
    for t in (0, 1, 5, 6, 17, 39):
        other = x.clone()
        other[t] += 1
        found = head.predict(other)
        assert torch.equal(found.probabilities[:t], expected.probabilities[:t])
        assert torch.equal(found.boundaries[:t], expected.boundaries[:t])
        assert not torch.equal(found.probabilities[t], expected.probabilities[t])


@each_online_head
@torch.no_grad()
def test_a_state_has_one_size_and_stays_as_it_is(name: str) -> None:
    head, x = online(name), torch.randn(60, WIDTH)
    _, early = in_pieces(head, x[:5], [])
    _, late = in_pieces(head, x, range(60))
    assert [t.shape for t in tensors(early)] == [t.shape for t in tensors(late)]
    copies = [t.clone() for t in tensors(early)]
    first, _ = head.advance(x[:3], early)
    again, _ = head.advance(x[:3], early)
    assert torch.equal(first.probabilities, again.probabilities)
    assert all(torch.equal(a, b) for a, b in zip(copies, tensors(early), strict=True))
