# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of REASSEMBLE apart from its files: labels, and the defects of recordings."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.options import Section
from m2r2_ros.core.share import share_path

NO_ACTION: Final = 'no_action'


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a recording.

    Attributes:
        note: In words; '' where nothing is.
        leave_out: Topics that end where the last action begins.
    """

    note: str = ''
    leave_out: tuple[str, ...] = ()


def defect_of(name: str) -> Defect:
    """Return what is known to be wrong with a recording, by its name."""
    known = _facts('known_bad').get(name, {})
    return Defect(known.get('note', ''), tuple(known.get('leave_out', ())))


@cache
def action_labels() -> LabelSet:
    """Return the 69 fine labels with their coarse parents (paper section IV-A)."""
    facts = _facts('labels')
    actions = [(f'{verb}_{thing}', verb) for verb in facts['verbs'] for thing in facts['objects']]
    names, parents = zip((NO_ACTION, NO_ACTION), *actions, strict=True)
    return LabelSet(names, parents)


@cache
def phase_labels() -> LabelSet:
    """Return the labels of the low level."""
    return LabelSet.of(_facts('labels')['phases'])


@cache
def _facts(name: str) -> dict[str, Any]:
    path = share_path('config', 'reassemble', f'{name}.yaml')
    return Section.read(path, 'what is known of REASSEMBLE').entries
