# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every frame of a data set has; recordings that have other sensors do not fit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.core.text import listed
from m2r2_ros.export.frames.names import number_names
from m2r2_ros.export.frames.sensors import ACTION, NEXT_STATE, STATE, Chosen

#: What a robot feels, and is not told to do.
_FELT: Final = ('wrench', 'imu')


@dataclass(frozen=True, slots=True)
class Schema:
    """The sensors of a data set.

    Attributes:
        cameras: Their names; frames are at the images of the first.
        vectors: By sensor, what its numbers are called.
        action: What those of the action are called; () without one.
        acting: Sensors whose next values are the action; () where it is a command.
    """

    cameras: tuple[str, ...]
    vectors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    action: tuple[str, ...] = ()
    acting: tuple[str, ...] = ()

    @property
    def state(self) -> tuple[str, ...]:
        """What the numbers of the state are called: those of all sensors in order."""
        return tuple(name for names in self.vectors.values() for name in names)


def schema_of(chosen: Sequence[Chosen], action: str) -> Schema:
    """Return the sensors that at least half of some recordings have, as the first has them.

    Args:
        chosen: Of each recording.
        action: NEXT_STATE, or anything else where it is a command.

    Raises:
        BagError: No recording has anything to export.
        ConfigError: A sensor has a name that is taken, or there is no state to act by.
    """
    counts = Counter(name for one in chosen for name in one.specs)
    usual = {name for name, count in counts.items() if 2 * count >= len(chosen)}
    cameras: list[str] = []
    vectors: dict[str, tuple[str, ...]] = {}
    command: tuple[str, ...] = ()
    for one in chosen:
        cameras += [name for name in one.cameras if name in usual and name not in cameras]
        for name, spec in one.vectors.items():
            if name in usual:
                vectors.setdefault(name, number_names(spec))
        if one.action is not None and ACTION in usual:
            command = command or number_names(one.action)
    if STATE in usual:
        msg = f'a sensor is called {STATE}, as all of them together are: call it otherwise'
        raise ConfigError(msg)
    if not cameras and not vectors:
        msg = (
            'the recordings have neither a camera nor numbers that are known: name topics with '
            '--topics (m2r2 topics writes what could serve)'
        )
        raise BagError(msg)
    acting: tuple[str, ...] = ()
    if action == NEXT_STATE:
        acting = tuple(name for name in vectors if _can_act(chosen, name))
        command = tuple(text for name in acting for text in vectors[name])
        if not command:
            msg = f'--action {NEXT_STATE}: the recordings have no state that can be commanded'
            raise ConfigError(msg)
    return Schema(tuple(cameras), vectors, command, acting)


def fitted_to(recording: Recording, chosen: Chosen, schema: Schema) -> Chosen:
    """Return the topics of a recording that a data set has.

    Raises:
        BagError: It lacks one, or one has other numbers.
    """
    wanted = [*schema.cameras, *schema.vectors]
    if schema.action and not schema.acting:
        wanted.append(ACTION)
    if lacking := [name for name in wanted if name not in chosen.specs]:
        why = ''.join(f' ({chosen.problems[n]})' for n in lacking if n in chosen.problems)
        msg = (
            f'{recording.path}: it has no {listed(lacking)}, which the other recordings have{why}; '
            'export it by itself, or set to null with --topics what it lacks'
        )
        raise BagError(msg)
    for name, names in {**schema.vectors, **_command(schema)}.items():
        own = number_names(chosen.specs[name])
        if own != names:
            msg = (
                f'{recording.path}: {name} has the numbers {listed(own, 20)}, those of other '
                f'recordings are {listed(names, 20)}; export it by itself, or name the same ones '
                'with --topics'
            )
            raise BagError(msg)
    return replace(
        chosen,
        cameras={name: chosen.cameras[name] for name in schema.cameras},
        vectors={name: chosen.vectors[name] for name in schema.vectors},
        action=chosen.action if _command(schema) else None,
    )


def left_out(chosen: Chosen, schema: Schema) -> list[str]:
    """Return the topics of a recording that a data set lacks, since few others have them."""
    known = {*schema.cameras, *schema.vectors, *_command(schema)}
    return [f'{spec.topic} ({name})' for name, spec in chosen.specs.items() if name not in known]


def _can_act(chosen: Sequence[Chosen], name: str) -> bool:
    """Return whether a sensor measures what a robot can be told to do, unlike forces."""
    spec = next(one.vectors[name] for one in chosen if name in one.vectors)
    return spec.convention not in _FELT


def _command(schema: Schema) -> Mapping[str, tuple[str, ...]]:
    return {ACTION: schema.action} if schema.action and not schema.acting else {}
