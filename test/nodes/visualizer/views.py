# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Histories of labels for tests."""

from m2r2_ros.core.palette import Colour
from m2r2_ros.nodes.visualizer.history import LabelHistory

SECOND = 10**9
RED: Colour = (1.0, 0.0, 0.0)
BLUE: Colour = (0.0, 0.0, 1.0)


def history(*labels: tuple[float, str, int], gap: float = 1.0) -> LabelHistory:
    """Return a history of labels, given as seconds, name and segment."""
    found = LabelHistory()
    found.set_colours(['pick', 'place'], [RED, BLUE])
    for seconds, name, segment in labels:
        found.note(round(seconds * SECOND), name, segment, 0.5, gap)
    return found
