# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError, M2R2Error
from test.bags.files import Item, mcap_bytes, read
from test.bags.sqlite.test_connection import as_nobody
from test.cli.run import m2r2
from test.hostile import folder_files

ITEMS: list[Item] = [('/a', 10 * k, k) for k in range(20)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder with two recordings, one of them at some depth."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    (path / 'good.mcap').write_bytes(mcap_bytes([ITEMS]))
    (path / 'a' / 'b').mkdir(parents=True)
    (path / 'a' / 'b' / 'other.mcap').write_bytes(mcap_bytes([ITEMS]))
    yield path
    (path / 'a').chmod(0o755)
    subprocess.run(['rm', '-rf', path], check=True)  # Python recurses


def good(folder: Path) -> list[Path]:
    return [folder / 'a' / 'b' / 'other.mcap', folder / 'good.mcap']


@pytest.mark.parametrize('case', folder_files.CASES)
def test_recordings_are_found_among_whatever_there_is(
    folder: Path, case: Callable[[Path], None]
) -> None:
    case(folder)
    passed_over: list[str] = []
    assert find_recordings([folder], passed_over.append) == good(folder)
    if case is folder_files.loops:
        names = [
            f'{n}{e}' for e in ('.db3', '.h5', '.mcap') for n in ('gone', 'one', 'self', 'two')
        ]
        told = {f'{folder / n} is a link to nothing: fetch what it stands for' for n in names}
        assert set(passed_over) == told
    else:
        assert [len(passed_over), *passed_over] == [0] or case is folder_files.deep
    shown = m2r2('inspect', '--json', folder)
    assert (shown.code, shown.out.count('"messages": 20')) == (0, 2)


def test_a_folder_that_cannot_be_listed_is_told_and_stops_no_other(folder: Path) -> None:
    (folder / 'a').chmod(0)
    told: list[str] = []
    assert as_nobody(
        lambda: (
            find_recordings([folder], told.append) == [folder / 'good.mcap']
            and told == [f'{folder / "a"} cannot be listed: Permission denied']
        )
    )
    assert as_nobody(lambda: _refused(lambda: find_recordings([folder / 'a'])))
    assert as_nobody(lambda: _refused(lambda: open_recording(folder / 'a' / 'b')))

    def inspected() -> bool:
        shown = m2r2('inspect', '--json', folder)
        return shown.code == 0 and shown.err.count('passed over') == 1

    assert as_nobody(inspected)


def _refused(use: Callable[[], object]) -> bool:
    with pytest.raises(BagError, match='Permission denied'):
        use()
    return True


@pytest.mark.parametrize(
    'case', [folder_files.pipes, folder_files.sockets, folder_files.devices, folder_files.loops]
)
def test_what_is_no_file_is_refused_by_name_and_stops_no_other(
    folder: Path, case: Callable[[Path], None]
) -> None:
    before = {*folder.iterdir()}
    case(folder)
    for path in sorted({*folder.iterdir()} - before):
        if path.suffix in ('.mcap', '.db3', '.h5') and not path.is_dir():
            with pytest.raises(BagError, match=re.escape(str(path))):
                open_recording(path)
        for command in (
            ('inspect', path, '--topics', path),
            ('import', 'table', path, '--input', folder, '--out', folder / 'out'),
            ('repair', path, '--out', folder / 'out'),
            ('evaluate', path, '--truth', path),
        ):
            assert m2r2(*command).error
    shown = m2r2('inspect', '--json', *good(folder))
    assert shown.out.count('"messages": 20') == 2


def test_a_pipe_among_the_recordings_that_are_named_stops_no_other(folder: Path) -> None:
    os.mkfifo(folder / 'x.mcap')
    shown = m2r2('inspect', '--json', *good(folder), folder / 'x.mcap')
    assert shown.out.count('"messages": 20') == 2
    assert '1 of 3 recordings cannot be read' in shown.error


@pytest.mark.parametrize(
    'text', folder_files.bad_metadata().values(), ids=folder_files.bad_metadata()
)
def test_metadata_that_names_what_it_must_not_stops_no_other(folder: Path, text: str) -> None:
    bag = folder / 'bag'
    bag.mkdir()
    (bag / 'bag_0.mcap').write_bytes(mcap_bytes([ITEMS]))
    folder_files.pipes(bag)
    folder_files.devices(bag)
    (bag / 'metadata.yaml').unlink(missing_ok=True)
    (bag / 'metadata.yaml').write_text(text)
    try:
        assert read(open_recording(bag)) == ITEMS
    except M2R2Error as error:
        assert str(bag) in str(error)
    shown = m2r2('inspect', '--json', folder)
    assert shown.out.count('"messages": 20') >= 2
