# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training chooses for each data set, and what is tried."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.heads.base import Recipe
from m2r2_ros.model.heads.config import HeadConfig
from m2r2_ros.model.heads.registry import recipe_of
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.loop import sequences_of

#: Optimiser steps that an extractor and a head take at least, so that few recordings teach as well
#: as many, and epochs that no training exceeds.
EXTRACTOR_STEPS: Final = 300
HEAD_STEPS: Final = 800
MOST_EPOCHS: Final = 400
#: Shares of varied segments that are tried.
VARIED: Final = (0.0, 0.4)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user decides; None is left to validation, or to the defaults without any.

    Attributes:
        epochs: Passes over the recordings, of the extractor and of each head.
        offset: See TrainConfig.
        noise: See TrainConfig.
        relative_pose: Whether the model is given poses relative to the start.
        vary: See Recipe.
        search: Try more than the defaults.
    """

    epochs: int | None = None
    offset: float | None = None
    noise: float | None = None
    relative_pose: bool | None = None
    vary: float | None = None
    search: bool = True


@dataclass(frozen=True, slots=True)
class ExtractorChoice:
    """How an extractor is trained.

    Attributes:
        config: Options of its training.
        relative_pose: Whether it is given poses relative to the start.
    """

    config: TrainConfig
    relative_pose: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what YAML can hold."""
        config = self.config
        return {
            'offset': config.offset,
            'noise': config.noise,
            'relative_pose': self.relative_pose,
            'epochs': config.epochs,
        }


@dataclass(frozen=True, slots=True)
class HeadChoice:
    """A head and how it is trained."""

    head: HeadConfig
    recipe: Recipe

    def to_dict(self) -> dict[str, Any]:
        """Return what YAML can hold."""
        return {**self.head.to_dict(), **asdict(self.recipe)}


def extractor_choices(
    base: TrainConfig, wishes: Wishes, recordings: Sequence[CachedRecording], *, fixed: bool | None
) -> list[ExtractorChoice]:
    """Return what to try, the default first.

    Args:
        base: Options that are not chosen.
        wishes: What the user decides.
        recordings: To train on.
        fixed: Whether an extractor that training begins with takes relative poses; None without.
    """
    config = replace(
        base,
        offset=base.offset if wishes.offset is None else wishes.offset,
        noise=base.noise if wishes.noise is None else wishes.noise,
    )
    steps = len(sequences_of(recordings, config))
    config = replace(config, epochs=_epochs(wishes.epochs, config.epochs, EXTRACTOR_STEPS, steps))
    posed = any('pose' in r.arrays and r.present[:, 3].any() for r in recordings)
    relative = wishes.relative_pose if fixed is None else fixed
    return [ExtractorChoice(config, posed if relative is None else relative and posed)]


def head_choices(heads: Sequence[HeadConfig], wishes: Wishes, recordings: int) -> list[HeadChoice]:
    """Return heads to try, the default first.

    Args:
        heads: Their shapes.
        wishes: What the user decides.
        recordings: How many there are to train on.
    """
    shares = VARIED if wishes.vary is None else (wishes.vary,)
    found = []
    for head in heads:
        own = recipe_of(head)
        steps = math.ceil(recordings / own.batch)
        epochs = _epochs(wishes.epochs, own.epochs, HEAD_STEPS, steps)
        found += [
            HeadChoice(head, replace(own, epochs=epochs, anneal=True, vary=share))
            for share in shares
        ]
    return found if wishes.search else found[:1]


def with_relative_pose(model: ModelConfig, choice: ExtractorChoice) -> ModelConfig:
    """Return the shapes of a network that is trained so."""
    return replace(model, relative_pose=choice.relative_pose)


def _epochs(wished: int | None, usual: int, least: int, steps: int) -> int:
    """Return epochs for so many steps in each."""
    if wished is not None:
        return wished
    return min(max(usual, math.ceil(least / max(steps, 1))), max(MOST_EPOCHS, usual))
