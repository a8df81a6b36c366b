# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rooms of the package, and which of them may know which others.

Each test goes over all modules and reports every violation that it finds.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = 'm2r2_ros'
ROOT = Path(__file__).resolve().parents[1] / PACKAGE
HEADER = ['# Copyright 2026 The m2r2_ros authors', '# SPDX-License-Identifier: Apache-2.0']

#: Each room and the rooms above it that it may import from, besides itself.
ROOMS: dict[str, set[str]] = {
    'core': set(),
    'readers': {'core'},
    'bags': {'core', 'readers'},
    'windows': {'core'},
    'model': {'core', 'windows'},
    'network': {'core', 'windows', 'model'},
    'discovery': {'core', 'windows', 'model'},
    'segmenters': {'core', 'windows', 'model', 'discovery'},
    'replay': {'core', 'readers', 'bags', 'windows', 'model', 'segmenters'},
    'evaluation': {'core', 'readers', 'bags'},
    'views': {'core', 'readers', 'bags', 'evaluation'},
    'pages': {'core', 'readers', 'bags', 'evaluation'},
    'review': {'core', 'readers', 'bags', 'evaluation', 'pages'},
    'training': {
        'core',
        'readers',
        'bags',
        'windows',
        'model',
        'network',
        'discovery',
        'segmenters',
        'replay',
        'evaluation',
    },
    'export': {'core', 'readers', 'bags', 'windows'},
    'checks': {'core', 'readers', 'bags', 'windows', 'evaluation', 'pages'},
    'fleet': {'core', 'bags'},
    'simulation': {'core', 'bags'},
}
ROOMS |= {
    'nodes': set(ROOMS) - {'network', 'training', 'export', 'checks', 'fleet'},
    'cli': {*ROOMS, 'nodes'},
}

#: Rooms that train, and need what the extra `train` brings; `nodes` has nothing to do with it, and
#: `cli` may want it inside functions.
TRAINING_ROOMS = {'network', 'training'}
TRAINING = {'torch', 'torchaudio', 'transformers', 'onnx', 'efficientnet_lite_pytorch'}
#: What core stands on besides the standard library: arrays, and the one reader of YAML.
CORE = {'numpy', 'yaml'}
#: What modules may take from yaml: they write it.
WRITES_YAML = {'CSafeDumper', 'safe_dump', 'dump', 'SafeDumper'}
ROS = {'rclpy', 'rcl_interfaces', 'lifecycle_msgs', 'launch', 'launch_ros'}
#: Names of the packages that are generated from msg/, srv/ and action/.
GENERATED = {'msg', 'srv', 'action'}
GENERATED_PREFIXES = tuple(f'{PACKAGE}.{name}.' for name in GENERATED)


class Module(NamedTuple):
    """A file of the package, parsed."""

    path: Path  # below the root of the package
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        parts = (PACKAGE, *self.path.with_suffix('').parts)
        return '.'.join(parts).removesuffix('.__init__')

    @property
    def room(self) -> str:
        """The room that the module lies in, '' for those at the top."""
        return self.path.parts[0] if len(self.path.parts) > 1 else ''

    def imports(self) -> set[str]:
        """Return all dotted names that are imported anywhere, inside functions too."""
        return imported(ast.walk(self.tree), self.path)

    def import_time_imports(self) -> set[str]:
        return imported(import_time_nodes(self.tree.body), self.path)


def imported(nodes: Iterable[ast.AST], path: Path) -> set[str]:
    """Return the dotted names that `nodes` import, with relative imports spelled out."""
    package = (PACKAGE, *path.parent.parts)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            parent = '.'.join((*base, *([node.module] if node.module else [])))
            found |= {f'{parent}.{alias.name}' for alias in node.names}
    return found


def import_time_nodes(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Walk what runs on import: everything but the bodies of functions and `TYPE_CHECKING`."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test):
            yield from import_time_nodes(node.orelse)
            continue
        yield node
        inside = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]
        yield from import_time_nodes(inside)
        for branch in (*getattr(node, 'handlers', []), *getattr(node, 'cases', [])):
            yield from import_time_nodes(branch.body)


def read_modules(root: Path) -> list[Module]:
    paths = sorted(root.rglob('*.py'))
    texts = [path.read_text(encoding='utf-8') for path in paths]
    return [
        Module(path.relative_to(root), text, ast.parse(text))
        for path, text in zip(paths, texts, strict=True)
    ]


MODULES = read_modules(ROOT)


def tops(names: set[str]) -> set[str]:
    return {name.split('.')[0] for name in names}


def report(violations: Iterable[str]) -> None:
    """Fail with every violation on a line of its own."""
    found = sorted(violations)
    assert not found, '\n'.join([f'{len(found)} found:', *found])


def rooms_used(module: Module) -> set[str]:
    own = [name.split('.') for name in module.imports() if name.startswith(f'{PACKAGE}.')]
    return {parts[1] for parts in own if parts[1] in ROOMS}


def graph_of(modules: list[Module]) -> dict[str, set[str]]:
    """Return which of the modules each of them imports, at whatever time."""
    names = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        # `from a.b import c` imports the module a.b.c, or something that is defined in a.b.
        found = {n if n in names else n.rpartition('.')[0] for n in module.imports()}
        graph[module.name] = found & names - {module.name}
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """Return all that `start` leads to; itself only if there is a way back."""
    found: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += graph[name]
    return found


