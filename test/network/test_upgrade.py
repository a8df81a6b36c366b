# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles written anew in their places: the old one or the new one, whatever happens."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from m2r2_ros.core.errors import BundleError, OutputError
from m2r2_ros.core.files import Claim
from m2r2_ros.model.facts import FORMAT, WEIGHTS, YAML, bundle_id, read_facts
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.upgrade import upgrade
from m2r2_ros.segmenters.kinds import open_model
from test.hostile.bundle_files import edited, load
from test.network.networks import make_bundle


@pytest.fixture(scope='module')
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as versions without graphs wrote them."""
    folder = tmp_path_factory.mktemp('old') / 'model'
    save_bundle(make_bundle(), folder)
    (folder / NETWORK).unlink()
    edited(lambda e: (e.pop('graph'), e.update(format=3)))(folder)
    return folder


@pytest.fixture
def folder(old: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(old, tmp_path / 'model'))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_old_bundle_labels_once_it_is_upgraded(folder: Path) -> None:
    with pytest.raises(BundleError, match=rf'm2r2 models --upgrade {folder}'):
        open_model(folder)
    before = load_bundle(folder)
    upgraded = upgrade(folder)
    assert upgraded.old_id == before.id
    assert upgraded.id == bundle_id(folder) == open_model(folder).id
    after = load_bundle(folder)
    assert load(folder)['format'] == FORMAT
    for name, tensor in before.network.state_dict().items():
        assert torch.equal(tensor, after.network.state_dict()[name])
    assert names(folder.parent) == {'model'}


@pytest.mark.parametrize(('mask', 'mode'), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_who_may_read_one_file_may_read_all(folder: Path, mask: int, mode: int) -> None:
    """A robot's service is another user than who trained its model."""
    before = os.umask(mask)
    try:
        upgrade(folder)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {mode}


def test_another_upgrade_changes_nothing(folder: Path) -> None:
    first = upgrade(folder)
    assert upgrade(folder).id == first.id


def test_what_else_is_in_the_folder_is_kept(folder: Path) -> None:
    (folder / 'curves').mkdir()
    (folder / 'curves' / 'loss.csv').write_text('1,2\n')
    (folder / 'README.md').write_text('mine')
    (folder / 'latest').symlink_to('nowhere')
    (folder / RECORDING).write_text('of a head that is no more')
    upgrade(folder)
    assert names(folder) == {YAML, WEIGHTS, NETWORK, 'curves', 'README.md', 'latest'}
    assert (folder / 'curves' / 'loss.csv').read_text() == '1,2\n'
    assert (folder / 'latest').readlink() == Path('nowhere')


def test_folders_of_similar_names_are_left_alone(folder: Path) -> None:
    others = [folder.with_name(f'model.{end}') for end in ('upgraded', 'replaced', 'partial')]
    for other in others:
        shutil.copytree(folder, other)
    upgrade(folder)
    assert all((other / WEIGHTS).exists() for other in others)


def test_a_link_goes_on_to_lead_to_the_bundle(folder: Path) -> None:
    link = folder.with_name('current')
    link.symlink_to(folder.name)
    upgrade(link)
    assert link.is_symlink()
    assert open_model(link).id == bundle_id(folder)
    assert names(folder.parent) == {'model', 'current'}


def test_the_folder_may_be_the_one_that_one_is_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert upgrade(Path()).id == bundle_id(folder)


def test_what_is_no_bundle_is_refused_and_nothing_made(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r'nowhere.*no such file'):
        upgrade(tmp_path / 'some' / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(BundleError, match=r'empty.*no such file'):
        upgrade(tmp_path / 'empty')
    with pytest.raises(BundleError, match=r'no such file'):
        upgrade(Path('/'))
    assert names(tmp_path) == {'empty'}


def test_a_bundle_that_another_run_writes_is_left_alone(folder: Path) -> None:
    before = bundle_id(folder)
    with Claim(folder), pytest.raises(OutputError, match='another run'):
        upgrade(folder)
    assert bundle_id(folder) == before


def test_a_bundle_that_does_not_fit_stays_as_it_is(folder: Path) -> None:
    edited(lambda e: e['model'].update(mlp=16))(folder)
    before = bundle_id(folder)
    with pytest.raises(BundleError, match='expected'):
        upgrade(folder)
    assert bundle_id(folder) == before
    assert names(folder.parent) == {'model'}


@pytest.mark.parametrize('failing', range(1, 4))
def test_a_rename_that_fails_leaves_the_old_bundle(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    before, renames, rename = bundle_id(folder), iter(range(1, 9)), Path.rename

    def failed(path: Path, target: Any) -> Path:
        if next(renames) == failing:
            raise OSError(28, 'No space left on device')
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'rename', failed)
        with pytest.raises(OutputError, match='No space left on device'):
            upgrade(folder)
    assert read_facts(folder).id == before
    assert names(folder.parent) == {'model'}
    assert upgrade(folder).old_id == before


def test_leftovers_of_a_killed_run_are_no_hindrance(folder: Path) -> None:
    for name in ('.model.upgraded', '.model.replaced', '.model.upgraded.partial'):
        folder.with_name(name).mkdir()
        (folder.with_name(name) / 'half').write_text('a bundle')
    upgrade(folder)
    assert names(folder.parent) == {'model'}


def test_a_bundle_that_was_on_its_way_is_brought_back(folder: Path) -> None:
    before = bundle_id(folder)
    folder.rename(folder.with_name('.model.replaced'))
    assert upgrade(folder).old_id == before
    assert names(folder.parent) == {'model'}
