# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where `m2r2 check` puts what it found, and how it looks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.fleet_options import given_text
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import write_text

if TYPE_CHECKING:
    from m2r2_ros.checks.checked import Checked
    from m2r2_ros.checks.looking import CheckOptions

Format = Literal['table', 'json', 'html', 'sarif', 'junit']


def expect_place(out: Path | None, *, fleet: bool, overwrite: bool) -> None:
    """Refuse a place for findings that is wrong, before anything is read.

    Raises:
        ConfigError: There is none for a fleet, or something is there.
    """
    if fleet and out is None:
        msg = '--fleet needs --out, a folder for what is found in each recording'
        raise ConfigError(msg)
    if fleet or out is None:
        return
    if given_text(out) != str(out):
        msg = f'--out {given_text(out)}: findings go to the disk, or with --fleet to a URL'
        raise ConfigError(msg)
    if out.is_dir():
        msg = f'--out {out} is a folder: name a file in it'
        raise ConfigError(msg)
    # A link to a device must not be replaced by a file.
    if out.exists() and (not out.is_file() or out.absolute().is_relative_to('/dev')):
        msg = f'--out {out} is no file: without --out, findings are printed'
        raise ConfigError(msg)
    if out.exists() and not overwrite:
        msg = f'{out} exists: choose another --out, or replace it with --overwrite'
        raise ConfigError(msg)


def tell(
    checked: Sequence['Checked'], options: 'CheckOptions', form: Format, out: Path | None
) -> None:
    """Print or write what was found."""
    text = _text(checked, options, form)
    if out is not None:
        write_text(out, text if text.endswith('\n') else text + '\n')
        from m2r2_ros.checks.outputs.table import counted

        found = sum(len(one.findings) for one in checked)
        console.print(f'{counted(found, "finding")}: {out}', soft_wrap=True)
    elif form == 'table':
        for line in text.splitlines():
            stdout.print(line, soft_wrap=True)
    else:
        typer.echo(text)


def _text(checked: Sequence['Checked'], options: 'CheckOptions', form: Format) -> str:
    """Return what was found, as it was asked for."""
    from m2r2_ros.checks.catalogue import CHECKS
    from m2r2_ros.checks.checked import told_apart
    from m2r2_ros.checks.outputs import json_text, junit, page, sarif, table

    facts = {check: CHECKS[check] for check in options.wanted}
    if form == 'json':
        return json_text.to_json(checked)
    checked = told_apart(checked)
    match form:
        case 'junit':
            return junit.to_junit(checked)
        case 'sarif':
            return sarif.to_sarif(checked, facts)
        case 'html':
            return page.to_page(checked, facts)
    return '\n'.join(table.to_lines(checked))
