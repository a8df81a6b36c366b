# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is shown is text, whatever topics, labels, files and errors hold."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.labels.csv import read_segments_csv, write_segments_csv
from m2r2_ros.cli.console import PlainConsole, print_error
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.text import excerpt, listed, printable
from test.bags.files import mcap_bytes
from test.cli.run import m2r2
from test.hostile.fuzzing import tries

#: A title of the window, colours, a link, a cursor that moves, text that runs backwards, a line
#: of one's own, and a byte of a file's name that is not UTF-8.
NASTY = (
    '\x1b]0;title\x07', '\x1b[31mred', '\x1b]8;;http://x\x1b\\link', '\x9b2J', 'a\rb', 'a\x08b',
    '\u202egnp.exe', '\u2066x', 'a\nerror: b', 'a\u2028b', '\x00', '\x7f', '\udcff', '[bold]x[/]',
    ':smile:',
)  # fmt: skip


def shown(*what: object) -> str:
    console = PlainConsole(width=200)
    console.file = io.StringIO()
    console.print(*what)
    text: str = console.file.getvalue()
    return text


@pytest.mark.parametrize('text', NASTY)
def test_text_is_shown_on_one_line_and_not_acted_upon(text: str) -> None:
    table = Table('a', title=text, caption=text)
    table.add_column(text)
    table.add_row(text, 'b')
    for found in (shown(text), shown(f'x {text} y', text), shown(table)):
        assert all(line.isprintable() for line in found.split('\n'))
        assert printable(text) in found
    assert shown(text).count('\n') == 1


def test_usual_text_stays_as_it_is() -> None:
    for text in ('/robot/pose', 'müde', '日本語\u3000x', 'a [b] c', 'C:\\x', '50 %', ''):
        assert printable(text) == text
    assert shown('a [b] 12 c') == 'a [b] 12 c\n'


@tries(50)
@given(st.text() | st.sampled_from(NASTY))
def test_printable_text_stays_so(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
    assert once.encode() or not text
    assert '\n' not in once
    assert len(excerpt(text, 10)) <= 13


def test_lists_are_cut() -> None:
    assert listed(['a', 'b'], 2) == 'a, b'
    assert listed(['a\n', 'b', 'c'], 1) == 'a\\n and 2 more'


def test_errors_are_one_line_for_each_recording(capsys: pytest.CaptureFixture[str]) -> None:
    error = BagError('2 failed', 'a\x1b[2J', 'b\nc')
    assert str(error) == '2 failed\n  a\\x1b[2J\n  b\\nc'
    print_error(error)
    assert capsys.readouterr().err == 'error: 2 failed\n  a\\x1b[2J\n  b\\nc\n'
    assert len(str(BagError('x' * 10**6))) < 3000


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """Write recordings whose names and topics are made to do harm."""
    (tmp_path / 'bags').mkdir()
    for k, text in enumerate(t for t in NASTY if '\0' not in t and '/' not in t):
        topic = f'/t{text}'.encode(errors='replace').decode()
        (tmp_path / 'bags' / f'{k}{text}.mcap').write_bytes(mcap_bytes([[(topic, 10, 1)]]))
    return tmp_path / 'bags'


def test_inspecting_them_shows_text(nasty: Path) -> None:
    result = m2r2('inspect', nasty)
    assert result.code == 0
    assert all(line.isprintable() for line in (result.out + result.err).split('\n'))
    assert '\\x1b[31mred' in result.out
    listing = m2r2('inspect', '--json', nasty)
    assert len(json.loads(listing.out)) == len(list(nasty.iterdir()))
    assert listing.out.isascii()


@pytest.mark.parametrize(
    'arguments',
    [
        ('inspect', '{}'),
        ('evaluate', '{}', '--truth', '{}'),
        ('models', '{}'),
        ('viewers', '{}', '--out', 'x'),
        ('inspect', '--topics', '{}', '.'),
        ('label', '{}', '--model', '{}', '--out', 'x'),
        ('train', '{}', '--out', 'x'),
        ('train-head', '{}', '--model', '{}', '--out', 'x'),
        ('import-table', '{}', '--spec', '{}', '--out', 'x'),
        ('repair', '{}', '--out', 'x'),
    ],
)
@pytest.mark.parametrize(
    'path', ['x' * 300, '/' + 'y/' * 3000, '~nobody123/x', os.fsdecode(b'\xff'), '\x1b[31m', '']
)
def test_paths_of_any_kind_end_in_an_error(
    arguments: tuple[str, ...], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = m2r2(*(argument.format(path) for argument in arguments))
    assert result.code == 2
    assert 'Traceback' not in result.err
    assert all(line.isprintable() for line in result.err.split('\n'))


@pytest.mark.parametrize(
    'content',
    [
        b'root:$6$secret:19000:0:99999:7:::\n' * 5,
        b'a:$6$secret:::\nb:secret$:::\n',
        b'password: secret\n',
        b'- secret\n',
        b'secret',
        b'\x7fELFsecret' * 100,
        b'wrench: [secret',
    ],
)
def test_a_file_that_is_no_topic_file_is_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'shadow').write_bytes(content)
    error = m2r2('inspect', '--topics', tmp_path / 'shadow', tmp_path).error
    assert 'shadow' in error
    assert 'secret' not in error


FORMULAS = (
    "=cmd|' /C calc'!A0", '+1', '-1', '@SUM(A1)', '\tx', '\rx', '\nx', '\uff1d1', '\uff0b1',
    '\uff0d1', '\uff20x',
    "'=1", "''+1", "'x", "it's", "'", '="a,b"', 'plain',
)  # fmt: skip


def test_no_cell_is_a_formula_and_labels_read_back(tmp_path: Path) -> None:
    segments = [Segment(k * 10, k * 10 + 5, label) for k, label in enumerate(FORMULAS)]
    write_segments_csv(tmp_path / 'a.csv', segments, 0)
    assert read_segments_csv(tmp_path / 'a.csv', RecordingClock(0, 100)) == segments
    with (tmp_path / 'a.csv').open(newline='', encoding='utf-8') as file:
        cells = [row['label'] for row in csv.DictReader(file)]
    assert not [cell for cell in cells if cell[0] in '=+-@\t\r\n\uff1d\uff0b\uff0d\uff20']
    assert cells[-1] == 'plain'


@tries(100)
@given(st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), min_size=1))
def test_any_label_reads_back(tmp_path_factory: pytest.TempPathFactory, label: str) -> None:
    path = tmp_path_factory.mktemp('csv') / 'a.csv'
    write_segments_csv(path, [Segment(1, 2, label)], 0)
    assert [s.label for s in read_segments_csv(path, RecordingClock(0, 9))] == [label]
