# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import base64
import gzip
from pathlib import Path

from test.cli.run import done, m2r2

NAMES = ('first', 'second', 'third')


def content(page: Path) -> tuple[str, bytes]:
    """Return a page without its container, and that without the time at which it was packed."""
    before, packed = page.read_text().rsplit('id="container">', 1)
    packed, after = packed.split('<', 1)
    return before + after, gzip.decompress(base64.b64decode(packed))


def test_pages_and_their_index_are_those_of_one_process(robots: Path, tmp_path: Path) -> None:
    plain, fleet = tmp_path / 'plain', tmp_path / 'fleet'
    good = [robots / name for name in NAMES]
    done('report', *good, '--out', plain)
    done('report', *good[:1], '--out', fleet, '--fleet', '--workers', 1)
    # Another run adds to the folder; its index tells of all.
    result = done('report', *good, '--out', fleet, '--fleet', '--workers', 1)
    assert '3 recordings: 2 to do, 1 done already' in result.err
    assert (fleet / 'index.html').read_text() == (plain / 'index.html').read_text()
    for name in NAMES:
        assert content(fleet / f'{name}.html') == content(plain / f'{name}.html')


def test_what_has_no_page_is_told_by_the_index(robots: Path, tmp_path: Path) -> None:
    command = ['report', robots, '--out', tmp_path, '--fleet', '--workers', 1]
    for _ in range(2):
        assert '1 of 4 recordings could not be reported' in m2r2(*command).error
        index = (tmp_path / 'index.html').read_text()
        assert 'Not reported (1)' in index
        assert 'broken.mcap' in index
        assert all(f'{name}.html' in index for name in NAMES)


def test_a_page_of_one_recording_is_no_work_for_a_fleet(robots: Path, tmp_path: Path) -> None:
    page = tmp_path / 'page.html'
    assert 'give a folder' in m2r2('report', robots / 'first', '--out', page, '--fleet').error
