# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the labels of a recording come from: people, models, rules or somebody else's data."""

from dataclasses import dataclass
from enum import Enum


class Origin(str, Enum):
    """Who or what made a layer of labels."""

    MANUAL = 'manual'  # a person, from nothing
    CORRECTED = 'corrected'  # a person, from labels that were there
    AUTOMATIC = 'automatic'  # a model that was trained
    HEURISTIC = 'heuristic'  # rules, or clusters of what rules found
    IMPORTED = 'imported'  # came with the data, or from a table


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """Where a layer of labels comes from.

    Attributes:
        origin: Who or what made it; None where that is not known.
        by: The annotator, or the id of the model; '' where it is not known.
        time: When, UTC, as 2026-11-27T15:30:12.345Z; '' where it is not known.
        tool: With what, and which version of it; '' where it is not known.
        started_from: What it was made from, such as another layer; '' for nothing.
    """

    origin: Origin | None = None
    by: str = ''
    time: str = ''
    tool: str = ''
    started_from: str = ''

    def __str__(self) -> str:
        """Return what a table says of it."""
        kind = self.origin.value if self.origin else 'unknown'
        return f'{kind} ({self.by})' if self.by else kind
