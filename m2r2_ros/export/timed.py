# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels by seconds from the start of their recording, as other tools count."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import write_text
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.labelled import Labelled


@dataclass(frozen=True, slots=True)
class TimedLabels:
    """The labels of a recording, and when it was made.

    Attributes:
        labelled: The recording and its labels.
        start: When it began, on the clock of the labels, nanoseconds.
        end: When it ended.
    """

    labelled: Labelled
    start: int
    end: int

    def seconds(self, time: int) -> float:
        """Return a time as seconds from the start of the recording."""
        return (time - self.start) / SECOND

    def spans(self) -> Iterator[tuple[Segment, float, float]]:
        """Yield segments with start and end, seconds from the start of the recording."""
        for segment in self.labelled.segments:
            yield segment, self.seconds(segment.start), self.seconds(segment.end)


def timed(labelled: Labelled) -> TimedLabels:
    """Return labels with the time of their recording.

    Raises:
        BagError: The recording cannot be read.
    """
    clock = clock_of(open_recording(labelled.recording))
    return TimedLabels(labelled, clock.start, clock.end)


def media_of(pattern: str, name: str) -> str:
    """Return where the video of a recording is.

    Args:
        pattern: A path or URL in which {name} stands for the recording's name.
        name: Of the recording.

    Raises:
        ConfigError: All recordings would have one video.
    """
    if '{name}' not in pattern:
        msg = f"--media {pattern}: expected {{name}} in it, as in 'videos/{{name}}.mp4'"
        raise ConfigError(msg)
    return pattern.replace('{name}', name)


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Write a JSON file in one step.

    Raises:
        OutputError: It cannot be written.
    """
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + '\n')
