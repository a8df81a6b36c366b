# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the nodes' parameter tables into config/nodes.yaml and docs/nodes.md.

    python tools/write_node_reference.py

In docs/nodes.md it replaces the tables between `<!-- parameters of NODE -->` and `<!-- end -->`.
"""

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from m2r2_ros.nodes.common.managed import AUTOSTART, ManagedNode
from m2r2_ros.nodes.common.parameters import Parameter, Value

ROOT: Final = Path(__file__).resolve().parents[1]
NODES_YAML: Final = ROOT / 'config' / 'nodes.yaml'
NODES_MD: Final = ROOT / 'docs' / 'nodes.md'
#: In the order of the documentation.
NODES: Final = ('segmenter', 'recorder', 'player', 'visualizer', 'sim')

_TYPES: Final = {bool: 'bool', int: 'int', float: 'double', str: 'string', tuple: 'string[]'}
_TABLE: Final = r'(<!-- parameters of {} -->\n).*?(<!-- end -->)'
_HEAD: Final = """\
# All parameters of all nodes, with their defaults. Copy it, keep what you change, and give the copy
# as params_file:=FILE to a launch file, or as --ros-args --params-file FILE to a node.
#
# Written by tools/write_node_reference.py from the nodes' own tables; docs/nodes.md has the ranges.
"""


def table_of(name: str) -> tuple[Parameter, ...]:
    """Return the parameters that a node declares."""
    module = import_module(f'm2r2_ros.nodes.{name}.node')
    classes = [v for v in vars(module).values() if isinstance(v, type)]
    managed = any(issubclass(c, ManagedNode) and c is not ManagedNode for c in classes)
    return (*([AUTOSTART] if managed else []), *module.PARAMETERS)


def nodes_yaml() -> str:
    """Return the content of config/nodes.yaml."""
    return _HEAD + ''.join(_yaml_of(name, table_of(name)) for name in NODES)


def _yaml_of(name: str, table: Sequence[Parameter]) -> str:
    lines = [f'\n/**/{name}:', '  ros__parameters:']
    for parameter in table:
        lines.append(f'    # {parameter.description}')
        lines.append(f'    {parameter.name}: {_literal(parameter.default)}')
    return '\n'.join(lines) + '\n'


def _literal(value: Value) -> str:
    """Return a value in YAML."""
    if isinstance(value, tuple):
        return f'[{", ".join(_literal(item) for item in value)}]'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'{}'".format(value.replace("'", "''"))
    return str(value)


def nodes_md(text: str) -> str:
    """Return the content of docs/nodes.md, with its tables renewed."""
    for name in NODES:
        # Backslashes in a replacement would be escapes.
        rows = _rows(table_of(name)).replace('\\', r'\\')
        text = re.sub(_TABLE.format(name), rf'\g<1>{rows}\g<2>', text, flags=re.DOTALL)
    return text


def _rows(table: Sequence[Parameter]) -> str:
    rows = ['| parameter | type | default | what it is |', '|---|---|---|---|']
    for p in table:
        notes = [p.description.rstrip('.').replace('|', r'\|'), *_limits(p)]
        kind = _TYPES[type(p.default)]
        rows.append(f'| `{p.name}` | {kind} | `{_literal(p.default)}` | {"; ".join(notes)} |')
    return '\n'.join(rows) + '\n'


def _limits(parameter: Parameter) -> list[str]:
    """Return what a table adds to the description."""
    limits = []
    if parameter.low is not None and parameter.high is not None:
        limits.append(f'{parameter.low:.15g} to {parameter.high:.15g}')
    if parameter.choices:
        limits.append('one of ' + ', '.join(f'`{choice}`' for choice in parameter.choices))
    if parameter.dynamic:
        limits.append('**can be changed at run time**')
    return limits


def main() -> None:
    """Write both files."""
    NODES_YAML.write_text(nodes_yaml())
    NODES_MD.write_text(nodes_md(NODES_MD.read_text()))


if __name__ == '__main__':
    main()
