# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a data set: there when it is whole, and replaced only where it is one of ours."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.writing.replacing import DERIVED, LIBRARY, REPLACED
from m2r2_ros.core.errors import M2R2Error, OutputError
from m2r2_ros.core.files import Claim, disk_errors, partial_path
from m2r2_ros.core.reading import read_text

#: Where a data set says who made it; beside it is a line for each episode.
MADE_BY: Final = Path('meta', 'm2r2.json')
EPISODES: Final = Path('meta', 'm2r2_episodes.jsonl')
_MOST: Final = 1 << 20


@contextmanager
def data_set_folder(out: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a folder to fill; it becomes `out`, in one step, when the block ends.

    After an exception `out` is what it was before, and what was written is removed.

    Args:
        out: Where the data set goes.
        overwrite: Replace a data set that was exported before.

    Raises:
        OutputError: Something is there that is not to be replaced, the disk refuses, or another run
            is writing it.
    """
    draft, older = partial_path(out), out.with_name(out.name + REPLACED)
    with Claim(out), disk_errors(out):
        if not out.exists() and _is_ours(older):  # a run was killed in between
            older.rename(out)
        _check(out, overwrite=overwrite)
        shutil.rmtree(draft, ignore_errors=True)
        (draft / MADE_BY.parent).mkdir(parents=True)
        try:
            yield draft
            if out.exists():
                shutil.rmtree(older, ignore_errors=True)
                out.rename(older)
            draft.rename(out)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        shutil.rmtree(older, ignore_errors=True)


def write_made_by(folder: Path, entries: dict[str, Any]) -> None:
    """Write who made a data set, and how."""
    path = folder / MADE_BY
    path.write_text(json.dumps({'made_by': DERIVED, **entries}, indent=2) + '\n', encoding='utf-8')


def _check(out: Path, *, overwrite: bool) -> None:
    if not out.exists() and not out.is_symlink():
        return
    if not overwrite:
        msg = f'{out} exists: choose another --out, or give --overwrite'
        raise OutputError(msg)
    if not _is_ours(out):
        msg = (
            f'{out} was not exported by {LIBRARY}, and is not replaced: remove it yourself or '
            'choose another --out'
        )
        raise OutputError(msg)


def _is_ours(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        text = read_text(folder / MADE_BY, 'what m2r2 export writes', OutputError, most=_MOST)
        found = json.loads(text)
    except (M2R2Error, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and str(found.get('made_by', '')).startswith(LIBRARY)
