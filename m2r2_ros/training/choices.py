# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training chooses for each data set, and what is tried."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.head_config import CausalTCNConfig, HeadConfig, MSTCNConfig
from m2r2_ros.network.heads.base import Recipe
from m2r2_ros.network.heads.registry import recipe_of
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.learn_decoding import LAGS
from m2r2_ros.training.loop import sequences_of

#: Optimiser steps that an extractor and a head take at least, so that few recordings teach as well
#: as many; a head that sees each recording in many variations needs more. Epochs that no training
#: exceeds.
EXTRACTOR_STEPS: Final = 300
HEAD_STEPS: Final = 600
VARIED_STEPS: Final = 1200
MOST_EPOCHS: Final = 400
#: Epochs of a head where there are recordings enough, and its learning rate at the peak: one that
#: goes down to 0 may begin higher than the published one, which stays.
HEAD_EPOCHS: Final = 30
HEAD_RATE: Final = 1e-3
#: Frames up to which other extractors than the default are tried: each takes a training.
SMALL: Final = 5_000
#: Shares of varied segments that are tried.
VARIED: Final = (0.0, 0.15)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user decides; None is left to validation, or to the defaults without any.

    Attributes:
        epochs: Passes over the recordings, of the extractor and of each head.
        offset: See TrainConfig.
        noise: See TrainConfig.
        relative_pose: Whether the model is given poses relative to the start.
        vary: See Recipe.
        search: Try more than the defaults; without, nothing is held out either.
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

    @property
    def title(self) -> str:
        """What it is called in a log."""
        poses = ', relative poses' if self.relative_pose else ''
        return f'offset {self.config.offset:g}{poses}'

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
    posed = any(
        m.is_pose and bool(r.present[:, k].any())
        for r in recordings
        for k, m in enumerate(r.modalities.values())
    )
    relative = posed and wishes.relative_pose is not False if fixed is None else fixed
    default = ExtractorChoice(config, relative)
    if not wishes.search or sum(map(len, recordings)) > SMALL:
        return [default]
    found = [default]
    if posed and wishes.relative_pose is None and fixed is None:
        found.append(ExtractorChoice(config, relative_pose=False))
    if wishes.offset is None:
        weaker = replace(config, offset=round(base.offset / 3, 6))
        found.append(ExtractorChoice(weaker, default.relative_pose))
    return found


def online_choices(head: HeadConfig, wishes: Wishes, recordings: int) -> list[HeadChoice]:
    """Return online heads to try, the default first.

    Args:
        head: Its shapes.
        wishes: What the user decides.
        recordings: How many there are to train on.
    """
    shares = VARIED if wishes.search else VARIED[:1]
    if wishes.vary is not None:
        shares = (wishes.vary,)
    return [HeadChoice(head, _recipe(head, wishes, recordings, share)) for share in shares]


def offline_choice(wishes: Wishes, recordings: int) -> HeadChoice:
    """Return the offline head; see `online_choices`.

    It sees whole recordings as they are: it is to learn in which order labels come.
    """
    head = MSTCNConfig()
    return HeadChoice(head, _recipe(head, wishes, recordings, 0.0))


def with_lags(choice: HeadChoice) -> HeadChoice:
    """Return a head with outputs of their own for labels of older frames, trained alike."""
    assert isinstance(choice.head, CausalTCNConfig)
    return replace(choice, head=replace(choice.head, lags=LAGS))


def _recipe(head: HeadConfig, wishes: Wishes, recordings: int, vary: float) -> Recipe:
    """Return how a head is trained."""
    own = recipe_of(head)
    steps = math.ceil(recordings / own.batch)
    least = VARIED_STEPS if vary else HEAD_STEPS
    epochs = _epochs(wishes.epochs, HEAD_EPOCHS, least, steps)
    return replace(own, epochs=epochs, learning_rate=HEAD_RATE, anneal=True, vary=vary)


def with_relative_pose(model: ModelConfig, choice: ExtractorChoice) -> ModelConfig:
    """Return the shapes of a network that is trained so."""
    return replace(model, relative_pose=choice.relative_pose)


def _epochs(wished: int | None, usual: int, least: int, steps: int) -> int:
    """Return epochs for so many steps in each."""
    if wished is not None:
        return wished
    return min(max(usual, math.ceil(least / max(steps, 1))), MOST_EPOCHS)
