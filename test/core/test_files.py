# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import os
from pathlib import Path

import pytest

from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import atomic_write, new_folder


def test_a_file_is_replaced_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / 'file.json'
    path.write_text('old')
    with atomic_write(path) as draft:
        draft.write_text('new')
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'
    assert [p.name for p in tmp_path.iterdir()] == ['file.json']


def test_a_file_stays_when_its_successor_fails(tmp_path: Path) -> None:
    path = tmp_path / 'file.json'
    path.write_text('old')
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as draft:
        draft.write_text('half')
        raise KeyboardInterrupt
    assert path.read_text() == 'old'
    assert [p.name for p in tmp_path.iterdir()] == ['file.json']


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / 'pipe', tmp_path / 'link'
    os.mkfifo(pipe)
    link.symlink_to('/dev/null')
    for path in (pipe, link, tmp_path):
        with pytest.raises(OutputError, match='no file'), atomic_write(path) as draft:
            draft.write_text('new')
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_new_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / 'deep' / 'out'
    (tmp_path / 'deep' / 'out.partial').mkdir(parents=True)
    (tmp_path / 'deep' / 'out.partial' / 'left').touch()  # by a run that was killed
    with new_folder(out) as draft:
        (draft / 'a').write_text('whole')
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ['a']
    with pytest.raises(OutputError, match='out: exists already'), new_folder(out):
        pass
    assert (out / 'a').read_text() == 'whole'


def test_a_new_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / 'out') as draft:
        (draft / 'a').touch()
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
