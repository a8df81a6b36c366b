# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topic names of the features of a dataset, such as observation.images.front."""

import re
from collections.abc import Iterator
from typing import Final

#: What stands between the parts of a feature's name, and what may not stand in a topic's.
_BETWEEN: Final = re.compile(r'[./]+')
_STRANGE: Final = re.compile(r'[^A-Za-z0-9_]+')
#: Characters of a topic name.
_LONGEST: Final = 200
#: Below an action: what was asked of the robot is never taken for what it did.
_COMMAND: Final = 'command'


class TopicNames:
    """Gives each feature a topic name that no other has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, feature: str, *below: str) -> str:
        """Return the topic name of a feature.

        Args:
            feature: Such as 'observation.state', or 'observation/state'.
            below: What is put behind it.
        """
        parts = [*_parts(feature), *([_COMMAND] if is_action(feature) else []), *below]
        stem = ('/' + '/'.join(parts))[:_LONGEST].rstrip('/') or '/unnamed'
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f'{stem}_{number}'
        self._taken.add(name)
        return name


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: 'leftArm.ee_pose' is left, arm, ee, pose."""
    spaced = re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name)
    return [word for word in re.split('[^a-z0-9]+', spaced.lower()) if word]


def is_action(feature: str) -> bool:
    """Return whether a feature is what was asked of the robot."""
    return bool({'action', 'actions'} & set(words_of(feature)))


def part_of_topic(name: str) -> str:
    """Return a name as one part of a topic name."""
    return '_'.join(_parts(name)) or '_'


def _parts(name: str) -> Iterator[str]:
    for part in _BETWEEN.split(name):
        if plain := _STRANGE.sub('_', part).strip('_'):
            yield plain if not plain[0].isdigit() else f'_{plain}'
