# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The official division of REASSEMBLE into recordings to train on and to test on."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import read_text
from m2r2_ros.core.text import listed

_SUFFIX = '.h5'
#: Of a list; the data set's have 5 kB.
_MOST_BYTES = 1 << 20


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
        msg = f'{folder / "splits"}: split {number} trains and tests on {listed(both)}'
        raise BagError(msg)
    if lost := [name for listed in names.values() for name in listed if name not in files]:
        msg = (
            f'{folder}: split {number} names {len(lost)} recordings whose {_SUFFIX} is not there: '
            f'{listed(lost)}; download them, or remove the names from the lists'
        )
        raise BagError(msg)
    train, test = (tuple(files[name] for name in names[kind]) for kind in ('train', 'test'))
    return Split(train, test)


def _names(folder: Path, kind: str, number: int) -> list[str]:
    """Return the recordings that a list names."""
    path = folder / f'{kind}_split{number}.txt'
    expected = 'a list from splits.zip of the data set, to be unpacked beside the recordings'
    lines = read_text(path, expected, BagError, most=_MOST_BYTES).split()
    names = [Path(line).name.removesuffix(_SUFFIX) for line in lines]
    if not names:
        msg = f'{path} is empty; expected a name of a recording in each line'
        raise BagError(msg)
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        msg = f'{path} names {listed(twice)} more than once'
        raise BagError(msg)
    return names
