# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of commands that a fleet can run."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from m2r2_ros.core.errors import ConfigError

#: How many workers may be lost with a recording until it counts as failed.
TRIES: Final = 3
_PANEL: Final = 'Many recordings at a time'

Fleet = Annotated[
    bool,
    typer.Option(
        '--fleet',
        help='Work on many recordings at a time; a run that was stopped goes on. Recordings and '
        '--out may be URLs, and @FILE lists recordings.',
        rich_help_panel=_PANEL,
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        '--workers',
        help='Recordings at a time, each on one core; 0: one for each core there is.',
        min=0,
        rich_help_panel=_PANEL,
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        '--ray',
        help='Work through Ray: HOST:PORT of a cluster, auto for the one that this machine '
        'belongs to, local to start one here. Without it, processes on this machine.',
        rich_help_panel=_PANEL,
    ),
]
Tree = Annotated[
    str | None,
    typer.Option(
        '--tree',
        help='Folder or URL above all recordings: results keep the folders below it, so that '
        'recordings may have one name.',
        rich_help_panel=_PANEL,
    ),
]
Again = Annotated[
    bool,
    typer.Option(
        '--overwrite',
        help='Also what is done already; without --fleet it is always made again.',
        rich_help_panel=_PANEL,
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        '--retry-failed',
        help='Also those that failed in an earlier run.',
        rich_help_panel=_PANEL,
    ),
]
Tries = Annotated[
    int,
    typer.Option(
        '--tries',
        help='Workers that may be lost with a recording until it counts as failed.',
        min=1,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How a fleet runs; see the options of the command line.

    Attributes:
        asked: The fleet was asked for.
        workers: Recordings at a time; 0 for one on each core.
        ray: Address of a cluster; None for processes on this machine.
        tree: Folder above all recordings whose folders results keep; None for one folder.
        retry_failed: Also those that failed before.
        tries: Workers that may be lost with a recording.
    """

    asked: bool = False
    workers: int = 0
    ray: str | None = None
    tree: str | None = None
    retry_failed: bool = False
    tries: int = TRIES

    def __post_init__(self) -> None:
        """Refuse options of a fleet where none was asked for.

        Raises:
            ConfigError: There are some.
        """
        given = {
            '--workers': self.workers,
            '--ray': self.ray,
            '--tree': self.tree,
            '--retry-failed': self.retry_failed,
            '--tries': self.tries != TRIES,
        }
        if not self.asked and (names := [name for name, value in given.items() if value]):
            msg = f'{", ".join(names)}: for many recordings at a time only: add --fleet'
            raise ConfigError(msg)

    @property
    def processes(self) -> int:
        """How many processes to start on this machine."""
        return self.workers or len(os.sched_getaffinity(0))


def expect_one_core(threads: int) -> None:
    """Refuse several cores for one recording, of which each has one in a fleet.

    Raises:
        ConfigError: Several were asked for.
    """
    if threads > 1:
        msg = f'--threads {threads}: with --fleet a recording has one core; --workers says how many'
        raise ConfigError(msg)


def given_text(path: Path) -> str:
    """Return an argument as it was typed: a Path makes one slash of the two of a URL."""
    protocol, colon, rest = str(path).partition(':/')
    is_url = colon and len(protocol) > 1 and protocol[0] != '@' and '/' not in protocol
    return f'{protocol}://{rest.lstrip("/")}' if is_url else str(path)
