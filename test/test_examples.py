# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examples of README and docs do what they say.

A fence ```` ```bash run ```` is run, ```` ```bash data ```` where there are real recordings. Any
other fence with a second word, such as ```` ```yaml topics.yaml ````, is a file of that name, which
the commands after it find. Everything happens in one folder for each document, top to bottom, on
short recordings and little training.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from m2r2_ros.bags.labels.stated import load_stated
from m2r2_ros.bags.tables.spec import read_spec
from m2r2_ros.readers.topic_map import load_topics
from test.command_server import command_server
from test.real_data import DATA
from test.test_architecture import ROOMS, reachable

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*sorted(ROOT.glob('*.md')), *sorted((ROOT / 'docs').glob('*.md'))]
FENCE = re.compile(r'^```(\w+)(?: (\S+))?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)')
#: Names of YAML files that have a reader.
READ = ('topics.yaml', 'import.yaml', 'truth.yaml')
#: What makes an example long, and what a test runs instead.
SHORTER = (
    (re.compile(r'--seconds \d+'), '--seconds 10'),
    (re.compile(r'm2r2 simulate '), 'm2r2 simulate --image-size 96 '),
    (re.compile(r'--epochs \d+'), '--epochs 1'),
    (re.compile(r'm2r2 train '), 'm2r2 train --epochs 1 '),
)


class Example(NamedTuple):
    """A fence; `name` is 'run', the name of a file, or ''."""

    language: str
    name: str
    text: str


def examples(document: Path) -> Iterator[Example]:
    for language, name, text in FENCE.findall(document.read_text(encoding='utf-8')):
        yield Example(language, name, text)


def shortened(script: str) -> str:
    for long, short in SHORTER:
        script = long.sub(short, script)
    return script


@pytest.fixture(scope='module')
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with command_server(tmp_path_factory.mktemp('commands')) as folder:
        yield folder


def run(script: str, folder: Path, commands: Path) -> str:
    path = f'{commands}{os.pathsep}{os.environ["PATH"]}'
    environment = {**os.environ, 'COLUMNS': '200', 'PATH': path, 'PYTHONPATH': python_path()}
    done = subprocess.run(
        ['bash', '-euo', 'pipefail', '-c', shortened(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f'{script}\n{done.stdout}\n{done.stderr}'
    return done.stdout


def python_path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH', '')]))


def with_examples() -> list[Path]:
    return [d for d in DOCUMENTS if any(e.name for e in examples(d))]


@pytest.mark.parametrize('document', with_examples(), ids=lambda d: d.name)
def test_examples_work(document: Path, tmp_path: Path, commands: Path) -> None:
    for example in examples(document):
        if example.name == 'run':
            assert example.language == 'bash'
            assert run(example.text, tmp_path, commands).strip() or 'record-only' in example.text
        elif example.name and example.name != 'data':
            path = tmp_path / example.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.text, encoding='utf-8')
            if path.name.endswith('topics.yaml'):
                assert load_topics(path)
            elif path.name.endswith('import.yaml'):
                assert read_spec(path).tables
            elif path.name.endswith('truth.yaml'):
                assert load_stated(path).topic


@pytest.mark.skipif(not (DATA / 'hiro_snap_assembly').is_dir(), reason='no real recordings here')
def test_examples_on_real_data_work(tmp_path: Path, commands: Path) -> None:
    (tmp_path / 'hiro_snap_assembly').symlink_to(DATA / 'hiro_snap_assembly')
    found = [e for document in DOCUMENTS for e in examples(document) if e.name == 'data']
    assert found
    for example in found:
        assert run(example.text, tmp_path, commands).strip()


def test_documents_with_examples_are_found() -> None:
    assert {'README.md', 'bring_your_own_robot.md', 'bring_your_own_labels.md'} <= {
        d.name for d in with_examples()
    }


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda d: d.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding='utf-8')):
        if '://' not in target:
            assert (document.parent / target).exists(), f'{document.name}: {target}'


def test_every_yaml_example_has_a_name_that_says_who_reads_it() -> None:
    for document in DOCUMENTS:
        if document.name.startswith('bring_your_own'):
            for example in examples(document):
                if example.language == 'yaml':
                    assert example.name.endswith(READ), example.text


def test_documented_rooms_are_those_of_the_architecture() -> None:
    document = (ROOT / 'docs' / 'architecture.md').read_text()
    rows = re.findall(r'^\| `(\w+)` \|[^|]*\|([^|]*)\|$', document, re.MULTILINE)
    every = {room: set(re.findall(r'`(\w+)`', granted)) for room, granted in rows}
    for k, (room, granted) in enumerate(rows):
        if granted.strip() == 'every room above':
            every[room] = {other for other, _ in rows[:k]}
    assert every == ROOMS
    assert list(every) == list(ROOMS)
    arrows = re.findall(r'^    (\w+) --> (\w+)$', document, re.MULTILINE)
    drawn: dict[str, set[str]] = {room: set() for room in ROOMS}
    for room, other in arrows:
        drawn[room].add(other)
    assert {room: reachable(drawn, room) for room in ROOMS} == {
        room: reachable(ROOMS, room) for room in ROOMS
    }


def test_documented_hashes_are_the_pinned_ones() -> None:
    pinned = re.findall(r'RIHS01_\w{64}', (ROOT / 'test' / 'test_messages.py').read_text())
    assert re.findall(r'RIHS01_\w{64}', (ROOT / 'docs' / 'messages.md').read_text()) == pinned


def test_documented_fields_are_those_of_the_messages() -> None:
    document = (ROOT / 'docs' / 'messages.md').read_text()
    for path in sorted((ROOT / 'msg').glob('*.msg')):
        section = document.split(f'\n## {path.stem}\n')[1].split('\n## ')[0]
        cells = [row.split('|')[1] for row in section.splitlines() if row.startswith('| `')]
        named = {n.split('.')[0] for cell in cells for n in re.findall('`([a-z_.]+)`', cell)}
        lines = [line.split('#')[0].split() for line in path.read_text().splitlines()]
        declared = {words[1] for words in lines if words}
        constants = {name for name in declared if '=' in name}
        assert named == declared - constants, path.stem
        assert all(f'`{c.split("=")[0]}`' in section for c in constants), path.stem
