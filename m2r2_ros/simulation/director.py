# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is done in an episode: which action on which part comes next, from what the state allows."""

from collections.abc import Callable, Collection

import numpy as np

from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.layout import PITCH, PLACES
from m2r2_ros.simulation.motion import Activity
from m2r2_ros.simulation.parts import NO_ACTION, PARTS
from m2r2_ros.simulation.robot import Robot
from m2r2_ros.simulation.state import PartState, part_state


class Director:
    """Lets a robot work until its time is up.

    Attributes:
        actions: What was done so far, without gaps; the name of a span is its fine label.
    """

    def __init__(
        self,
        cell: Cell,
        robot: Robot,
        rng: np.random.Generator,
        on_action: Callable[[Activity], None] = lambda action: None,
        without: Collection[str] = (),
    ) -> None:
        """Take over a robot.

        Args:
            cell: Where it stands.
            robot: Does what it is told.
            rng: Decides.
            on_action: Called when an action is over.
            without: Parts to leave alone and verbs not to do.
        """
        self.cell, self.robot, self.actions = cell, robot, list[Activity]()
        self._without = frozenset(without)
        self._rng, self._on_action = rng, on_action
        self._last = -1

    def run(self, seconds: float) -> None:
        """Work for `seconds`, finish the action under way, and go home."""
        self._rest(0.8, 2.5)
        while self.cell.time < seconds:
            part, state = self._next_part()
            if part < 0:
                self._rest(2.0, 4.0)
                continue
            self._last = part
            self._handle(part, state)
            if self._rng.random() < 0.35 and self.cell.time < seconds:
                self._rest(0.3, 2.0)
        self._rest(0.8, 2.0)

    def _handle(self, part: int, state: PartState) -> None:
        """Take a part, and bring it where it belongs; usually to somewhere new."""
        name, back = PARTS[part].name, self._rng.random() < 0.12
        if state.inserted:
            taken = self._do(f'remove_{name}', lambda: self.robot.remove(part))
        else:
            taken = self._do(f'pick_{name}', lambda: self.robot.pick(part))
        if not taken:
            return
        if state.inserted == back and 'insert' not in self._without:
            self._do(f'insert_{name}', lambda: self.robot.insert(part))
            if not part_state(self.cell, part).held:
                return
        slot = self._free_slot()
        self._do(f'place_{name}', lambda: self.robot.place(part, slot))

    def _do(self, label: str, act: Callable[[], bool]) -> bool:
        begin = self.cell.time
        success = act()
        self._note(Activity(label, begin, self.cell.time, success))
        return success

    def _rest(self, shortest: float, longest: float) -> None:
        seconds, begin = float(self._rng.uniform(shortest, longest)), self.cell.time
        self.robot.rest(seconds)
        self._note(Activity(NO_ACTION, begin, self.cell.time, True))

    def _note(self, action: Activity) -> None:
        self.actions.append(action)
        self._on_action(action)

    def _next_part(self) -> tuple[int, PartState]:
        """Choose a part that can be taken, not the last one if there is another; -1 for none."""
        states = [part_state(self.cell, k) for k in range(len(PARTS))]
        usable = [k for k, s in enumerate(states) if self._is_usable(k, s)]
        others = [k for k in usable if k != self._last] or usable
        part = int(self._rng.choice(others)) if others else -1
        return part, states[part]

    def _is_usable(self, part: int, state: PartState) -> bool:
        if PARTS[part].name in self._without:
            return False
        return state.on_tray or (state.inserted and 'remove' not in self._without)

    def _free_slot(self) -> int:
        """Choose a place on the tray away from all parts."""
        places = [part_state(self.cell, k).position[:2] for k in range(len(PARTS))]
        slots = [self.cell.layout.slot(k) for k in range(PLACES)]
        room = [min(np.hypot(s.x - x, s.y - y) for x, y in places) for s in slots]
        free = [k for k, distance in enumerate(room) if distance > PITCH / 2]
        return int(self._rng.choice(free)) if free else int(np.argmax(room))