def circles(graph: dict[str, set[str]]) -> set[tuple[str, ...]]:
    """Return the groups of nodes that lead to each other: strongly connected components."""
    ways = {name: reachable(graph, name) for name in graph}
    on_circle = [name for name in graph if name in ways[name]]
    return {tuple(sorted(o for o in on_circle if o in ways[n] and n in ways[o])) for n in on_circle}


def test_every_folder_is_a_room_with_a_face() -> None:
    """A room's face is the docstring of its `__init__.py`: what is in it, in three lines."""
    folders = {m.path.parent for m in MODULES} - {Path()}
    faces = {m.path.parent: ast.get_docstring(m.tree) for m in MODULES if m.path.stem == '__init__'}
    rooms = {m.room for m in MODULES} - {''}
    report(
        [f'{folder}: __init__.py has no docstring' for folder in folders if not faces.get(folder)]
        + [f'{room}: not in the table of rooms' for room in rooms - set(ROOMS)]
        + [f'{room}: in the table of rooms, but no folder' for room in set(ROOMS) - rooms]
    )


def test_rooms_import_only_rooms_above_them() -> None:
    order = list(ROOMS)
    report(
        [
            f'{room}: the table lets it import {other}, which is not above it'
            for k, room in enumerate(order)
            for other in ROOMS[room] - set(order[:k])
        ]
        + [
            f'{module.path}: imports the room {other}'
            for module in MODULES
            for other in rooms_used(module) - ROOMS.get(module.room, set()) - {module.room}
        ]
    )


def test_imports_have_no_circles() -> None:
    report(' <-> '.join(circle) for circle in circles(graph_of(MODULES)))


def test_only_nodes_knows_ros() -> None:
    report(
        f'{module.path}: imports {name}'
        for module in MODULES
        if module.room != 'nodes'
        for name in module.imports()
        if name.split('.')[0] in ROS or f'{name}.'.startswith(GENERATED_PREFIXES)
    )


def unwanted_libraries(module: Module) -> Iterator[str]:
    """Yield what a module may not import from outside the package, and why."""
    used = tops(module.imports())
    if module.room == 'core':
        for name in used - {*CORE, PACKAGE, *sys.stdlib_module_names}:
            yield f'{module.path}: {name}: core needs {" and ".join(sorted(CORE))} alone'
    if module.room == 'cli':
        for name in tops(module.import_time_imports()) & TRAINING:
            yield f'{module.path}: {name}: may be imported inside functions only'
    elif module.room not in TRAINING_ROOMS:
        for name in used & TRAINING:
            yield f'{module.path}: {name}: this room works where nothing is trained'


def test_rooms_need_only_the_libraries_that_are_theirs() -> None:
    """So that reading, checking and drawing recordings starts fast and needs no torch."""
    report(line for module in MODULES for line in unwanted_libraries(module))


def test_yaml_is_read_in_one_place() -> None:
    """So that aliases, which stand for gigabytes in a few bytes, are refused everywhere."""
    own = Path('core', 'yaml_text.py')
    report(
        f'{module.path}: yaml.{node.attr}'
        for module in MODULES
        if module.path != own
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) == 'yaml'
        and node.attr not in WRITES_YAML
    )


def test_modules_have_header_docstring_and_a_free_name() -> None:
    report(
        f'{module.path}: {complaint}'
        for module in MODULES
        for complaint, broken in (
            ('no licence header', module.text.splitlines()[:2] != HEADER),
            ('no docstring', not ast.get_docstring(module.tree)),
            ('has the name of a generated package', GENERATED & set(module.name.split('.'))),
        )
        if broken
    )


def test_a_class_has_its_name_to_itself() -> None:
    places: dict[str, list[str]] = {}
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(module.path))
    report(f'{name}: {", ".join(found)}' for name, found in places.items() if len(found) > 1)


def test_walks_find_every_import_and_circle(tmp_path: Path) -> None:
    every_branch = 'try:\n import b1\nexcept E:\n import b2\nelse:\n import b3'
    for_types = f'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import {PACKAGE}.core.b'
    for name, text in {
        'core/a.py': every_branch,
        'core/b.py': 'from . import c\ndef f():\n from ..bags import d',
        'core/c.py': for_types,
        'bags/__init__.py': 'class d: pass',
        'bags/e.py': f'from {PACKAGE}.core.c import x\nimport {PACKAGE}.bags.e',
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    modules = read_modules(tmp_path)
    found = {m.name.removeprefix(f'{PACKAGE}.'): m for m in modules}
    assert set(found) == {'bags', 'bags.e', 'core.a', 'core.b', 'core.c'}
    assert found['core.a'].imports() == {'b1', 'b2', 'b3'}
    assert found['core.a'].import_time_imports() == {'b1', 'b2', 'b3'}
    assert found['core.b'].imports() == {'m2r2_ros.core.c', 'm2r2_ros.bags.d'}
    assert found['core.b'].import_time_imports() == {'m2r2_ros.core.c'}
    assert found['core.c'].import_time_imports() == {'typing.TYPE_CHECKING'}
    assert graph_of(modules)['m2r2_ros.core.b'] == {'m2r2_ros.core.c', 'm2r2_ros.bags'}
    assert circles(graph_of(modules)) == {('m2r2_ros.core.b', 'm2r2_ros.core.c')}
