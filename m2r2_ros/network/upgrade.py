# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of older versions written anew, with the graphs that label."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.core.files import Claim, disk_errors
from m2r2_ros.model.facts import WEIGHTS, YAML
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

    Args:
        folder: Of the bundle of a network.

    Raises:
        BundleError: It is no such bundle, or its graphs say something else than the network.
        OutputError: It cannot be written, or another run is writing it.
    """
    new, old = (folder.with_name(f'{folder.name}.{end}') for end in ('upgraded', 'replaced'))
    with Claim(folder), disk_errors(folder):
        if old.exists() and not folder.exists():  # a run was killed between the two renames
            old.rename(folder)
        bundle = load_bundle(folder)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        saved = save_bundle(bundle, new)
        for path in folder.iterdir():
            if path.name not in _OWN:
                copy = shutil.copytree if path.is_dir() else shutil.copy2
                copy(path, new / path.name)
        folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old)
    return Upgraded(saved.id, bundle.id)
