# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where things stand in an episode, and how it looks: drawn from the seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.simulation.parts import PARTS, Colour

Array = NDArray[np.float64]

#: Distance between neighbouring places on the tray and on the board, m.
PITCH: Final = 0.075
#: Half the length and half the width of the tray, m.
TRAY_HALF: Final = (PITCH * 1.6, PITCH * 1.1)
_ROWS, _COLUMNS = 3, 2
#: Places on the tray, and cells of the board; one of them stays empty.
PLACES: Final = _ROWS * _COLUMNS


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the table: x, y (m) and yaw (rad) in the base frame."""

    x: float
    y: float
    yaw: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that differs between episodes before anything moves.

    Attributes:
        board: Middle of the board.
        tray: Middle of the tray.
        holes: Cell of the board that has the hole of each part.
        slots: Place on the tray that each part has.
        offsets: (n, 3), how far each part is from its place on the tray: x, y (m), yaw (rad).
        inserted: Whether each part starts in its hole.
        friction: Coefficient between parts, board and tray.
        grip_friction: Coefficient of the finger pads.
        colours: RGB of each part.
        table, board_colour, tray_colour: RGB.
        light: Brightness of the lamp, 0..1.
        lamp: Where the lamp hangs, m.
        cameras: (2, 6), m: how far each camera is from its place, and the external one's view from
            its middle; the scene halves the former for the hand and doubles the latter.
    """

    board: Spot
    tray: Spot
    holes: tuple[int, ...]
    slots: tuple[int, ...]
    offsets: Array
    inserted: tuple[bool, ...]
    friction: float
    grip_friction: float
    colours: tuple[Colour, ...]
    table: Colour
    board_colour: Colour
    tray_colour: Colour
    light: float
    lamp: tuple[float, float, float]
    cameras: Array

    def hole(self, part: int) -> Spot:
        """Return the middle of a part's hole."""
        return _place(self.board, self.holes[part])

    def slot(self, place: int) -> Spot:
        """Return the middle of a place on the tray."""
        return _place(self.tray, place)


def draw_layout(rng: np.random.Generator) -> Layout:
    """Draw an episode's layout."""

    def shade(colour: Colour, spread: float) -> Colour:
        red, green, blue = np.clip(rng.normal(colour, spread), 0.03, 0.97).tolist()
        return red, green, blue

    count = len(PARTS)
    return Layout(
        board=Spot(0.48 + rng.uniform(-0.02, 0.02), 0.14 + rng.uniform(-0.02, 0.02),
                   rng.uniform(-0.12, 0.12)),
        tray=Spot(0.48 + rng.uniform(-0.02, 0.02), -0.14 + rng.uniform(-0.02, 0.02),
                  rng.uniform(-0.12, 0.12)),
        holes=tuple(rng.permutation(PLACES)[:count].tolist()),
        slots=tuple(rng.permutation(PLACES)[:count].tolist()),
        offsets=rng.uniform(-1, 1, (count, 3)) * (0.008, 0.008, 0.35),
        inserted=tuple((rng.random(count) < 0.4).tolist()),
        friction=float(rng.uniform(0.25, 0.45)),
        grip_friction=float(rng.uniform(0.9, 1.3)),
        colours=tuple(shade(part.colour, 0.05) for part in PARTS),
        table=shade((0.72, 0.70, 0.66), 0.06),
        board_colour=shade((0.36, 0.38, 0.42), 0.05),
        tray_colour=shade((0.58, 0.44, 0.30), 0.05),
        light=float(rng.uniform(0.5, 0.9)),
        lamp=(float(rng.uniform(0.2, 0.8)), float(rng.uniform(-0.5, 0.5)), 1.6),
        cameras=rng.normal(0.0, 1.0, (2, 6)) * (0.008, 0.008, 0.008, 0.01, 0.01, 0.01),
    )  # fmt: skip


def offset_of(place: int) -> tuple[float, float]:
    """Return how far a place is from the middle of its tray or board, along and across, m."""
    row, column = divmod(place, _COLUMNS)
    return (row - (_ROWS - 1) / 2) * PITCH, (column - (_COLUMNS - 1) / 2) * PITCH


def _place(middle: Spot, place: int) -> Spot:
    along, across = offset_of(place)
    c, s = np.cos(middle.yaw), np.sin(middle.yaw)
    return Spot(
        float(middle.x + c * along - s * across),
        float(middle.y + s * along + c * across),
        middle.yaw,
    )
