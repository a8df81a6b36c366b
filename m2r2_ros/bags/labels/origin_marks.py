# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How bags and tables say where their labels come from: in custom_data, or in columns."""

from collections.abc import Mapping
from typing import Any, Final

from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.text import excerpt

#: In front of the entries of custom_data in the metadata of a bag with labels.
_PREFIX: Final = 'm2r2_ros.labels.'
#: Columns of a table by what they say.
_COLUMNS: Final = {
    'by': 'annotator', 'time': 'annotated_at', 'tool': 'tool', 'started_from': 'corrected_from',
    'origin': 'origin',
}  # fmt: skip
_ENTRIES: Final = {name: _PREFIX + name for name in _COLUMNS}
_LONGEST: Final = 256


def origin_entries(facts: LayerFacts) -> dict[str, str]:
    """Return the entries of custom_data by which a bag says where its labels come from."""
    return {key: _text(getattr(facts, name)) for name, key in _ENTRIES.items()}


def origin_columns(facts: LayerFacts) -> dict[str, str]:
    """Return the columns by which a table says where its labels come from."""
    return {key: _text(getattr(facts, name)) for name, key in _COLUMNS.items()}


def facts_of_entries(custom: Mapping[str, Any]) -> LayerFacts | None:
    """Return what the custom_data of a bag says; None where it says nothing."""
    return _facts(custom, _ENTRIES)


def facts_of_row(row: Mapping[str, str]) -> LayerFacts | None:
    """Return what a row of a table says; None where it says nothing."""
    return _facts(row, _COLUMNS)


def _facts(found: Mapping[str, Any], keys: Mapping[str, str]) -> LayerFacts | None:
    texts = {name: excerpt(str(found.get(key, '')), _LONGEST) for name, key in keys.items()}
    said = texts.pop('origin')
    origin = next((origin for origin in Origin if origin.value == said), None)
    return None if origin is None else LayerFacts(origin, **texts)


def _text(value: str | Origin | None) -> str:
    return value.value if isinstance(value, Origin) else value or ''
