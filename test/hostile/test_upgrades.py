# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Upgrades that are killed, and that happen while others load or upgrade the same bundle."""

import os
import shutil
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import m2r2_ros.model.graph_backend
import m2r2_ros.network.upgrade  # noqa: F401 - what processes would import by themselves
from m2r2_ros.core.errors import BundleError, OutputError
from m2r2_ros.core.modalities import declared
from m2r2_ros.model.facts import bundle_id
from m2r2_ros.model.graph_names import NETWORK
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.upgrade import upgrade
from m2r2_ros.segmenters.kinds import open_model
from test.hostile.bundle_files import edited
from test.hostile.forks import ended, fork, signalled
from test.network.networks import SENSING, make_bundle

#: Every so many steps of an upgrade, it is killed.
STRIDE = 1 if 'M2R2_FUZZ' in os.environ else 5
ROUNDS = 20 if 'M2R2_FUZZ' in os.environ else 3
#: One small sensor: hundreds are made here.
SMALLEST = replace(SENSING, modalities=declared(('gripper',)), width=8, feedforward=8, mlp=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle without graphs, as older versions wrote them."""
    save_bundle(make_bundle(SMALLEST), tmp_path / 'place' / 'model')
    (tmp_path / 'place' / 'model' / NETWORK).unlink()
    edited(lambda e: (e.pop('graph'), e.update(format=3)))(tmp_path / 'place' / 'model')
    return tmp_path / 'place' / 'model'


def upgraded(folder: Path) -> int:
    """Upgrade, and return the exit code that `m2r2` would have."""
    try:
        upgrade(folder)
    except OutputError as error:
        return 2 if 'another run' in str(error) else 3
    return 0


def test_an_upgrade_that_is_killed_at_any_step_is_made_good_by_the_next(
    folder: Path, tmp_path: Path
) -> None:
    before, log = bundle_id(folder), tmp_path / 'log'
    kept, seen = shutil.copytree(folder, tmp_path / 'kept'), set()
    new = upgrade(folder).id
    for step in range(1, 500, STRIDE):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        code = ended(fork(signalled(partial(upgraded, folder), step, signal.SIGKILL), log))
        if code == 0:
            break
        assert code == -9, log.read_text()
        there = bundle_id(folder) if folder.exists() else ''
        assert there in (before, new, '')
        if there:
            assert load_bundle(folder).id == there
        assert upgrade(folder).old_id == there or before
        assert open_model(folder).id == new
        assert {path.name for path in folder.parent.iterdir()} == {'model'}
        seen.add(there)
    assert step > 10
    assert {before, new} <= seen


def loads(folder: Path, ids: set[str], times: int) -> int:
    """Open a bundle again and again; return 1 if nothing was ever opened."""
    opened = 0
    for _ in range(times):
        try:
            model = open_model(folder)
        except BundleError:
            continue
        assert model.id in ids, model.id
        opened += 1
    return not opened


def test_who_loads_meanwhile_gets_the_old_one_or_the_new_one_or_an_error(
    folder: Path, tmp_path: Path
) -> None:
    ids = {bundle_id(folder), upgrade(folder).id}
    loader = fork(partial(loads, folder, ids, 20 * ROUNDS), tmp_path / 'log')
    for _ in range(ROUNDS):
        upgrade(folder)
    code = ended(loader)
    assert code == 0, (tmp_path / 'log').read_text()


def test_two_upgrades_at_once_follow_each_other_or_one_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    kept = shutil.copytree(folder, tmp_path / 'kept')
    new = upgrade(folder).id
    for _ in range(ROUNDS):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        logs = [tmp_path / 'a', tmp_path / 'b']
        runs = [fork(partial(upgraded, folder), log) for log in logs]
        codes = [ended(run) for run in runs]
        assert set(codes) <= {0, 2}, [log.read_text() for log in logs if log.exists()]
        assert 0 in codes
        assert open_model(folder).id == new
        assert {path.name for path in folder.parent.iterdir()} == {'model'}
