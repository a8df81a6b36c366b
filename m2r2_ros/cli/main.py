# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of `m2r2`."""

import sys

import typer

from m2r2_ros import __version__
from m2r2_ros.cli.commands import Commands
from m2r2_ros.cli.console import print_error
from m2r2_ros.core.errors import M2R2Error

app = typer.Typer(
    cls=Commands,
    help='Temporal action segmentation of robot recordings with M2R2.',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={'help_option_names': ['-h', '--help']},
)


@app.callback(invoke_without_command=True)
def version_option(
    version: bool = typer.Option(False, '--version', help='Print the version and exit.'),
) -> None:
    """Hold the options of m2r2 itself."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; errors that the user can fix end with exit code 2."""
    try:
        app()
    except (M2R2Error, OSError) as error:
        print_error(error)
        sys.exit(2)


if __name__ == '__main__':
    main()
