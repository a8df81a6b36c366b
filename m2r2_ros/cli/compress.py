# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 compress`: a bundle with smaller numbers, and what that costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import expect_training, given_topics, source_recordings
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.options import NewBundle, Topics

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.training.compress import Compressed


def compress_command(
    bundle: Annotated[Path, typer.Argument(help='Bundle, as m2r2 train writes it.')],
    out: NewBundle,
    check: Annotated[
        list[Path],
        typer.Option(
            '--check',
            help='Recordings that are labelled with both bundles, or folders of them; repeatable.',
        ),
    ],
    precision: Annotated[
        Literal['int8', 'bf16'], typer.Option(help='Of the large matrices and convolutions.')
    ] = 'int8',
    min_agreement: Annotated[
        float,
        typer.Option(help='Least share of frames with the same label as before.', min=0, max=1),
    ] = 0.995,
    topics: Topics = None,
) -> None:
    """Write a smaller and faster bundle, unless it labels recordings otherwise.

    int8 stores large matrices in 8 bits and scales what they are multiplied with as it comes;
    convolutions of images are scaled by what the recordings show. bf16 stores numbers as bfloat16
    and lets the device compute so, where it can. Recordings with ground truth are scored.

    For example: m2r2 compress my_model --out small_model --check recordings
    """
    expect_training()
    from m2r2_ros.training.compress import compress_checked

    given = given_topics(topics)
    recordings = source_recordings(check)
    refuse_inside(out, bundle, *recordings)
    with console.status('') as status:
        found = compress_checked(
            bundle,
            out,
            precision,
            recordings,
            topics=given,
            least=min_agreement,
            progress=status.update,
        )
    stdout.print(_table(found))
    stdout.print(f'{out}: model {found.id}', soft_wrap=True)


def _table(found: 'Compressed') -> Table:
    table = Table('', 'before', 'after')
    for what, unit, (before, after) in (
        ('size', 'MB', found.megabytes),
        ('a frame through the network, one core', 'ms', found.milliseconds),
    ):
        table.add_row(what, f'{before:.2f} {unit}', f'{after:.2f} {unit}')
    for way in found.ways:
        equal = f'{way.agreement:.2%} of {way.frames} frames'
        table.add_row(f'equal labels, {way.name}', '', equal)
        for name, (before, after) in way.scores.items():
            table.add_row(f'{name}, {way.name}', f'{before:.3f}', f'{after:.3f}')
    return table
