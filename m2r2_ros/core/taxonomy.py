# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taxonomies: labels of two levels, with what each means, where it begins and where it ends."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import MAX_LABEL, LabelSet
from m2r2_ros.core.palette import Colour, colour_of, hex_colour, parse_colour
from m2r2_ros.core.text import excerpt, listed

#: Characters of a definition or a rule.
MAX_TEXT: Final = 4000
#: What sensors can show of an action: fingers that close or open, force that comes or goes, motion
#: that begins or ends.
EVENTS: Final = ('closing', 'opening', 'contact', 'free', 'motion', 'rest')
_COLOUR: Final = re.compile('#[0-9a-fA-F]{6}')


@dataclass(frozen=True, slots=True)
class LabelParent:
    """A coarse label.

    Attributes:
        name: Of it.
        definition: What it means, for people.
        colour: As #rrggbb; '' for one of the palette.
    """

    name: str
    definition: str = ''
    colour: str = ''

    def __post_init__(self) -> None:
        _expect_name(self.name)
        _expect_texts(self.name, definition=self.definition)
        _expect_colour(self.name, self.colour)


@dataclass(frozen=True, slots=True)
class LabelClass:
    """A label.

    Attributes:
        name: Of it.
        parent: Its coarse label; '' without one.
        definition: What it means, for people.
        begins: What it begins with, for people.
        ends: What it ends with, for people.
        colour: As #rrggbb; '' for that of its place in the palette.
        expects: Which of EVENTS an attempt that succeeds has.
    """

    name: str
    parent: str = ''
    definition: str = ''
    begins: str = ''
    ends: str = ''
    colour: str = ''
    expects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _expect_name(self.name)
        if self.parent:
            _expect_name(self.parent)
        _expect_texts(self.name, definition=self.definition, begins=self.begins, ends=self.ends)
        _expect_colour(self.name, self.colour)
        if wrong := [event for event in self.expects if event not in EVENTS]:
            msg = f'{self.name}: expected events among {", ".join(EVENTS)}, found {listed(wrong)}'
            raise LabelError(msg)


@dataclass(frozen=True)
class Taxonomy:
    """Labels in id order, and their coarse labels.

    Attributes:
        name: Of it.
        version: Of it, such as '2'; '' where nobody counts.
        classes: Its labels; the place of each is its id.
        groups: What is known of their coarse labels; those it lacks have a name alone.
    """

    name: str
    version: str
    classes: tuple[LabelClass, ...]
    groups: tuple[LabelParent, ...] = ()

    def __post_init__(self) -> None:
        if not self.classes:
            msg = f'taxonomy {excerpt(self.name)}: expected labels, found none'
            raise LabelError(msg)
        if len({group.name for group in self.groups}) != len(self.groups):
            msg = f'parents must differ from each other: {listed([g.name for g in self.groups])}'
            raise LabelError(msg)
        _ = self.label_set  # which refuses names that are there twice, or too many

    @cached_property
    def label_set(self) -> LabelSet:
        """Names, parents and colours in id order."""
        chosen = self.colours if any(one.colour for one in self.classes) else ()
        return LabelSet(self.names, self.parents, chosen)

    @property
    def names(self) -> tuple[str, ...]:
        """Label of id 0, 1, ..."""
        return tuple(one.name for one in self.classes)

    @property
    def parents(self) -> tuple[str, ...]:
        """Coarse label of each name; '' without one."""
        return tuple(one.parent for one in self.classes)

    @property
    def colours(self) -> tuple[Colour, ...]:
        """RGB in 0..1 of each label."""
        return tuple(
            parse_colour(one.colour) if one.colour else colour_of(place)
            for place, one in enumerate(self.classes)
        )

    @property
    def parent_colours(self) -> dict[str, str]:
        """Colour of each coarse label, as #rrggbb, in the order in which labels name them."""
        given = {group.name: group.colour for group in self.groups}
        names = dict.fromkeys(parent for parent in self.parents if parent)
        return {name: given.get(name) or hex_colour(colour_of(k)) for k, name in enumerate(names)}

    def find(self, name: str) -> LabelClass | None:
        """Return the label of a name; None where there is none."""
        return next((one for one in self.classes if one.name == name), None)

    def __str__(self) -> str:
        """Return its name and version."""
        return f'{self.name} {self.version}'.strip()


def _expect_name(name: str) -> None:
    if not 0 < len(name) <= MAX_LABEL or not name.isprintable() or name != name.strip():
        msg = (
            f"label '{excerpt(name)}': expected 1 to {MAX_LABEL} characters that can be seen, "
            'without spaces around them'
        )
        raise LabelError(msg)


def _expect_texts(name: str, **texts: str) -> None:
    for key, text in texts.items():
        if len(text) > MAX_TEXT or '\0' in text:
            msg = f'{name}: {key} has {len(text)} characters, expected at most {MAX_TEXT}'
            raise LabelError(msg)


def _expect_colour(name: str, colour: str) -> None:
    if colour and not _COLOUR.fullmatch(colour):
        msg = f"{name}: colour is '{excerpt(colour)}', expected #rrggbb in quotes, as in '#1bb9fa'"
        raise LabelError(msg)
