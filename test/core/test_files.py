# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from m2r2_ros.core.files import atomic_write


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
