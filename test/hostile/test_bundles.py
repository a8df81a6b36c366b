# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle opens, or ends in a BundleError, and never takes more than its weights are long."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from m2r2_ros.core.share import share_path
from m2r2_ros.discovery.laps.method_motion import LapsMotion, LapsMotionOptions
from m2r2_ros.network.bundle import save_bundle
from test.discovery.arm import SETTING
from test.discovery.bundles import WINDOWS, discovered_bundle
from test.hostile import bundle_files
from test.hostile.memory import MB, memory_of
from test.network.networks import SMALL, make_bundle

#: Of which Python objects of the longest YAML that is read take most.
BOUND = 300 * MB


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('bundle') / 'model'
    save_bundle(make_bundle(SMALL), folder)
    return folder


def copies(bundle: Path, folder: Path, changes: Iterable[bundle_files.Change]) -> Iterator[Path]:
    for k, change in enumerate(changes):
        path = Path(shutil.copytree(bundle, folder / str(k)))
        change(path)
        yield path


@pytest.mark.parametrize('case', bundle_files.CASES)
def test_hostile_bundles_are_refused_within_memory(
    bundle: Path,
    tmp_path: Path,
    processes: ProcessPoolExecutor,
    case: Callable[[], Iterable[bundle_files.Change]],
) -> None:
    paths = list(copies(bundle, tmp_path / 'bundles', case()))
    assert processes.submit(memory_of, bundle_files.refuse, paths).result() < BOUND


def test_no_size_is_set_aside_before_the_weights_are_seen_to_have_it(
    bundle: Path, tmp_path: Path, processes: ProcessPoolExecutor
) -> None:
    paths = [bundle, *copies(bundle, tmp_path / 'bundles', bundle_files.sizes())]
    assert processes.submit(memory_of, bundle_files.open_or_refuse, paths).result() < BOUND


def test_any_entry_may_be_anything(bundle: Path, tmp_path: Path) -> None:
    for path in copies(bundle, tmp_path / 'bundles', bundle_files.wrong_values(bundle)):
        bundle_files.open_or_refuse(path)
        shutil.rmtree(path)


def test_what_is_said_of_the_training_set_may_be_anything(tmp_path: Path) -> None:
    shipped = share_path('models', 'cell')
    changes = bundle_files.wrong_values(shipped, 'familiarity')
    for path in copies(shipped, tmp_path / 'bundles', changes):
        bundle_files.open_or_refuse(path)
        shutil.rmtree(path)


def test_a_whole_bundle_opens(bundle: Path) -> None:
    bundle_files.seal(bundle)
    with pytest.raises(AssertionError):
        bundle_files.refuse(bundle)


@pytest.fixture(scope='module')
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A discovered model of every method that needs no camera."""
    tokenizer = LapsMotion(
        LapsMotionOptions(hidden=16, heads=2, enc_layers=1, steps=3, max_windows=40, bins=5)
    )
    given = {'laps_motion': tokenizer.calibrate([[WINDOWS]], SETTING)}
    folder = tmp_path_factory.mktemp('found') / 'model'
    names = ('events', 'bocpd', 'awe', 'abd', 'otas', 'primitives')
    return discovered_bundle(folder, *names, given=given)


def test_any_entry_of_a_discovered_bundle_may_be_anything(found: Path, tmp_path: Path) -> None:
    for path in copies(found, tmp_path / 'bundles', bundle_files.wrong_values(found)):
        bundle_files.open_or_refuse(path)
        shutil.rmtree(path)


def test_no_size_of_a_method_is_believed_before_its_tensors_have_it(
    found: Path, tmp_path: Path, processes: ProcessPoolExecutor
) -> None:
    changes = bundle_files.method_sizes(found)
    paths = [found, *copies(found, tmp_path / 'bundles', changes)]
    assert processes.submit(memory_of, bundle_files.open_or_refuse, paths).result() < BOUND
