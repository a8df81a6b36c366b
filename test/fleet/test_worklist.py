# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from m2r2_ros.bags.remote.names import check_name
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.fleet.items import Item
from m2r2_ros.fleet.worklist import work_list


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Folders with recordings, two of them of one name; what they hold is not looked at."""
    for name in ('monday/a.mcap', 'monday/b.mcap', 'tuesday/a.mcap', 'out/a_labels.mcap'):
        file = tmp_path / 'days' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / 'days'


def test_results_in_the_output_folder_are_no_work(days: Path) -> None:
    items = work_list([str(days / 'monday'), str(days / 'out')], str(days / 'out'))
    assert [item.name for item in items] == ['a', 'b']
    assert [item.source for item in items] == [str(days / 'monday' / f'{n}.mcap') for n in 'ab']
    assert not any(item.named for item in items)
    named = work_list([str(days / 'out' / 'a_labels.mcap')], str(days / 'out'))
    assert [(item.name, item.named) for item in named] == [('a_labels', True)]
    with pytest.raises(BagError, match='holds results alone'):
        work_list([str(days / 'out')], str(days / 'out'))


def test_equal_names_are_kept_apart_by_their_folders(days: Path, tmp_path: Path) -> None:
    out = str(tmp_path / 'out')
    with pytest.raises(BagError, match='have one name: --tree FOLDER'):
        work_list([str(days)], out)
    given = [str(days / 'monday'), str(days / 'tuesday')]
    items = work_list(given, out, tree=f'{days}/')
    assert [(i.folder, i.name) for i in items] == [
        ('monday', 'a'),
        ('monday', 'b'),
        ('tuesday', 'a'),
    ]
    assert len({item.key for item in items}) == 3
    with pytest.raises(ConfigError, match='does not lie below --tree'):
        work_list(given, out, tree=str(days / 'monday'))


def test_a_list_names_recordings_from_the_working_folder(
    days: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(days)
    file = tmp_path / 'list.txt'
    file.write_text('\n# of monday\nmonday/a.mcap\n  monday/b.mcap\r\nmonday/a.mcap\n')
    items = work_list([f'@{file}'], str(tmp_path / 'out'))
    assert [item.source for item in items] == [str(days / 'monday' / f'{n}.mcap') for n in 'ab']
    assert all(item.named for item in items)
    file.write_text('# nothing\n')
    with pytest.raises(ConfigError, match='has no line; expected a list of recordings'):
        work_list([f'@{file}'], str(tmp_path / 'out'))
    with pytest.raises(ConfigError, match='no such file; expected a list of recordings'):
        work_list([f'@{file}.not'], str(tmp_path / 'out'))


@pytest.mark.parametrize(
    'name',
    ['a b', 'größe', '.hidden', 'tab\there', '100%', '\udcff', 'x' * 250, '木' * 80, 'a\\b'],
)
def test_every_name_has_a_key_that_stores_take(name: str) -> None:
    item = Item(f'/r/{name}', name)
    check_name(f'{item.key}.json')
    assert Item(f'/r/{name}', name, 'monday').key != item.key
    assert Item(f'/r/{name}_', f'{name}_').key != item.key


def test_keys_tell_what_was_replaced_from_what_looks_like_it() -> None:
    assert Item('/r/a%09b', 'a%09b').key != Item('/r/a\tb', 'a\tb').key
