# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One episode from its seed to its bag."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.writer import BagWriter
from m2r2_ros.simulation.batch import episode_name
from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.director import Director
from m2r2_ros.simulation.layout import draw_layout
from m2r2_ros.simulation.motion import Span
from m2r2_ros.simulation.recorder import Recorder
from m2r2_ros.simulation.robot import Robot
from m2r2_ros.simulation.truth import TruthWriter

#: Stamp of the beginning of episode 0, nanoseconds; every other has an hour of its own.
START: Final = 1_760_000_000_000_000_000
_HOUR: Final = 3_600_000_000_000


def write_episode(
    folder: Path,
    seed: int,
    config: EpisodeConfig,
    *,
    overwrite: bool = False,
    on_progress: Callable[[float], None] = lambda seconds: None,
) -> list[Span]:
    """Simulate an episode and write its bag; the same arguments give the same messages.

    Args:
        folder: Where the bag goes, under `episode_name(seed)`.
        seed: Settles everything that happens, and all noise.
        config: Options; what happens does not depend on sensors and faults.
        overwrite: Replace an earlier bag of that name.
        on_progress: Called with the seconds simulated, about once a second.

    Returns:
        The actions, in order and without gaps.

    Raises:
        BagError: The bag cannot be written.
    """
    plot, noise = np.random.default_rng(seed).spawn(2)
    start = START + seed * _HOUR
    cell = Cell(draw_layout(plot))
    path = folder / episode_name(seed)
    with BagWriter(path, overwrite=overwrite, discard_failed=True) as bag:
        recorder, truth = Recorder(cell, bag, config, start, noise), TruthWriter(bag, start)
        told = 0

        def watch() -> None:
            nonlocal told
            recorder.watch()
            if int(cell.time) > told:
                told = int(cell.time)
                on_progress(cell.time)

        def write_down(action: Span) -> None:
            recorder.flush()
            truth.write(action, robot.phases)
            robot.phases.clear()

        robot = Robot(cell, plot, watch)
        director = Director(cell, robot, plot, write_down)
        try:
            director.run(config.seconds)
            recorder.flush(everything=True)
        finally:
            recorder.close()
    return director.actions
