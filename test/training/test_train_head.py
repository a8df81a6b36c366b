# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One trainer for all heads: it learns, repeats, continues, and never uses the test part."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import (
    ASFormerConfig,
    ASRFConfig,
    CausalTCNConfig,
    DiffActConfig,
    HeadConfig,
    MSTCNConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.network.heads.base import Recipe
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.feature_set import FeatureSet, FeatureTrack
from m2r2_ros.training.scoring import Labelling, probabilities_of, score_labelling
from m2r2_ros.training.train_head import train_head
from test.training.feature_sets import toy_set

SMALL = CausalTCNConfig(width=16, layers=3, stages=2)
HEADS: list[HeadConfig] = [
    SMALL,
    ProTASConfig(stages=2, layers=3, width=16),
    ProTASConfig(stages=2, layers=3, width=16, task_graph=True),
    OnlineTASConfig(window=8, iterations=1, width=16, layers=3),
    MSTCNConfig(stages=2, layers=3, width=16),
    ASRFConfig(stages=2, layers=3, width=16),
    ASFormerConfig(decoders=1, layers=3, width=16),
    DiffActConfig(
        encoder_layers=10, encoder_width=16, decoder_layers=3, decoder_width=12, time_width=16,
        dropout=0.0, sampling_steps=4,
    ),
]  # fmt: skip
#: Of heads that learn slower or faster than others.
RECIPES = {DiffActConfig: Recipe(60, 5e-3), OnlineTASConfig: Recipe(15, 5e-3)}
#: A diffusion model of this size learns noisily: rounding, which differs between processors, moves
#: its accuracy by some percent. The commonest label alone has 0.696.
LEAST: dict[type[HeadConfig], float] = {DiffActConfig: 0.7}
RECIPE = Recipe(epochs=4, learning_rate=5e-3)
#: So fast that the loss rises now and then, which lowers the rate each time.
RESTLESS = Recipe(epochs=4, learning_rate=0.2, patience=0)


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> FeatureSet:
    return toy_set(tmp_path_factory.mktemp('features'), unlabelled=True)


def accuracy(data: FeatureSet, config: HeadConfig) -> float:
    recipe = RECIPES.get(type(config), Recipe(40, 5e-3))
    trained = train_head(config, data, recipe=recipe)
    found = probabilities_of(trained.head, data.parts['test'])
    return score_labelling(found, data.labels, data.frame_rate).accuracy or 0.0


@pytest.mark.parametrize('config', HEADS, ids=lambda c: c.name)
def test_every_head_learns(data: FeatureSet, config: HeadConfig) -> None:
    assert accuracy(data, config) > LEAST.get(type(config), 0.8)


def weights(head: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in head.parameters()]


def test_the_same_seed_gives_the_same_weights_and_another_one_others(data: FeatureSet) -> None:
    a, b, c = (train_head(SMALL, data, recipe=RECIPE, seed=s).head for s in (1, 1, 2))
    assert all(map(torch.equal, weights(a), weights(b)))
    assert not all(map(torch.equal, weights(a), weights(c)))


