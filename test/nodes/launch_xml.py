# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Understands as much of XML launch files as ours use, for machines without `ros2 launch`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import yaml

from m2r2_ros.nodes.launch.process import Process

ROOT: Final = Path(__file__).resolve().parents[2]
FILES: Final = sorted((ROOT / 'launch').glob('*.launch.xml'))
PACKAGE: Final = 'm2r2_ros'

_SUBSTITUTION: Final = re.compile(r'\$\(([^()]*)\)')
_TYPES: Final[dict[str, Any]] = {
    'str': str, 'int': int, 'float': float, 'bool': {'true': True, 'false': False}.__getitem__,
}  # fmt: skip


def read(path: Path) -> ElementTree.Element:
    """Parse a launch file."""
    return ElementTree.parse(path).getroot()


def declared(root: ElementTree.Element) -> dict[str, str | None]:
    """Return the arguments of a launch file and their defaults."""
    return {arg.attrib['name']: arg.get('default') for arg in root.findall('arg')}


def variables(text: str) -> set[str]:
    """Return the names in `$(var name)`."""
    return {t.split()[1] for t in _SUBSTITUTION.findall(text) if t.split()[0] == 'var'}


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Put in what `$(var name)` and `$(find-pkg-share name)` stand for."""

    def replace(match: re.Match[str]) -> str:
        kind, name = match[1].split()
        if kind == 'var':
            return values[name]
        assert (kind, name) == ('find-pkg-share', PACKAGE), f'unknown: {match[0]}'
        return str(ROOT)

    return _SUBSTITUTION.sub(replace, text)


def processes(path: Path, given: Mapping[str, str]) -> Iterator[Process]:
    """Yield what `ros2 launch m2r2_ros FILE name:=value ...` would start."""
    root = read(path)
    defaults = declared(root)
    assert given.keys() <= defaults.keys(), f'{path.name}: {given.keys() - defaults.keys()}'
    values: dict[str, str] = {}
    for name, default in defaults.items():
        assert name in given or default is not None, f'{path.name} needs {name}'
        values[name] = given[name] if name in given else substitute(default or '', values)
    for element in root:
        texts = {key: substitute(text, values) for key, text in element.attrib.items()}
        if element.tag == 'arg' or texts.get('if', 'true') == 'false':
            continue
        if element.tag == 'include':
            passed = {e.attrib['name']: substitute(e.attrib['value'], values) for e in element}
            yield from processes(Path(texts['file']), passed)
        else:
            assert element.tag == 'node', element.tag
            yield _process(texts, element, values)


def _process(
    texts: Mapping[str, str], element: ElementTree.Element, values: Mapping[str, str]
) -> Process:
    files: list[str] = []
    parameters: dict[str, Any] = {}
    for param in element:
        assert param.tag == 'param', param.tag
        if 'from' in param.attrib:
            assert not parameters, 'a file after parameters would go before them'
            files.append(substitute(param.attrib['from'], values))
        else:
            convert = _TYPES[param.attrib['type']]
            parameters[param.attrib['name']] = convert(substitute(param.attrib['value'], values))
    to_sigterm = float(texts.get('sigterm_timeout', 5.0))
    return Process(
        executable=texts['exec'],
        package=texts['pkg'],
        name=texts.get('name', ''),
        namespace=texts.get('namespace', ''),
        files=tuple(files),
        parameters=parameters,
        options=tuple(texts.get('args', '').split()),
        ros_options=tuple(texts.get('ros_args', '').split()),
        essential=texts.get('on_exit') == 'shutdown',
        respawn=texts.get('respawn') == 'true',
        patience=to_sigterm + 5.0,  # and from there to SIGKILL
    )


def parameters_in(path: Path) -> dict[str, dict[str, Any]]:
    """Return the parameters in a parameter file, by the name of the node."""
    content = yaml.safe_load(path.read_text())
    assert all(key.startswith('/**/') for key in content)
    return {key.removeprefix('/**/'): node['ros__parameters'] for key, node in content.items()}
