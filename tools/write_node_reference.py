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

from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.parameters import AT_RUN_TIME, Parameter

ROOT: Final = Path(__file__).resolve().parents[1]
NODES_YAML: Final = ROOT / 'config' / 'nodes.yaml'
NODES_MD: Final = ROOT / 'docs' / 'nodes.md'
#: In the order of the documentation.
NODES: Final = ('segmenter', 'recorder', 'player', 'visualizer', 'sim')

_TABLE: Final = r'(<!-- parameters of {} -->\n).*?(<!-- end -->)'
_HEAD: Final = """\
# All parameters of all nodes, with their defaults. Copy it, keep what you change, and give the copy
# as params_file:=FILE to a launch file, or as --ros-args --params-file FILE to a node.
#
# Written by tools/write_node_reference.py from the nodes' own tables; docs/nodes.md has the ranges.
"""


def about(name: str) -> About:
    """Return what a node says of itself."""
    found: About = import_module(f'm2r2_ros.nodes.{name}.node').ABOUT
    return found


def table_of(name: str) -> tuple[Parameter, ...]:
    """Return the parameters that a node declares."""
    return tuple(about(name).parameters)


def nodes_yaml() -> str:
    """Return the content of config/nodes.yaml."""
    return _HEAD + ''.join(_yaml_of(name, table_of(name)) for name in NODES)


def _yaml_of(name: str, table: Sequence[Parameter]) -> str:
    lines = [f'\n/**/{name}:', '  ros__parameters:']
    for parameter in table:
        lines.append(f'    # {parameter.description}')
        lines.append(f'    {parameter.name}: {parameter.literal}')
    return '\n'.join(lines) + '\n'


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
        notes = [p.description.rstrip('.').replace('|', r'\|'), *map(_marked, p.limits())]
        rows.append(f'| `{p.name}` | {p.type_name} | `{p.literal}` | {"; ".join(notes)} |')
    return '\n'.join(rows) + '\n'


def _marked(limit: str) -> str:
    """Return a limit with what stands out of the table."""
    if limit == AT_RUN_TIME:
        return f'**{limit}**'
    start, choices, names = limit.partition('one of ')
    return start + choices + ', '.join(f'`{name}`' for name in names.split(', ') if name)


def main() -> None:
    """Write both files."""
    NODES_YAML.write_text(nodes_yaml())
    NODES_MD.write_text(nodes_md(NODES_MD.read_text()))


if __name__ == '__main__':
    main()
