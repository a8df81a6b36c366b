# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of older versions written anew, with the graphs that label."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.core.files import Claim, disk_errors
from m2r2_ros.model.facts import WEIGHTS, YAML, read_facts
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.network.bundle import load_bundle, save_bundle

#: Files that a bundle is made of; others in its folder, such as curves, are kept.
_OWN: Final = (YAML, WEIGHTS, NETWORK, RECORDING)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of a bundle.

    Attributes:
        id: Of the bundle as it is now.
        old_id: As it was.
    """

    id: str
    old_id: str


def upgrade(folder: Path) -> Upgraded:
    """Write a bundle anew in its place; it is the old one or the new one, whatever happens.

    Killed between two renames, it leaves none of that name: the next upgrade brings it back.

    Args:
        folder: Of the bundle of a network.

    Raises:
        BundleError: It is no such bundle, or its graphs say something else than the network.
        OutputError: It cannot be written, or another run is writing it.
    """
    place = Path(os.path.realpath(folder))  # a link goes on to lead to the bundle
    # Hidden: no bundle of a user is called so.
    new, old = (place.parent / f'.{place.name}.{end}' for end in ('upgraded', 'replaced'))
    if not old.exists():
        read_facts(folder)  # before anything is made beside what is no bundle
    with Claim(place), disk_errors(place):
        if old.exists() and not place.exists():  # a run was killed between the two renames
            old.rename(place)
        bundle = load_bundle(place)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        try:
            saved = save_bundle(bundle, new)
            _copy_others(place, new)
            place.rename(old)
            new.rename(place)
        except BaseException:
            if not place.exists():
                old.rename(place)
            shutil.rmtree(new, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)
    return Upgraded(saved.id, bundle.id)


def _copy_others(folder: Path, new: Path) -> None:
    """Copy what is no part of the bundle; links as links."""
    for path in folder.iterdir():
        if path.name in _OWN:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, new / path.name, symlinks=True)
        else:
            shutil.copy2(path, new / path.name, follow_symlinks=False)
