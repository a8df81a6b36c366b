# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of the LAPS methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import above, between, check_options, is_kind, shown
from m2r2_ros.discovery.laps.controller import ControllerOptions
from m2r2_ros.discovery.laps.shape import TokenizerConfig, TokenizerSchedule

#: Most codes of a tokenizer; the paper's has 1920.
MAX_CODES = 1 << 16


@dataclass(frozen=True, slots=True)
class LapsOptions(ControllerOptions):
    """What both LAPS methods have.

    Attributes:
        window: T, frames of a window.
        stride: Frames from window to window.
        hidden: d_m, width of the tokenizer (paper: 768).
        heads: Its attention heads (paper: 8).
        enc_layers: Layers of its encoder.
        dec_layers: Layers of its decoder.
        levels: Of its quantiser.
        bins: g, cells of a displacement along each axis.
        max_windows: Windows of all recordings that the tokenizer is trained on at most.
        steps: Steps of the training: it takes as long for any number of windows.
        batch: Windows of a step.
        learning_rate: Of the training (paper's code: 1e-4, for a larger model and longer training).
    """

    window: int = between(16, 4, 256)
    stride: int = between(4, 1, 256)
    hidden: int = between(128, 8, 4096)
    heads: int = between(4, 1, 64)
    enc_layers: int = between(2, 1, 24)
    dec_layers: int = between(1, 1, 24)
    levels: list[int] = field(default_factory=lambda: [8, 8, 6, 5])
    bins: int = between(15, 2, 101)
    max_windows: int = between(1500, 1, 1_000_000)
    steps: int = between(300, 1, 10_000_000)
    batch: int = between(32, 1, 4096)
    learning_rate: float = above(3e-4, 0, 1)

    def tokenizer(self, inputs: int, axes: int) -> TokenizerConfig:
        """Return the shape of a tokenizer of so many numbers a time step."""
        return TokenizerConfig(
            inputs,
            axes,
            self.hidden,
            self.heads,
            self.enc_layers,
            self.dec_layers,
            tuple(self.levels),
            self.bins,
        )

    def schedule(self, seed: int) -> TokenizerSchedule:
        """Return how the tokenizer is trained."""
        return TokenizerSchedule(self.steps, self.batch, self.learning_rate, seed)


#: Options that may be tuned where there is truth; see Method.
TUNED: Final[Mapping[str, Sequence[float]]] = {
    'theta_on': (0.5, 0.75, 1.5, 2.0, 3.0),
    'hysteresis': (0.75,),
}


def check_laps(options: LapsOptions, place: str) -> None:
    """Check options against their ranges, and against each other.

    Raises:
        ConfigError: One is of another kind or out of range.
    """
    check_options(options, place)
    levels = options.levels
    whole = isinstance(levels, list) and all(is_kind(n, int) and n > 1 for n in levels)
    if not whole or not levels or prod(levels) > MAX_CODES:
        msg = (
            f'{place}.levels: expected a list of whole numbers above 1 whose product is at most '
            f'{MAX_CODES}, found {shown(levels)}'
        )
        raise ConfigError(msg)
    if options.hidden % options.heads:
        msg = f'{place}.hidden: expected a multiple of heads, found {options.hidden}'
        raise ConfigError(msg)
