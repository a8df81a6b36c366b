# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is tried, and which of it is taken."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.heads.registry import make_head
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.choices import (
    EXTRACTOR_STEPS,
    HEAD_EPOCHS,
    HEAD_STEPS,
    SMALL,
    VARIED_STEPS,
    Wishes,
    extractor_choices,
    offline_choice,
    online_choices,
)
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.search import LEEWAY, OFFLINE, Trial, best_of, choose_head
from m2r2_ros.training.train_head import TrainedHead
from test.training.trials import trial

BASE = TrainConfig()
HEAD = CausalTCNConfig()


def test_few_recordings_are_seen_more_often() -> None:
    one = extractor_choices(BASE, Wishes(), [trial(60)], fixed=None)[0]
    assert one.config.epochs == EXTRACTOR_STEPS
    many = extractor_choices(BASE, Wishes(), [trial(60)] * 200, fixed=None)[0]
    assert many.config.epochs == BASE.epochs
    assert online_choices(HEAD, Wishes(), 3)[0].recipe.epochs == HEAD_STEPS // 3
    varied = online_choices(HEAD, Wishes(vary=0.15), 3)[0]
    assert varied.recipe.epochs == VARIED_STEPS // 3
    assert online_choices(HEAD, Wishes(), 100)[0].recipe.epochs == HEAD_EPOCHS


def test_other_extractors_are_tried_on_small_data_alone() -> None:
    small = [posed(trial(60))]
    choices = extractor_choices(BASE, Wishes(), small, fixed=None)
    assert [(c.config.offset, c.relative_pose) for c in choices] == [
        (0.6, True), (0.6, False), (pytest.approx(0.2), True),
    ]  # fmt: skip
    assert len(extractor_choices(BASE, Wishes(), small * (1 + SMALL // 60), fixed=None)) == 1
    assert len(extractor_choices(BASE, Wishes(search=False), small, fixed=None)) == 1
    wishes = Wishes(offset=0.6, relative_pose=False)
    (only,) = extractor_choices(BASE, wishes, small, fixed=None)
    assert not only.relative_pose
    assert all(c.relative_pose for c in extractor_choices(BASE, Wishes(), small, fixed=True))


def posed(recording: CachedRecording) -> CachedRecording:
    """Return the recording as if it had poses."""
    present = recording.present.copy()
    present[:, MODALITIES.index('pose')] = True
    return replace(recording, present=present)


def test_what_the_user_decides_is_not_searched() -> None:
    wishes = Wishes(epochs=7, offset=0.2, noise=0.3, vary=0.9)
    (extractor,) = extractor_choices(BASE, wishes, [trial(60)], fixed=None)
    assert (extractor.config.epochs, extractor.config.offset, extractor.config.noise) == (
        7,
        0.2,
        0.3,
    )
    (online,) = online_choices(HEAD, wishes, 3)
    assert (online.recipe.epochs, online.recipe.vary) == (7, 0.9)
    assert offline_choice(wishes, 3).recipe.epochs == 7


def test_without_a_search_there_are_defaults() -> None:
    wishes = Wishes(search=False)
    assert [c.recipe.vary for c in online_choices(HEAD, wishes, 3)] == [0.0]
    assert len(online_choices(HEAD, Wishes(), 3)) > 1


def test_without_poses_there_are_no_relative_ones() -> None:
    wishes = Wishes(relative_pose=True)
    assert not extractor_choices(BASE, wishes, [trial(60)], fixed=None)[0].relative_pose
    # An extractor that training begins with keeps its shapes.
    assert extractor_choices(BASE, wishes, [trial(60)], fixed=True)[0].relative_pose


def tried(accuracy: float, f1: float, other: float | None = None) -> Trial:
    return Trial('online head', {}, accuracy, f1, other)


def test_the_best_on_what_is_held_out_is_taken() -> None:
    assert best_of([tried(0.9, 80), tried(0.95, 90), tried(0.95, 85)]) == 1
    assert best_of([tried(0.9, 80), tried(0.9, 80)]) == 0


def test_of_good_ones_the_best_on_other_kinds_is_taken() -> None:
    good = tried(0.99, 99.0, 50.0)
    steady = replace(tried(0.99, 99.0 - LEEWAY, 70.0))
    weak = tried(0.9, 90.0, 99.0)
    assert best_of([good, steady, weak]) == 1
    assert best_of([good, weak]) == 0


@pytest.mark.parametrize(('looks', 'epochs'), [
    ([(10, 0.9, 90.0), (20, 0.98, 98.0), (30, 0.98, 93.0)], 30),
    ([(10, 0.9, 90.0), (20, 0.98, 98.0), (30, 0.94, 93.0)], 20),
])  # fmt: skip
def test_epochs_are_cut_where_held_out_recordings_clearly_get_worse(
    looks: list[tuple[int, float, float]], epochs: int
) -> None:
    head = make_head(CausalTCNConfig(layers=1, stages=1), 4, 2)
    found = TrainedHead(head, {}, 20, tuple(looks), ())
    stages = Mock(**{'head.return_value': found})
    chosen = choose_head(stages, OFFLINE, [offline_choice(Wishes(), 3)], [Mock()], Mock())
    assert chosen.epochs == epochs
    assert chosen.trials[0].value == pytest.approx(98.0)
