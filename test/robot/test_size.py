# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much disk `pip install m2r2_ros` takes."""

from pathlib import Path

from test.robot.conftest import Robot

MEGABYTE = 10**6
#: With PyTorch it was 6 GB.
LARGEST = 700 * MEGABYTE
#: What is in every environment.
ANYWAY = ('pip', 'setuptools', 'pkg_resources', '_distutils_hack', 'distutils-precedence')


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    files = path.rglob('*') if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if not file.is_dir())


def test_everything_fits_in_700_megabytes(robot: Robot) -> None:
    brought = [p for p in robot.packages.iterdir() if p.name.split('-')[0] not in ANYWAY]
    sizes = sorted(((size(path), path.name) for path in brought), reverse=True)
    whole = sum(number for number, _ in sizes)
    largest = [f'{number / MEGABYTE:6.1f} MB {name}' for number, name in sizes[:12]]
    print(f'{whole / MEGABYTE:6.1f} MB in all', *largest, sep='\n')
    assert whole < LARGEST
