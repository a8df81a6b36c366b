# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from m2r2_ros.training.checkpoint import load_checkpoint, save_checkpoint

FACTS = {'epoch': 3, 'score': 0.1 + 0.2, 'history': [{'loss': 1e-17}]}


class Net(nn.Module):
    """A frozen layer, one that learns, one that no loss reaches, and a buffer that moves."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.norm = nn.BatchNorm1d(4)
        self.unused = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.frozen(x))
        return y


def optimizer_of(net: Net) -> torch.optim.Optimizer:
    return torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], 0.1)


def steps(net: Net, optimizer: torch.optim.Optimizer, numbers: range) -> None:
    for k in numbers:
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(k))
        optimizer.zero_grad()
        net(x).pow(3).sum().backward()
        optimizer.step()


def same(a: Net, b: Net) -> bool:
    other = b.state_dict()
    return all(torch.equal(t, other[n]) for n, t in a.state_dict().items())


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Net]:
    net = Net(0)
    optimizer = optimizer_of(net)
    steps(net, optimizer, range(5))
    path = tmp_path / 'c'
    groups = {'best': {'a/b': torch.arange(3.0)}}
    save_checkpoint(path, net, optimizer, fingerprint='x', facts=FACTS, groups=groups)
    steps(net, optimizer, range(5, 9))
    return path, net


def test_a_training_continues_bit_for_bit(saved: tuple[Path, Net]) -> None:
    path, whole = saved
    net = Net(1)
    net.frozen.load_state_dict(whole.frozen.state_dict())
    optimizer = optimizer_of(net)
    kept = load_checkpoint(path, net, optimizer, fingerprint='x')
    assert kept is not None
    assert kept.facts == FACTS
    assert kept.groups.keys() == {'best'}
    assert torch.equal(kept.groups['best']['a/b'], torch.arange(3.0))
    steps(net, optimizer, range(5, 9))
    assert same(net, whole)


def test_frozen_weights_are_not_written(saved: tuple[Path, Net]) -> None:
    path, _ = saved
    net = Net(7)
    before = net.frozen.weight.clone()
    assert load_checkpoint(path, net, optimizer_of(net), fingerprint='x')
    assert torch.equal(net.frozen.weight, before)
    assert b'weights/frozen' not in path.read_bytes()


def test_what_belongs_to_another_training_changes_nothing(
    saved: tuple[Path, Net], tmp_path: Path
) -> None:
    path, _ = saved
    (tmp_path / 'cut').write_bytes(path.read_bytes()[:-10])
    (tmp_path / 'text').write_text('hello')
    (tmp_path / 'empty').touch()
    net, untouched = Net(4), Net(4)
    optimizer = optimizer_of(net)
    assert load_checkpoint(path, net, optimizer, fingerprint='y') is None
    for name in ('none', 'cut', 'text', 'empty'):
        assert load_checkpoint(tmp_path / name, net, optimizer, fingerprint='x') is None
    assert same(net, untouched)
    assert not optimizer.state
    assert sorted(p.name for p in tmp_path.iterdir()) == ['c', 'cut', 'empty', 'text']
