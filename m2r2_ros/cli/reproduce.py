# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 reproduce`: the paper's tables I and II from the downloaded data set."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from m2r2_ros.bags.reassemble.splits import read_split
from m2r2_ros.cli.benchmark import benchmark_command
from m2r2_ros.cli.common import expect_training
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.features import features_command
from m2r2_ros.cli.options import (
    Epochs,
    FrameRate,
    HeadEpochs,
    ImageWeights,
    Jobs,
    Preset,
    Seeds,
    SoundWeights,
    TextWeights,
)
from m2r2_ros.cli.pretrain import pretrain_command
from m2r2_ros.core.files import claim_folder, write_text
from m2r2_ros.core.modalities import MODALITIES, SENSORS
from m2r2_ros.core.share import share_path
from m2r2_ros.evaluation.published import TABLE_1, TABLE_2, comparison
from m2r2_ros.readers.topic_map import read_topic_map

#: Modalities of the rows of table II, and of table I; all cameras are images.
ROWS: Final[dict[str, tuple[str, ...]]] = {
    'only vision': ('image',),
    'only audio': ('sound',),
    'only prio': SENSORS,
    'no gripper': ('image', 'sound', 'wrench', 'pose', 'twist'),
    'no pos/vel': ('image', 'sound', 'wrench', 'gripper'),
    'no F/T': ('image', 'sound', 'pose', 'twist', 'gripper'),
    'all': MODALITIES,
}
#: One in ten recordings of the training split is validated on instead; never one of the test.
VALIDATED: Final = 10
TOPICS: Final = share_path('config', 'reassemble') / 'topics.yaml'
HEADS: Final = 'ms_tcn,asrf,diffact'


def reproduce_command(
    folder: Annotated[Path, typer.Argument(help='The data set: splits and .h5 files.')],
    out: Annotated[Path, typer.Option(help='Folder for bundles, features, rows and tables.')],
    preset: Preset,
    table: Annotated[Literal['1', '2', 'both'], typer.Option(help='Table of the paper.')] = 'both',
    epochs: Epochs = 100,
    head_epochs: HeadEpochs = None,
    seeds: Seeds = 3,
    frame_rate: FrameRate = 10.0,
    image_weights: ImageWeights = None,
    sound_weights: SoundWeights = None,
    text_weights: TextWeights = None,
    jobs: Jobs = 0,
) -> None:
    """Reproduce tables I and II of the paper: pretrain, features, heads, scores, row by row.

    Preset full is the paper's; lite and proprio need less. Existing outputs are kept, so that an
    interrupted run continues with the same command.

    For example: m2r2 reproduce reassemble --preset lite --out tables
    """
    expect_training()
    from m2r2_ros.model.config import preset as preset_config
    from m2r2_ros.model.config import with_modalities

    split = read_split(folder, 1)
    held_out = list(split.train[VALIDATED - 1 :: VALIDATED]) or list(split.train[-1:])
    train = [path for path in split.train if path not in held_out]
    study = _Study(train, held_out, list(split.test), seeds, head_epochs, jobs)
    known = with_modalities(
        preset_config(preset),
        {**preset_config(preset).modalities, **read_topic_map(TOPICS).modalities},
    ).modalities
    rows = {row: tuple(n for n, m in known.items() if m.like in ROWS[row]) for row in ROWS}
    chosen = ['all'] if table == '1' else [name for name, wanted in rows.items() if wanted]
    found = {}
    with claim_folder(out):
        for name in chosen:
            work, modalities = out / name.replace(' ', '_').replace('/', '_'), rows[name]
            console.print(f'{name}: {", ".join(modalities)}')
            if not (work / 'extractor').exists():
                pretrain_command(
                    train,
                    out=work / 'extractor',
                    preset=preset,
                    modalities=','.join(modalities),
                    validate=held_out,
                    topics=TOPICS,
                    epochs=epochs,
                    frame_rate=frame_rate,
                    image_weights=image_weights if 'image' in modalities else None,
                    sound_weights=sound_weights if 'sound' in modalities else None,
                    text_weights=text_weights,
                )
            found[name] = _scored(work, study, all_heads=name == 'all' and table != '2')
        _write(out, table, found)


@dataclass(frozen=True, slots=True)
class _Study:
    """What every row of the tables is made with."""

    train: list[Path]
    held_out: list[Path]
    test: list[Path]
    seeds: int
    head_epochs: int | None
    jobs: int


def _scored(work: Path, study: _Study, *, all_heads: bool) -> list[dict[str, Any]]:
    """Make features with the extractor in a folder, train heads on them, and return the rows."""
    if not (work / 'features' / 'features.yaml').exists():
        features_command(
            study.train,
            test=study.test,
            out=work / 'features',
            model=work / 'extractor' / 'best',
            validate=study.held_out,
            topics=TOPICS,
        )
    benchmark_command(
        [work / 'features'],
        out=work / 'heads',
        heads=HEADS if all_heads else 'diffact',
        seeds=study.seeds,
        epochs=study.head_epochs,
        level='both' if all_heads else 'fine',
        jobs=study.jobs,
    )
    text = (work / 'heads' / 'rows.json').read_text(encoding='utf-8')
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def _write(out: Path, table: str, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the tables, with the paper's figures above ours."""
    text = ''
    if table != '2':
        text += comparison('Table I', TABLE_1, {'M2R2 (all)': found['all']})
    if table != '1':
        text += comparison('Table II', TABLE_2, found)
    write_text(out / 'tables.md', text)
    for line in text.splitlines():
        stdout.print(line, soft_wrap=True)
    stdout.print(f'{out / "tables.md"}', soft_wrap=True)
