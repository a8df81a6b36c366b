# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One episode from its seed to its messages."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.writing.sink import MessageSink
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.simulation.cameras import Cameras
from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.config import EpisodeConfig, episode_name
from m2r2_ros.simulation.damage import draft_of
from m2r2_ros.simulation.director import Director
from m2r2_ros.simulation.faults import FILE
from m2r2_ros.simulation.layout import draw_layout
from m2r2_ros.simulation.motion import Activity
from m2r2_ros.simulation.recorder import BLOCK, Recorder
from m2r2_ros.simulation.robot import Robot
from m2r2_ros.simulation.truth import TruthWriter

#: Stamp of the beginning of episode 0, nanoseconds; each other one has an hour of its own.
START: Final = 1_760_000_000_000_000_000
_HOUR: Final = 3_600_000_000_000
#: Hours until episodes share them again: the seconds of a ROS stamp are an int32 and end in 2038.
_HOURS: Final = 100_000


class Episode:
    """A cell and what happens in it."""

    def __init__(self, seed: int, config: EpisodeConfig) -> None:
        """Build the cell and its cameras.

        Args:
            seed: Determines everything that happens, and all noise.
            config: Options; what happens does not depend on sensors and faults.
        """
        self._plot, self._noise, self._labels = np.random.default_rng(seed).spawn(3)
        self._cell, self._config = Cell(draw_layout(self._plot)), config
        self._cameras = Cameras(self._cell, config.image_size) if config.cameras else None

    def run(
        self,
        sink: MessageSink,
        start: int,
        *,
        seconds: float,
        block: float = BLOCK,
        on_flush: Callable[[float], None] = lambda seconds: None,
    ) -> list[Activity]:
        """Let the robot work, and write what is sensed and what is true; in the same thread, once.

        Args:
            sink: Where messages go.
            start: Stamp of the beginning, nanoseconds.
            seconds: Length; the action under way is finished.
            block: See Recorder.
            on_flush: See Recorder; what it raises ends the episode.

        Returns:
            The actions, in order and without gaps.

        Raises:
            BagError: The messages cannot be written.
            SimulationError: The physics became unstable.
        """
        recorder = Recorder(
            self._cell,
            sink,
            self._config,
            start,
            self._noise,
            cameras=self._cameras,
            block=block,
            on_flush=on_flush,
        )
        truth = TruthWriter(sink, start, self._labels, self._config.label_faults)

        def write_down(action: Activity) -> None:
            recorder.flush()
            truth.write(action, robot.phases)
            robot.phases.clear()

        robot = Robot(self._cell, self._plot, recorder.watch)
        director = Director(self._cell, robot, self._plot, write_down, self._config.without)
        try:
            director.run(seconds)
            recorder.flush(everything=True)
            truth.finish()
        finally:
            if self._cameras:
                self._cameras.close()
        return director.actions


def write_episode(
    folder: Path,
    seed: int,
    config: EpisodeConfig,
    *,
    overwrite: bool = False,
    on_progress: Callable[[float], None] = lambda seconds: None,
) -> list[Activity]:
    """Simulate an episode and write its bag; the same arguments give the same messages.

    Args:
        folder: Where the bag goes, under `episode_name(seed)`.
        seed: Determines everything that happens, and all noise.
        config: Options; what happens does not depend on sensors and faults.
        overwrite: Replace an earlier bag of that name.
        on_progress: Called with the seconds simulated, at least once a second.

    Returns:
        The actions, in order and without gaps.

    Raises:
        BagError: The bag cannot be written.
    """
    path = folder / episode_name(seed)
    damage = [fault for fault in config.faults if fault.device == FILE]
    start = START + seed % _HOURS * _HOUR
    with (
        draft_of(path, damage, start, seed, overwrite=overwrite) as draft,
        BagWriter(draft, overwrite=overwrite, discard_failed=True) as bag,
    ):
        episode = Episode(seed, config)
        return episode.run(bag, start, seconds=config.seconds, on_flush=on_progress)
