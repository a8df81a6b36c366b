# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every reader meets every class of damage: it reads, or ends in an error for users."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import M2R2Error
from test.hostile.damage import DAMAGES, flipped, overwritten
from test.hostile.fuzzing import tries
from test.hostile.reader_table import OTHERS, READERS, Reader
from test.test_architecture import MODULES, Module

#: Names of functions and methods that open a file.
OPENING = frozenset(
    {'open', 'read_text', 'read_bytes', 'safe_open', 'load_file', 'open_memmap', 'memmap', 'load',
     'fromfile', 'loadtxt', 'genfromtxt', 'File', 'ZipFile', 'is_zipfile', 'connect'}
)  # fmt: skip
#: Whose methods of these names open no file, or one of the table's own readers.
NOT_FILES = frozenset({'json', 'yaml', 'kind', 'os', 'state', 'part', 'pending', 'store'})


@pytest.mark.parametrize('name', READERS)
def test_whole_files_are_read(name: str, tmp_path: Path) -> None:
    READERS[name].read(READERS[name].make(tmp_path))


def read_damaged(reader: Reader, folder: Path, path: Path, damage: str) -> None:
    """Read a damaged file in a folder of its own; fail unless it is read, or an error names it."""
    try:
        reader.read(path)
    except M2R2Error as error:
        told = str(error)
        assert str(folder) in told, damage
        assert told.isprintable(), damage
        assert len(told) < 700 + 2 * len(str(path)), damage
        assert 'root:x' * 4 not in told, damage
    except Exception as error:
        error.add_note(damage)
        raise


@pytest.mark.filterwarnings('ignore')  # libraries warn of what they then refuse
@pytest.mark.parametrize('name', READERS)
def test_damage_ends_in_an_error_for_users(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    (tmp_path / 'whole').mkdir()
    whole = reader.make(tmp_path / 'whole')
    for k, (damage, apply) in enumerate(DAMAGES.items()):
        if reader.renames or 'name' not in damage:
            folder = Path(shutil.copytree(tmp_path / 'whole', tmp_path / str(k)))
            path = apply(folder / whole.relative_to(tmp_path / 'whole'))
            read_damaged(reader, folder, path, damage)


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', READERS)
@tries(4)
@given(seed=st.integers(0, 2**32))
def test_flipped_bits_and_greatest_numbers_end_in_one_too(
    name: str, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp('damaged')
    path = (flipped, overwritten)[seed % 2](seed)(READERS[name].make(folder))
    read_damaged(READERS[name], folder, path, str(seed))
    shutil.rmtree(folder)


def opens_files(module: Module) -> Iterator[str]:
    """Yield the calls in a module that open a file to read it."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = getattr(function, 'attr', getattr(function, 'id', ''))
        owner = ast.unparse(function.value).split('.')[0] if hasattr(function, 'value') else ''
        writes = [
            value
            for value in (getattr(arg, 'value', None) for arg in node.args)
            if isinstance(value, str) and value and value[0] in 'wxa' and len(value) <= 2
        ]
        if ast.unparse(function) == 'Section.read' or (
            called in OPENING and owner not in NOT_FILES and not writes
        ):
            yield ast.unparse(node)


def test_every_module_that_reads_files_is_in_the_table() -> None:
    known = {name for reader in READERS.values() for name in reader.modules} | OTHERS.keys()
    found = {
        module.name.removeprefix('m2r2_ros.'): calls
        for module in MODULES
        if (calls := list(opens_files(module)))
    }
    assert not {name: calls for name, calls in found.items() if name not in known}
    assert not known - found.keys()


def test_the_walk_finds_what_opens_files() -> None:
    text = 'path.open()\nopen(p, "wb")\np.open("xb")\nsafe_open(p)\njson.load(f)\np.read_text()'
    module = Module(Path('a.py'), text, ast.parse(text))
    assert len(list(opens_files(module))) == 3
