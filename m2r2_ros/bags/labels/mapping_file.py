# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mappings from labels to others that people write down in YAML."""

from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.labels.mapping import (
    OUTCOMES,
    POSITIONS,
    UNMAPPED,
    Condition,
    LabelMapping,
    MappingRule,
)
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import MAX_LABELS, expect_labels
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import naming

_EXPECTED: Final = 'a mapping with labels, and what becomes of others (unmapped)'
_TO: Final = 'a label, null to drop it, or a list of rules with `to`, and `when` they hold'
_TARGET: Final = 'a label, or null to drop'
_NAMES: Final = 'a label, or a list of different ones'
#: Rules of one label, and seconds that a rule may speak of.
_MOST_RULES: Final = 256
_MOST_SECONDS: Final = 1e6


def read_mapping(path: Path) -> LabelMapping:
    """Read a mapping: labels, others, unmapped and join.

    Raises:
        ConfigError: The file cannot be read, or an entry is unknown or wrong.
    """
    root = Section.read(path, _EXPECTED)
    name = root.text('name', path.stem)
    root.text('about', '')  # for people
    entries = root.section('labels', {})
    if len(entries.entries) > MAX_LABELS:
        root.refuse('labels', f'at most {MAX_LABELS} labels', len(entries.entries))
    rules = {label: _rules(entries, label, 'labels') for label in entries.entries}
    others = _rules(root, 'others', '') if root.has('others') else ()
    mapping = LabelMapping(
        name,
        rules,
        others,
        root.choice('unmapped', UNMAPPED),
        root.flag('join', True),
    )
    if not rules and not others:
        root.refuse('labels', 'a label that becomes another one', {})
    root.close()
    with naming(path, ConfigError):
        expect_labels(set(rules))
        expect_labels(set(mapping.targets))
    return mapping


def _rules(section: Section, key: str, prefix: str) -> tuple[MappingRule, ...]:
    """Return the rules of a label."""
    content = section.get(key, (str, list, type(None)), expected=_TO)
    place = '.'.join(filter(None, (prefix, key)))
    if not isinstance(content, list):
        return (MappingRule(content or '', place=place),)
    if not 0 < len(content) <= _MOST_RULES:
        section.refuse(key, f'1 to {_MOST_RULES} rules', content)
    rules: list[MappingRule] = []
    for number, item in enumerate(content, 1):
        where = f'{place}[{number}]'
        if rules and rules[-1].when == Condition():
            section.refuse(key, f'no rule after one without `when` ({rules[-1].place})', item)
        own = section.part(f'{key}[{number}]', item)
        if not own.has('to'):  # a line that was forgotten must not drop anything
            own.refuse('to', _TARGET, None)
        to = own.get('to', (str, type(None)), expected=_TARGET)
        rules.append(MappingRule(to or '', _condition(own), where))
        own.close()
    return tuple(rules)


def _condition(rule: Section) -> Condition:
    if not rule.has('when'):
        return Condition()
    when = rule.section('when')
    if not when.entries:
        rule.refuse('when', 'a condition, or no `when` at all', {})
    outcomes = tuple(OUTCOMES.values())
    found: dict[str, Any] = {
        'outcome': when.choice('outcome', outcomes, '') if when.has('outcome') else '',
        'position': when.choice('position', POSITIONS, '') if when.has('position') else '',
    }
    for key in ('shorter_than', 'longer_than', 'starts_before', 'starts_after'):
        found[key] = _seconds(when, key) if when.has(key) else None
    for key in ('after', 'before', 'parent'):
        found[key] = _labels(when, key) if when.has(key) else ()
    when.close()
    return Condition(**found)


def _seconds(section: Section, key: str) -> float:
    expected = f'seconds, 0 to {_MOST_SECONDS:g}'
    value = section.number(key, expected=expected)
    if not 0 <= value <= _MOST_SECONDS:
        section.refuse(key, expected, value)
    return float(value)


def _labels(section: Section, key: str) -> tuple[str, ...]:
    value = section.get(key, (str, list), expected=_NAMES)
    if isinstance(value, list) and value:
        return section.texts(key, expected=_NAMES)
    if not value:
        section.refuse(key, _NAMES, value)
    return (str(value),)
