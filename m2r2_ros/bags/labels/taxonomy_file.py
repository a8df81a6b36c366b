# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taxonomies that people write down in YAML, with definitions or as plain lists of labels."""

from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import MAX_LABEL, MAX_LABELS
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import naming
from m2r2_ros.core.taxonomy import MAX_TEXT, LabelClass, LabelParent, Taxonomy

_LABELS: Final = 'a list of labels, or lists of labels by their parents'
_EXPECTED: Final = f'a mapping with name, version and classes, or with labels, {_LABELS}'
_VERSION: Final = "text, in quotes where it looks like a number, as in '2'"


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy: name, version, parents and classes; or plain `labels`.

    Plain labels are a list of names, or a mapping from parents to lists of names.

    Raises:
        ConfigError: The file cannot be read, an entry is unknown or wrong, or a name is no label or
            is there twice.
    """
    root = Section.read(path, _EXPECTED)
    with naming(path, ConfigError):
        return _plain(root, path) if 'labels' in root.entries else _taxonomy(root)


def _taxonomy(root: Section) -> Taxonomy:
    name, version = _name(root, 'name'), _name(root, 'version', expected=_VERSION)
    _text(root, 'about')  # for people
    groups = _groups(root)
    entries = root.section('classes')
    if not 0 < len(entries.entries) <= MAX_LABELS:
        root.refuse('classes', f'1 to {MAX_LABELS} classes', len(entries.entries))
    known = {group.name for group in groups}
    classes = tuple(_class(entries, name, known) for name in entries.entries)
    root.close()
    return Taxonomy(name, version, classes, groups)


def _groups(root: Section) -> tuple[LabelParent, ...]:
    entries = root.section('parents', {})
    found = []
    for name, content in entries.entries.items():
        own = entries.part(name, {} if content is None else content)
        found.append(LabelParent(name, _text(own, 'definition'), _text(own, 'colour')))
        own.close()
    return tuple(found)


def _class(entries: Section, name: str, groups: set[str]) -> LabelClass:
    content = entries.entries[name]
    own = entries.part(name, {} if content is None else content)
    made = LabelClass(
        name,
        parent=_text(own, 'parent', most=MAX_LABEL),
        definition=_text(own, 'definition'),
        begins=_text(own, 'begins'),
        ends=_text(own, 'ends'),
        colour=_text(own, 'colour'),
        expects=own.texts('expects', []),
    )
    own.close()
    if groups and made.parent and made.parent not in groups:
        own.refuse('parent', f'one of the parents, {", ".join(sorted(groups))}', made.parent)
    return made


def _plain(root: Section, path: Path) -> Taxonomy:
    content = root.get('labels', (list, dict), expected=_LABELS)
    name, version = _name(root, 'name', path.stem), _name(root, 'version', '', expected=_VERSION)
    root.close()
    if isinstance(content, list):
        pairs = [(label, '') for label in root.texts('labels')]
    else:
        levels = root.section('labels')
        pairs = [(label, parent) for parent in levels.entries for label in levels.texts(parent)]
    if not pairs:
        root.refuse('labels', _LABELS, content)
    return Taxonomy(name, version, tuple(LabelClass(label, parent) for label, parent in pairs))


def _text(section: Section, key: str, default: str = '', *, most: int = MAX_TEXT) -> str:
    """Return text of a bounded length; the default where it is missing."""
    expected = f'text of at most {most} characters'
    text = section.text(key, default, expected=expected)
    if len(text) > most:
        section.refuse(key, expected, text)
    return text.strip()


def _name(section: Section, key: str, *default: str, expected: str = 'a name') -> str:
    """Return a short text, which has to be there without a default."""
    text = section.text(key, *default, expected=expected)
    if len(text) > MAX_LABEL or (text != text.strip()) or not (text or default):
        section.refuse(key, f'{expected}, of at most {MAX_LABEL} characters', text)
    return text
