# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo robot does and when: actions, and the phases of motion that they are made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from m2r2_ros.core.labels import LabelSet

Point = tuple[float, float, float]


class DemoObject(NamedTuple):
    """Something to assemble; width across the fingers (m) and mass (kg)."""

    name: str
    width: float
    mass: float


class Spot(NamedTuple):
    """Where an object can stand: x, y (m), and the yaw (rad) it has there."""

    x: float
    y: float
    yaw: float


OBJECTS: Final = (
    DemoObject('peg', 0.012, 0.10),
    DemoObject('plug', 0.030, 0.18),
    DemoObject('gear', 0.052, 0.30),
)
VERBS: Final = ('pick', 'insert', 'remove', 'place')
NO_ACTION: Final = 'no_action'

TRAY: Final = (Spot(0.38, -0.16, 0.5), Spot(0.46, -0.16, 0.0), Spot(0.55, -0.16, -0.5))
BOARD: Final = (Spot(0.38, 0.16, 0.0), Spot(0.46, 0.16, 0.4), Spot(0.55, 0.16, 0.2))

HOME: Final[Point] = (0.45, 0.0, 0.24)
OPEN_WIDTH: Final = 0.08
CLEARANCE: Final = 0.02
GRASP_Z: Final = 0.04
DEPTH: Final = 0.025
TRAVEL_Z: Final = 0.15
#: No action is cut off shorter than this, seconds; the one before it is drawn out instead.
SHORTEST: Final = 1.0


class Phase(NamedTuple):
    """One stretch of motion between two poses.

    Attributes:
        kind: 'rest', 'move', 'descend', 'grasp', 'lift', 'align', 'push', 'pull', 'release' or
            'retreat'.
        start: Seconds from the start of the recording.
        end: Seconds.
        origin: Position of the fingertips at the start, m.
        target: Position at the end, m.
        yaw: Yaw at start and end, rad.
        width: Gripper width at start and end, m.
        item: Index of the object that the action is about, -1 without.
        held: Whether that object is between the fingers.
    """

    kind: str
    start: float
    end: float
    origin: Point
    target: Point
    yaw: tuple[float, float]
    width: tuple[float, float]
    item: int
    held: bool


class Action(NamedTuple):
    """A labelled stretch, seconds from the start of the recording."""

    label: str
    start: float
    end: float


@dataclass
class Script:
    """Everything that happens in a demo recording.

    Attributes:
        actions: In order, without gaps, from 0 to the end.
        phases: In order, without gaps, from 0 to the end or beyond.
    """

    actions: list[Action] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)


def demo_labels() -> LabelSet:
    """Return the two-level label set: no_action, and each verb with each object."""
    fine = [(f'{verb}_{thing.name}', verb) for verb in VERBS for thing in OBJECTS]
    names, parents = zip((NO_ACTION, NO_ACTION), *fine, strict=True)
    return LabelSet(names, parents)


def write_script(seconds: float, rng: np.random.Generator) -> Script:
    """Make up what happens in `seconds`.

    Objects are picked from the tray and inserted into the board, or removed from it and placed
    back; now and then one goes back to where it came from. The last action is cut off, or
    drawn out with the robot standing still.
    """
    robot = _Robot(rng)
    for label, act in robot.actions():
        start = robot.now
        act()
        last = robot.now > seconds - SHORTEST
        robot.script.actions.append(Action(label, start, seconds if last else robot.now))
        if last:
            break
    return robot.script


class _Robot:
    """Strings phases together, keeping pose, gripper width and where the objects are."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.script = Script()
        self.now = 0.0
        self.at: Point = HOME
        self.yaw = 0.0
        self.width = OPEN_WIDTH
        self.item = -1
        self.held = False
        self.on_board = [bool(rng.random() < 0.5) for _ in OBJECTS]

    def actions(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield labels and what to do, without end."""
        yield NO_ACTION, partial(self.rest, 0.5)
        while True:
            for item in self.rng.permutation(len(OBJECTS)).tolist():
                name = OBJECTS[item].name
                if self.on_board[item]:
                    yield f'remove_{name}', partial(self.remove, item)
                else:
                    yield f'pick_{name}', partial(self.pick, item)
                # One in six goes back to where it came from.
                back = bool(self.rng.random() < 1 / 6)
                if self.on_board[item] != back:
                    yield f'place_{name}', partial(self.place, item)
                else:
                    yield f'insert_{name}', partial(self.insert, item)
                if self.rng.random() < 0.6:
                    yield NO_ACTION, partial(self.rest, 0.0)

    def rest(self, least: float) -> None:
        if self.at != HOME:
            self.go('move', 0.8, 1.3, HOME, 0.0, OPEN_WIDTH)
        self.go('rest', least + 0.6, least + 2.5)

    def pick(self, item: int) -> None:
        self.take(item, TRAY[item], GRASP_Z)
        self.lift()

    def remove(self, item: int) -> None:
        self.take(item, BOARD[item], GRASP_Z - DEPTH)
        self.go('pull', 0.7, 1.2, (self.at[0], self.at[1], GRASP_Z))
        self.lift()

    def insert(self, item: int) -> None:
        self.bring(BOARD[item])
        self.go('align', 0.4, 1.0)
        self.go('push', 0.8, 1.5, (self.at[0], self.at[1], GRASP_Z - DEPTH))
        self.leave(item)
        self.on_board[item] = True

    def place(self, item: int) -> None:
        self.bring(TRAY[item])
        self.leave(item)
        self.on_board[item] = False

    def take(self, item: int, spot: Spot, z: float) -> None:
        self.item = item
        # The fingers open to fit while the arm sets off: what tells early which object it is.
        shape = OBJECTS[item].width + CLEARANCE
        self.go('move', 0.9, 1.5, (spot.x, spot.y, TRAVEL_Z), spot.yaw, shape)
        self.go('descend', 0.6, 1.0, (spot.x, spot.y, z))
        self.go('grasp', 0.3, 0.45, width=OBJECTS[item].width)
        self.held = True

    def bring(self, spot: Spot) -> None:
        self.go('move', 0.9, 1.5, (spot.x, spot.y, TRAVEL_Z), spot.yaw)
        self.go('descend', 0.6, 1.0, (spot.x, spot.y, GRASP_Z))

    def leave(self, item: int) -> None:
        self.held = False
        self.go('release', 0.3, 0.45, width=OBJECTS[item].width + CLEARANCE)
        self.go('retreat', 0.5, 0.8, (self.at[0], self.at[1], TRAVEL_Z))
        self.item = -1

    def lift(self) -> None:
        self.go('lift', 0.5, 0.8, (self.at[0], self.at[1], TRAVEL_Z))

    def go(
        self,
        kind: str,
        shortest: float,
        longest: float,
        target: Point | None = None,
        yaw: float | None = None,
        width: float | None = None,
    ) -> None:
        end = self.now + float(self.rng.uniform(shortest, longest))
        target = self.at if target is None else target
        yaw = self.yaw if yaw is None else yaw
        width = self.width if width is None else width
        turn, grip = (self.yaw, yaw), (self.width, width)
        phase = Phase(kind, self.now, end, self.at, target, turn, grip, self.item, self.held)
        self.script.phases.append(phase)
        self.now, self.at, self.yaw, self.width = end, target, yaw, width
