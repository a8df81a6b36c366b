# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs that would lie in an input, or take its place."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from m2r2_ros.bags.remote.places import is_remote
from m2r2_ros.bags.rosbag2 import METADATA
from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import partial_path


def refuse_same(out: Path, *sources: Path) -> None:
    """Refuse an output that is one of the inputs, holds one or lies in one, or whose draft does.

    Raises:
        OutputError: It is so.
    """
    targets = out.resolve(), partial_path(out.absolute()).resolve()
    for source in _on_disk(sources):
        if any(_lies_in(t, source) or t in source.parents for t in targets):
            raise _overlap(out, source)


def refuse_inside(folder: Path, *sources: Path) -> None:
    """Refuse a folder for outputs that is one of the inputs or lies in one; it may hold them.

    Raises:
        OutputError: It is so.
    """
    for source in _on_disk(sources):
        if _lies_in(folder.resolve(), source):
            raise _overlap(folder, source)


def _on_disk(sources: Iterable[Path]) -> Iterator[Path]:
    """Yield what must not be changed of inputs, without those that a URL names."""
    return (_input_root(source) for source in sources if not is_remote(source))


def _input_root(source: Path) -> Path:
    """Return what must not be changed of an input: of one file of a bag, the whole folder."""
    source = source.resolve()
    in_bag = source.is_file() and (source.parent / METADATA).is_file()
    return source.parent if in_bag else source


def _lies_in(target: Path, source: Path) -> bool:
    if target == source or source in target.parents:
        return True
    return target.exists() and source.exists() and target.samefile(source)


def _overlap(out: Path, source: Path) -> OutputError:
    return OutputError(f'{out} overlaps with {source}, which is never changed: write elsewhere')
