# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 reassemble`: the paper's tables I and II from the downloaded data set."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from m2r2_ros.bags.reassemble.splits import read_split
from m2r2_ros.cli.benchmark import benchmark_command
from m2r2_ros.cli.common import console, stdout
from m2r2_ros.cli.features import features_command
from m2r2_ros.cli.pretrain import pretrain_command
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import MODALITIES, SENSORS
from m2r2_ros.core.share import share_path
from m2r2_ros.evaluation.published import TABLE_1, TABLE_2, comparison

#: Modalities of the rows of table II, and of table I.
ROWS: Final[dict[str, tuple[str, ...]]] = {
    'only vision': ('image',),
    'only audio': ('sound',),
    'only prio': SENSORS,
    'no gripper': ('image', 'sound', 'wrench', 'pose', 'twist'),
    'no pos/vel': ('image', 'sound', 'wrench', 'gripper'),
    'no F/T': ('image', 'sound', 'pose', 'twist', 'gripper'),
    'all': MODALITIES,
}
#: Every so manieth recording that is trained on is validated on instead; never one of the test.
VALIDATED: Final = 10
HEADS: Final = 'ms_tcn,asrf,diffact'


def reassemble_command(
    folder: Annotated[Path, typer.Argument(help='The data set: splits and .h5 files.')],
    out: Annotated[Path, typer.Option(help='Folder for bundles, features, rows and tables.')],
    preset: Annotated[str, typer.Option(help='full is the paper; lite or proprio need less.')],
    table: Annotated[str, typer.Option(help='1, 2 or both.')] = 'both',
    epochs: Annotated[int, typer.Option(help='Of pretraining.', min=1)] = 100,
    head_epochs: Annotated[
        int | None, typer.Option(help='Of every head; without it as published.', min=1)
    ] = None,
    seeds: Annotated[int, typer.Option(help='Trainings of each head.', min=1)] = 3,
    frame_rate: Annotated[float, typer.Option(help='Frames per second.', min=0.1)] = 10.0,
    image_weights: Annotated[Path | None, typer.Option(help='CLIP or ActionCLIP.')] = None,
    sound_weights: Annotated[Path | None, typer.Option(help='AST.')] = None,
    text_weights: Annotated[Path | None, typer.Option(help='CLIP, with its vocabulary.')] = None,
) -> None:
    """Reproduce tables I and II of the paper: pretrain, features, heads, scores, row by row.

    What is there already is kept, so that an interrupted run goes on with the same command.
    """
    from m2r2_ros.model.config import preset as preset_config

    if table not in ('1', '2', 'both'):
        msg = f'--table {table}: expected 1, 2 or both'
        raise ConfigError(msg)
    split = read_split(folder, 1)
    held_out = list(split.train[VALIDATED - 1 :: VALIDATED]) or list(split.train[-1:])
    train = [path for path in split.train if path not in held_out]
    topics = share_path('config', 'reassemble') / 'topics.yaml'
    known = preset_config(preset).modalities
    rows = {name: tuple(m for m in wanted if m in known) for name, wanted in ROWS.items()}
    chosen = ['all'] if table == '1' else [name for name, wanted in rows.items() if wanted]
    for name in chosen:
        work = out / name.replace(' ', '_').replace('/', '_')
        console.print(f'{name}: {", ".join(rows[name])}')
        if not (work / 'extractor').exists():
            pretrain_command(
                train,
                out=work / 'extractor',
                preset=preset,
                modalities=','.join(rows[name]),
                validate=held_out,
                topics=topics,
                epochs=epochs,
                frame_rate=frame_rate,
                image_weights=image_weights if 'image' in rows[name] else None,
                sound_weights=sound_weights if 'sound' in rows[name] else None,
                text_weights=text_weights,
            )
        if not (work / 'features' / 'features.yaml').exists():
            features_command(
                train,
                test=list(split.test),
                out=work / 'features',
                model=work / 'extractor' / 'best',
                validate=held_out,
                topics=topics,
            )
        benchmark_command(
            [work / 'features'],
            out=work / 'heads',
            heads=HEADS if name == 'all' and table != '2' else 'diffact',
            seeds=seeds,
            epochs=head_epochs,
            level='both' if name == 'all' and table != '2' else 'fine',
        )
    found = {name: _rows(out / name.replace(' ', '_').replace('/', '_')) for name in chosen}
    _write(out, table, found)


def _rows(work: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        (work / 'heads' / 'rows.json').read_text(encoding='utf-8')
    )
    return rows


def _write(out: Path, table: str, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the tables, with the paper's figures beside ours."""
    text = ''
    if table != '2':
        text += comparison('Table I', TABLE_1, {'M2R2 (all)': found['all']})
    if table != '1':
        text += comparison('Table II', TABLE_2, found)
    (out / 'tables.md').write_text(text, encoding='utf-8')
    stdout.print(text)
    stdout.print(f'{out / "tables.md"}', soft_wrap=True)