@pytest.mark.parametrize('recipe', [RECIPE, RESTLESS], ids=['constant rate', 'falling rate'])
def test_an_interrupted_training_continues_to_the_same_result(
    data: FeatureSet, tmp_path: Path, recipe: Recipe
) -> None:
    file = tmp_path / 'state.safetensors'

    def stop(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_head(SMALL, data, recipe=recipe, checkpoint=file, progress=stop)
    epochs: list[int] = []
    went_on = train_head(
        SMALL, data, recipe=recipe, checkpoint=file, progress=lambda e, n, loss: epochs.append(e)
    )
    assert epochs == [3, 4]
    whole = train_head(SMALL, data, recipe=recipe)
    assert all(map(torch.equal, weights(went_on.head), weights(whole.head)))
    assert went_on.best_epoch == whole.best_epoch
    assert all(torch.equal(went_on.best[n], whole.best[n]) for n in whole.best)


def test_held_out_recordings_are_scored_by_the_better_rule(
    data: FeatureSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `m2r2 train` compares online heads, whose labels flicker."""

    def flickering(head: torch.nn.Module, tracks: Sequence[FeatureTrack]) -> Labelling:
        found = []
        for track in tracks:
            said = np.where(track.targets == UNKNOWN, 0, track.targets)
            said[::7] = (said[::7] + 1) % len(data.labels.names)
            found.append((track, np.eye(len(data.labels.names), dtype=np.float32)[said]))
        return found

    monkeypatch.setattr('m2r2_ros.training.train_head.probabilities_of', flickering)
    held = Decoding(min_duration=1.5 / data.frame_rate)
    plain, both, only = (
        train_head(SMALL, data, recipe=RECIPE, rules=rules).looks[-1]
        for rules in ((Decoding(),), (Decoding(), held), (held,))
    )
    assert both == only
    assert both[2] > plain[2] + 20


def test_a_loss_that_stays_high_lowers_the_rate(data: FeatureSet) -> None:
    constant = train_head(SMALL, data, recipe=replace(RESTLESS, patience=None))
    patient = train_head(SMALL, data, recipe=replace(RESTLESS, patience=99))
    restless = train_head(SMALL, data, recipe=RESTLESS)
    assert all(map(torch.equal, weights(constant.head), weights(patient.head)))
    assert not all(map(torch.equal, weights(constant.head), weights(restless.head)))


@pytest.mark.parametrize('change', ['seed', 'recipe', 'features'])
def test_another_training_starts_anew(data: FeatureSet, tmp_path: Path, change: str) -> None:
    file = tmp_path / 'state.safetensors'
    train_head(SMALL, data, recipe=RECIPE, checkpoint=file)
    epochs: list[int] = []
    train_head(
        SMALL,
        toy_set(tmp_path / 'other', frames=70) if change == 'features' else data,
        recipe=replace(RECIPE, learning_rate=1e-3) if change == 'recipe' else RECIPE,
        seed=1 if change == 'seed' else 0,
        checkpoint=file,
        progress=lambda e, n, loss: epochs.append(e),
    )
    assert epochs[0] == 1


def test_the_test_part_is_not_looked_at(data: FeatureSet) -> None:
    blind = replace(data, parts={**data.parts, 'test': ()})
    a, b = train_head(SMALL, data, recipe=RECIPE), train_head(SMALL, blind, recipe=RECIPE)
    assert all(map(torch.equal, weights(a.head), weights(b.head)))
    assert a.best_epoch == b.best_epoch


def test_the_best_epoch_is_the_one_that_validates_best(data: FeatureSet) -> None:
    """With labels that training does not know, the first look is as good as the rest."""
    track = data.parts['val'][0]
    other = replace(track, targets=(track.targets + 1) % 3)
    misled = replace(data, parts={**data.parts, 'val': (other,)})
    good = train_head(SMALL, data, recipe=replace(RECIPE, epochs=12))
    bad = train_head(SMALL, misled, recipe=replace(RECIPE, epochs=12))
    assert bad.best_epoch < good.best_epoch


def test_without_validation_the_last_epoch_is_the_best(data: FeatureSet) -> None:
    alone = replace(data, parts={**data.parts, 'val': ()})
    trained = train_head(SMALL, alone, recipe=RECIPE)
    assert trained.best_epoch == RECIPE.epochs
    for name, tensor in trained.head.state_dict().items():
        assert torch.equal(trained.best[name], tensor)


def test_a_batch_adds_up_the_gradients_of_its_recordings(data: FeatureSet) -> None:
    """One step for all recordings is plain Adam on the mean of their losses."""
    calm = MSTCNConfig(stages=1, layers=2, width=8, dropout=0.0)
    recipe = Recipe(epochs=1, learning_rate=1e-2, batch=3)
    trained = train_head(calm, data, recipe=recipe, seed=3)
    start = train_head(calm, data, recipe=replace(recipe, epochs=0), seed=3).head.train()
    optimizer = torch.optim.Adam(start.parameters(), 1e-2)
    tracks = data.parts['train']
    torch.stack([start.loss(t.features, t.labels) for t in tracks]).mean().backward()
    optimizer.step()
    for got, expected in zip(weights(trained.head), weights(start), strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-4)
