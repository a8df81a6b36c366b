# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rooms of the package, and which of them may know which others."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = 'm2r2_ros'
ROOT = Path(__file__).resolve().parents[1] / PACKAGE
MODULES = sorted(ROOT.rglob('*.py'))
HEADER = ['# Copyright 2026 The m2r2_ros authors', '# SPDX-License-Identifier: Apache-2.0']

#: Each room and the rooms above it that it may import from, besides itself.
ROOMS: dict[str, set[str]] = {
    'core': set(),
    'readers': {'core'},
    'bags': {'core', 'readers'},
    'windows': {'core'},
    'model': {'core', 'windows'},
    'segmenters': {'core', 'model'},
    'replay': {'core', 'readers', 'bags', 'windows', 'model', 'segmenters'},
    'evaluation': {'core', 'readers', 'bags'},
    'views': {'core', 'readers', 'bags', 'evaluation'},
    'training': {
        'core',
        'readers',
        'bags',
        'windows',
        'model',
        'segmenters',
        'replay',
        'evaluation',
    },
    'export': {'core', 'bags'},
    'simulation': {'core', 'bags'},
}
ROOMS |= {'nodes': set(ROOMS), 'cli': {*ROOMS, 'nodes'}}

#: Rooms that need torch to be imported at all; replay may want it inside functions.
TORCH_ROOMS = {'model', 'segmenters', 'training'}
TORCH = {'torch', 'torchaudio', 'transformers', 'safetensors', 'efficientnet_lite_pytorch'}
#: What core stands on besides the standard library: arrays, and the one reader of YAML.
CORE = {'numpy', 'yaml'}
ROS = {'rclpy', 'rcl_interfaces', 'lifecycle_msgs', 'launch', 'launch_ros'}

each_module = pytest.mark.parametrize('path', MODULES, ids=lambda p: str(p.relative_to(ROOT)))


def imports(nodes: list[ast.stmt] | Iterator[ast.AST], path: Path) -> set[str]:
    """Return the dotted names that `nodes` import, with relative imports spelled out."""
    package = (PACKAGE, *path.relative_to(ROOT).parent.parts)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            parent = '.'.join((*base, *([node.module] if node.module else [])))
            found |= {f'{parent}.{alias.name}' for alias in node.names}
    return found


def all_imports(path: Path) -> set[str]:
    return imports(ast.walk(ast.parse(path.read_text())), path)


def module_level(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Walk what runs on import: everything but the bodies of functions and `TYPE_CHECKING`."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test):
            continue
        yield node
        yield from module_level([n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)])
        for handler in getattr(node, 'handlers', []):
            yield from module_level(handler.body)


def import_time_imports(path: Path) -> set[str]:
    return imports(module_level(ast.parse(path.read_text()).body), path)


def room_of(path: Path) -> str:
    """Return the room that a module lies in, '' for those at the top."""
    return path.relative_to(ROOT).parts[0] if path.parent != ROOT else ''


def tops(names: set[str]) -> set[str]:
    return {name.split('.')[0] for name in names}


def test_arrows_go_one_way() -> None:
    rooms = list(ROOMS)
    for k, room in enumerate(rooms):
        assert ROOMS[room] <= set(rooms[:k]), f'{room} may import only rooms above it'


def test_modules_are_found() -> None:
    assert ROOT / 'core' / 'errors.py' in MODULES


def test_every_folder_is_a_room_of_the_design() -> None:
    assert {room_of(path) for path in MODULES} <= {'', *ROOMS}


@each_module
def test_room_imports_only_what_it_may(path: Path) -> None:
    own = [name.split('.') for name in all_imports(path) if name.startswith(f'{PACKAGE}.')]
    used = {parts[1] for parts in own if len(parts) > 1 and parts[1] in ROOMS}
    room = room_of(path)
    assert used <= ROOMS.get(room, set()) | {room}


@each_module
def test_only_nodes_knows_ros(path: Path) -> None:
    ros = {
        n
        for n in all_imports(path)
        if n.split('.')[0] in ROS or f'{n}.'.startswith(f'{PACKAGE}.msg.')
    }
    assert not ros or room_of(path) == 'nodes'


@each_module
def test_only_learning_rooms_need_torch_to_be_imported(path: Path) -> None:
    assert not tops(import_time_imports(path)) & TORCH or room_of(path) in TORCH_ROOMS


@each_module
def test_rooms_without_learning_never_touch_torch(path: Path) -> None:
    if room_of(path) in {'core', 'readers', 'bags', 'evaluation'}:
        assert not tops(all_imports(path)) & TORCH


@each_module
def test_core_stands_on_numpy_and_yaml_alone(path: Path) -> None:
    if room_of(path) == 'core':
        allowed = {PACKAGE, *sys.stdlib_module_names, *CORE}
        assert tops(all_imports(path)) <= allowed


@each_module
def test_names_of_generated_modules_are_left_free(path: Path) -> None:
    assert not {'msg', 'srv', 'action'} & set(path.relative_to(ROOT).with_suffix('').parts)


@each_module
def test_module_has_licence_header_and_docstring(path: Path) -> None:
    text = path.read_text()
    assert text.splitlines()[:2] == HEADER
    assert ast.get_docstring(ast.parse(text))


def test_walks_of_imports_tell_what_runs_on_import(tmp_path: Path) -> None:
    source = 'import a\ntry:\n    import b\nexcept E:\n    import c\ndef f():\n    import d\n'
    nodes = ast.parse(source)
    path = ROOT / 'core' / 'x.py'
    assert imports(module_level(nodes.body), path) == {'a', 'b', 'c'}
    assert imports(ast.walk(nodes), path) == {'a', 'b', 'c', 'd'}
    relative = ast.parse('from . import y\nfrom ..bags import z\n').body
    assert imports(relative, path) == {'m2r2_ros.core.y', 'm2r2_ros.bags.z'}
