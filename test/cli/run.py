# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run `m2r2` as its entry point does, errors included."""

import hashlib
import io
import json
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from m2r2_ros.cli.main import main


class Result(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The text of an error that the user can fix; fails unless there is one."""
        assert self.code == 2, self
        assert 'Traceback' not in self.err
        return self.err.rpartition('error: ')[2]


def m2r2(*arguments: object) -> Result:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        mock.patch.object(sys, 'argv', ['m2r2', *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Result(code, out.getvalue(), err.getvalue())


def done(*arguments: object) -> Result:
    """Run a command that has to succeed."""
    result = m2r2(*arguments)
    assert result.code == 0, result
    return result


def digest(paths: Path | Iterable[Path]) -> dict[Path, str]:
    """Hash every file below some folders."""
    folders = [paths] if isinstance(paths, Path) else list(paths)
    files = [f for p in folders for f in ([p] if p.is_file() else sorted(p.rglob('*')))]
    return {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def summary(folder: Path, name: str) -> dict[str, Any]:
    """Read a summary."""
    found: dict[str, Any] = json.loads((folder / f'{name}_summary.json').read_text())
    return found
