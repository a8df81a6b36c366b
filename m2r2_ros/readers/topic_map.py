# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topic maps: YAML files that declare what a model takes in and which topics give it."""

from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import (
    BUILTIN,
    MODALITIES,
    NAMES,
    Modality,
    check_modalities,
    is_name,
    read_modality,
)
from m2r2_ros.core.options import Section, expect_known
from m2r2_ros.core.reading import naming
from m2r2_ros.readers.topics import TopicSpec, read_topic

#: Whatever may be said of a modality; some of it is for images, for sound or for vectors alone.
_ENTRIES: Final = tuple(
    dict.fromkeys(
        f.name
        for declaration in (TopicSpec, Modality)
        for f in fields(declaration)
        if f.name not in ('modality', 'name')
    )
)
_EXPECTED: Final = f'a mapping of modalities, such as {", ".join(MODALITIES)}'


@dataclass(frozen=True, slots=True)
class TopicMap:
    """What a topic map says.

    Attributes:
        modalities: Declarations, of those that are not switched off.
        topics: Where they come from; without topic where one is switched off. A twist that is made
            from a pose is not in it.
    """

    modalities: dict[str, Modality] = field(default_factory=dict)
    topics: dict[str, TopicSpec] = field(default_factory=dict)


def read_topic_map(path: Path) -> TopicMap:
    """Read a topic map: each modality a topic name, null for off, or a mapping of entries.

    Raises:
        ConfigError: The file cannot be read, or an entry is unknown or of the wrong kind.
    """
    root = Section.read(path, _EXPECTED)
    found = TopicMap()
    for name, value in root.entries.items():
        # Any file may have been given by mistake, and what is in it may be secret.
        if not is_name(name):
            msg = f'{path}: expected {_EXPECTED}; each has {NAMES}'
            raise ConfigError(msg)
        entry = root.part(name, value if isinstance(value, dict) else {'topic': value})
        if isinstance(value, dict):
            expect_known(value, _ENTRIES, f'{path}: {name}')
        elif name not in BUILTIN:
            near = ''.join(f'; did you mean {n}?' for n in get_close_matches(name, BUILTIN, 1))
            msg = (
                f'{path}: {name}: expected a mapping with topic, and like or fields; built in are '
                f'only {", ".join(BUILTIN)}{near}'
            )
            raise ConfigError(msg)
        with naming(path, ConfigError):
            modality = read_modality(entry, name)
        if modality.derived_from and 'topic' not in entry.entries:
            found.modalities[name] = modality
        else:
            found.topics[name] = read_topic(entry, name, modality.like)
            if found.topics[name].topic:
                # A built-in modality keeps its unit, to which the topic's is converted.
                unit = BUILTIN[modality.like].unit if modality.like else ''
                found.modalities[name] = replace(modality, unit=unit or modality.unit)
        entry.close()
    if found.modalities:
        check_modalities(found.modalities, f'{path}: ')
    return found


def load_topics(path: Path) -> dict[str, TopicSpec]:
    """Read the topics of a topic map.

    Raises:
        ConfigError: As for `read_topic_map`.
    """
    return read_topic_map(path).topics
