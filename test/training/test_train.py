# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training of extractor and head begins with."""

from pathlib import Path

import pytest
import torch

from m2r2_ros.model.bundle import Bundle, load_bundle
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.train import train
from test.replay.recordings import robot_bag, tiny_bundle


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return robot_bag(tmp_path_factory.mktemp('bags') / 'one', 4.0, seed=1)


@pytest.fixture(scope='module')
def extractor(tmp_path_factory: pytest.TempPathFactory, bag: Path) -> Bundle:
    folder = tmp_path_factory.mktemp('model') / 'bundle'
    tiny_bundle(folder, [bag])
    return load_bundle(folder)


def trained(bag: Path, like: Bundle, workspace: Path, extractor: Bundle | None) -> Bundle:
    return train(
        [bag],
        preset='tiny',
        model=like.model,
        windows=like.windows,
        config=TrainConfig(epochs=0, seed=7),
        decoding={},
        workspace=workspace,
        extractor=extractor,
    )


def test_it_begins_with_the_extractor_that_is_given(
    bag: Path, extractor: Bundle, tmp_path: Path
) -> None:
    given = extractor.network.extractor.state_dict()
    begun = trained(bag, extractor, tmp_path / 'a', extractor).network.extractor.state_dict()
    assert all(torch.equal(begun[name], given[name]) for name in given)
    fresh = trained(bag, extractor, tmp_path / 'b', None).network.extractor.state_dict()
    assert not all(torch.equal(fresh[name], given[name]) for name in given)


def test_the_head_begins_anew(bag: Path, extractor: Bundle, tmp_path: Path) -> None:
    given = extractor.network.head.state_dict()
    begun = trained(bag, extractor, tmp_path / 'a', extractor).network.head.state_dict()
    assert not all(torch.equal(begun[name], given[name]) for name in given)
