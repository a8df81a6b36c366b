# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The official division of REASSEMBLE into recordings to train on and to test on."""

from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import expect_regular

_SUFFIX = '.h5'
#: Names that a message lists.
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Recordings to train on and to test on, in the order of the lists.

    Attributes:
        train: Files.
        test: Files.
    """

    train: tuple[Path, ...]
    test: tuple[Path, ...]


def read_split(folder: Path, number: int) -> Split:
    """Read splits/train_split<number>.txt and splits/test_split<number>.txt.

    Args:
        folder: The data set: `splits` with the lists, and the .h5 files at any depth.
        number: Which of the splits; the data set has 1.

    Raises:
        BagError: A list is missing, empty, or names a recording twice or one that is not there.
    """
    files: dict[str, Path] = {}
    for file in sorted(folder.rglob(f'*{_SUFFIX}')):
        other = files.setdefault(file.stem, file)
        if other != file:
            msg = f'{other} and {file} have one name: keep one of them'
            raise BagError(msg)
    names = {kind: _names(folder / 'splits', kind, number) for kind in ('train', 'test')}
    if both := sorted(set(names['train']) & set(names['test'])):
        msg = f'{folder / "splits"}: split {number} trains and tests on {_list(both)}'
        raise BagError(msg)
    if lost := [name for listed in names.values() for name in listed if name not in files]:
        msg = (
            f'{folder}: split {number} names {len(lost)} recordings whose {_SUFFIX} is not there: '
            f'{_list(lost)}; download them, or remove the names from the lists'
        )
        raise BagError(msg)
    train, test = (tuple(files[name] for name in names[kind]) for kind in ('train', 'test'))
    return Split(train, test)


def _names(folder: Path, kind: str, number: int) -> list[str]:
    """Return the recordings that a list names."""
    path = folder / f'{kind}_split{number}.txt'
    expect_regular(path, BagError)
    try:
        lines = path.read_text(encoding='utf-8-sig').split()
    except (OSError, UnicodeDecodeError) as error:
        msg = (
            f'{path} cannot be read: {error}; it is in splits.zip of the data set, to be '
            f'unpacked beside the recordings'
        )
        raise BagError(msg) from error
    names = [Path(line).name.removesuffix(_SUFFIX) for line in lines]
    if not names:
        msg = f'{path} is empty; expected a name of a recording in each line'
        raise BagError(msg)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        msg = f'{path} names {_list(twice)} more than once'
        raise BagError(msg)
    return names


def _list(names: list[str]) -> str:
    more = f' and {len(names) - _LISTED} more' if len(names) > _LISTED else ''
    return ', '.join(names[:_LISTED]) + more
