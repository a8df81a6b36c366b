# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fields that are read of a topic, looked up in its type."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.readers.paths import Step
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.readers.types import Message
from m2r2_ros.readers.usual import choose_paths, names_path, place
from m2r2_ros.readers.walk import Found, plan_for, walk


class FieldSelection:
    """The paths that are read of a type, and the lists of names that go with them.

    Attributes:
        root: The type.
        paths: Paths to numbers, in order.
        names: For each of these the slot of its list of names; None where it is read by order.
        stamp: Slot of the time stamp; None where there is none.
        adds: Whether the numbers of a message are added up to one.
    """

    def __init__(self, spec: TopicSpec, root: Message) -> None:
        """Look up the fields of a topic.

        Raises:
            MessageError: No field is given, and the type holds none that is usual.
            ConfigError: A field that is given is not in the type.
        """
        self._spec, self.root = spec, root
        self.paths = choose_paths(spec, root)
        self.adds = spec.sum or spec.convention == 'gripper'
        lists = [names_path(spec, root, path) for path in self.paths]
        wanted = [path.steps for path in self.paths]
        slots: dict[tuple[Step, ...], int] = {}
        for steps in lists:
            if steps is not None and steps not in slots:
                slots[steps] = len(wanted)
                wanted.append(steps)
        self.names = [None if steps is None else slots[steps] for steps in lists]
        self.stamp = len(wanted) if root.stamp else None
        if root.stamp:
            wanted.append(tuple(Step(name) for name in root.stamp))
        self._plan = plan_for(root, wanted)

    @property
    def dims(self) -> int:
        """Numbers of a sample, as far as the declaration and the type say it; 0 if they do not.

        Raises:
            ConfigError: They say different things.
        """
        if self.adds:
            return 1
        counts = [
            path.count if slot is None else len(self._spec.joints) or None
            for path, slot in zip(self.paths, self.names, strict=True)
        ]
        found = 0 if None in counts else sum(count or 0 for count in counts)
        return self.checked(found) if found else self._wanted

    def checked(self, count: int) -> int:
        """Return how many numbers there are.

        Raises:
            ConfigError: There ought to be another number of them.
        """
        if self._wanted and count != self._wanted and not self.adds:
            fields = ', '.join(path.text for path in self.paths)
            option = 'dims' if self._spec.dims else 'fields'
            msg = (
                f'{place(self._spec)}: {fields} of type {self.root.name} give {count} numbers, '
                f'expected {self._wanted}; correct {self._spec.modality}.{option}'
            )
            raise ConfigError(msg)
        return count

    def walk(self, raw: NDArray[np.uint8]) -> Found:
        """Find the numbers of a message.

        Raises:
            Unusable: It is not what its type promises.
        """
        return walk(raw.data, self.root, self._plan)

    @property
    def _wanted(self) -> int:
        like = BUILTIN.get(self._spec.convention)
        return self._spec.dims or (like.read_dims if like else 0)
