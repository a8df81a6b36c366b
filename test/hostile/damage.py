# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a file, whatever its format."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: Takes the path of a whole file and returns that of a damaged one.
Damage = Callable[[Path], Path]


def content(change: Callable[[bytes], bytes]) -> Damage:
    def apply(path: Path) -> Path:
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(change(whole))
        return path

    return apply


def flipped(seed: int) -> Damage:
    def change(whole: bytes) -> bytes:
        dice, found = random.Random(seed), bytearray(whole)
        for _ in range(dice.choice((1, 4, 30))):
            found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
        return bytes(found)

    return content(change)


def overwritten(seed: int) -> Damage:
    """Put the greatest numbers, and digits without end, where sizes may be."""

    def change(whole: bytes) -> bytes:
        at = random.Random(seed).randrange(len(whole))
        return whole[:at] + (b'\xff' * 8, b'9' * 5000, b'1e999999')[seed % 3] + whole[at + 8 :]

    return content(change)


def instead(make: Callable[[Path], object]) -> Damage:
    def apply(path: Path) -> Path:
        path.unlink()
        make(path)
        return path

    return apply


def forbidden(path: Path) -> Path:
    path.chmod(0)
    return path


def renamed(name: bytes) -> Damage:
    """Give a name that is not the one of the file."""

    def apply(path: Path) -> Path:
        other = path.with_name(os.fsdecode(name) + path.suffix)
        return Path(shutil.copy(path, other)) if len(name) < 200 else other

    return apply


DAMAGES: Final[dict[str, Damage]] = {
    'empty': content(lambda whole: b''),
    'one byte': content(lambda whole: whole[:1]),
    'half': content(lambda whole: whole[: len(whole) // 2]),
    'all but the last byte': content(lambda whole: whole[:-1]),
    'noise': content(lambda whole: random.Random(0).randbytes(5000)),
    'zeros': content(lambda whole: bytes(5000)),
    'greatest': content(lambda whole: b'\xff' * 5000),
    'not UTF-8': content(lambda whole: b'\xe4\xf6\xfc ' + whole),
    'UTF-16': content(lambda whole: whole.decode('latin-1').encode('utf-16')),
    'NUL': content(lambda whole: whole[:20] + b'\0' + whole[20:]),
    'deep lists': content(lambda whole: b'[' * 100_000),
    'deep mappings': content(lambda whole: b'{"a":' * 100_000),
    'JSON': content(lambda whole: b'{"format": 99, "labels": [null, 1e999, {}]}'),
    'text': content(lambda whole: b'root:x:0:0::/root:/bin/bash\n' * 50),
    'a number': content(lambda whole: b'9' * 10_000),
    'a long line': content(lambda whole: b'a,' * 1_000_000),
    'PNG': content(lambda whole: b'\x89PNG\r\n\x1a\n' + bytes(50)),
    'pickle': content(lambda whole: b'\x80\x04cos\ngetcwd\n)R.'),
    'ZIP': content(lambda whole: b'PK\x03\x04' + bytes(50)),
    'HDF5': content(lambda whole: b'\x89HDF\r\n\x1a\n' + bytes(50)),
    'gzip': content(lambda whole: b'\x1f\x8b\x08' + bytes(50)),
    'twice': content(lambda whole: whole + whole),
    'missing': instead(lambda path: None),
    'a folder': instead(lambda path: path.mkdir()),
    'a pipe': instead(os.mkfifo),
    'a device': instead(lambda path: path.symlink_to('/dev/zero')),
    'a link to itself': instead(lambda path: path.symlink_to(path)),
    'forbidden': forbidden,
    'a long name': renamed(b'x' * 300),
    'a name that is not UTF-8': renamed(b'\xff\xfe'),
    'a name with escapes': renamed(b'\x1b[31m\n\xe2\x80\xae'),
}
