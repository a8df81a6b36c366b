# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is assembled in the cell, and the labels for what is done with it."""

from typing import Final, NamedTuple

from m2r2_ros.core.labels import LabelSet

Colour = tuple[float, float, float]


class Part(NamedTuple):
    """Something to assemble; it stands upright, its origin in the middle of its bottom.

    Attributes:
        name: As in labels.
        shape: 'round', 'square', or 'plug': square with a groove that latches snap into.
        width: Diameter or side, m; what the fingers close to.
        colour: RGB in 0..1, before each episode's own shade of it.
    """

    name: str
    shape: str
    width: float
    colour: Colour


PARTS: Final = (
    Part('round_peg_small', 'round', 0.012, (0.85, 0.20, 0.16)),
    Part('square_peg_small', 'square', 0.015, (0.16, 0.62, 0.26)),
    Part('round_peg_large', 'round', 0.018, (0.93, 0.62, 0.10)),
    Part('square_peg_large', 'square', 0.021, (0.17, 0.35, 0.83)),
    Part('plug', 'plug', 0.024, (0.55, 0.20, 0.66)),
)
#: Height of every part, and how much of it is in the board when it is inserted, m.
HEIGHT: Final = 0.060
DEPTH: Final = 0.025
#: Between a part and the walls of its hole, on each side, m.
CLEARANCE: Final = 0.0006
DENSITY: Final = 7800.0

VERBS: Final = ('pick', 'insert', 'remove', 'place')
NO_ACTION: Final = 'no_action'
PHASES: Final = (
    'rest', 'move', 'approach', 'grasp', 'lift', 'align', 'push', 'pull', 'release', 'retreat'
)  # fmt: skip


def action_labels() -> LabelSet:
    """Return the fine labels, verb and part, with the verbs as their parents."""
    fine = [(f'{verb}_{part.name}', verb) for verb in VERBS for part in PARTS]
    names, parents = zip((NO_ACTION, NO_ACTION), *fine, strict=True)
    return LabelSet(names, parents)
