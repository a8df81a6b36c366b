# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of one part of a node, as diagnostics publish it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: Levels of diagnostic_msgs/msg/DiagnosticStatus.
OK: Final = 0
WARN: Final = 1
ERROR: Final = 2
STALE: Final = 3


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one part of a node.

    Attributes:
        name: Of the part, without the node's name.
        level: OK, WARN, ERROR or STALE.
        message: One line.
        values: Figures by name, as text.
    """

    name: str
    level: int
    message: str
    values: Mapping[str, str] = field(default_factory=dict)
