# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 benchmark`: heads trained on the same features, with several seeds."""

import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.console import Console

from m2r2_ros.cli.common import progress_bar, stdout
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.evaluation.benchmark_table import COLUMNS, summarise, to_markdown, to_table

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.training.benchmark import Job

ALL = 'causal_tcn,protas,protas:task_graph=true,online_tas,ms_tcn,asrf,asformer,diffact'


def benchmark_command(
    features: Annotated[
        list[Path],
        typer.Argument(help='Folders that m2r2 features wrote, or others in the same layout.'),
    ],
    out: Annotated[Path, typer.Option(help='Folder for rows, kept between runs, and tables.')],
    heads: Annotated[str, typer.Option(help='Heads, separated by commas.')] = ALL,
    seeds: Annotated[int, typer.Option(help='Trainings of each head.', min=1)] = 3,
    epochs: Annotated[
        int | None, typer.Option(help='Of every head; without it as published.', min=1)
    ] = None,
    level: Annotated[
        str, typer.Option(help='Labels to train on: fine, coarse (their parents) or both.')
    ] = 'fine',
    split: Annotated[int, typer.Option(help='Number of the split.', min=1)] = 1,
    frame_rate: Annotated[
        float | None, typer.Option(help='Frames per second of features without features.yaml.')
    ] = None,
    jobs: Annotated[
        int, typer.Option(help='Trainings at a time, each on one core; 0: one for each.', min=0)
    ] = 0,
) -> None:
    """Train heads on the same features and print mean and spread of their scores.

    Nothing is chosen on the test part: rows are of the last epoch, and of the epoch and the hold
    rule that were best on the validation part where there is one. Rows that are there already are
    kept, so that an interrupted run goes on with the same command.
    """
    from m2r2_ros.training.benchmark import parse_head, plan
    from m2r2_ros.training.feature_set import read_feature_set

    levels = {'fine': ['fine'], 'coarse': ['coarse'], 'both': ['fine', 'coarse']}.get(level)
    if levels is None:
        msg = f'--level {level}: expected fine, coarse or both'
        raise ConfigError(msg)
    configs = [parse_head(text) for text in heads.split(',')]
    chosen = plan(configs, seeds, cast('list[Literal["fine", "coarse"]]', levels), epochs)
    names = [folder.resolve().name for folder in features]
    if len(set(names)) < len(names):
        msg = f'two folders of features have one name: {", ".join(map(str, features))}'
        raise ConfigError(msg)
    for folder in features:  # what cannot be read is better known before training
        data = read_feature_set(folder, split=split, frame_rate=frame_rate)
        if 'coarse' in levels:
            data.coarse()
    rows: list[dict[str, Any]] = []
    work = [(f, n, j) for f, n in zip(features, names, strict=True) for j in chosen]
    cores = jobs or len(os.sched_getaffinity(0))
    with (
        progress_bar() as bar,
        ProcessPoolExecutor(min(cores, len(work)), get_context('spawn')) as pool,
    ):
        task = bar.add_task('trainings', total=len(work))
        asked = {
            pool.submit(run_one, folder, split, frame_rate, job, out / name): name
            for folder, name, job in work
        }
        try:
            for done in as_completed(asked):
                rows += [{'features': asked[done], **row} for row in done.result()]
                bar.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    rows.sort(key=lambda r: (names.index(r['features']), r['level']))
    (out / 'rows.json').write_text(json.dumps(rows, indent=1), encoding='utf-8')
    summary = summarise(rows)
    (out / 'table.md').write_text(to_markdown(summary), encoding='utf-8')
    Console(width=max(stdout.width, 20 * len(COLUMNS))).print(to_table(summary))
    stdout.print(f'{out / "table.md"}', soft_wrap=True)


def run_one(
    folder: Path, split: int, frame_rate: float | None, job: 'Job', out: Path
) -> list[dict[str, Any]]:
    """Train and score in a process of its own, on one core."""
    import torch  # in the new process

    from m2r2_ros.training.benchmark import run_job
    from m2r2_ros.training.feature_set import read_feature_set

    torch.set_num_threads(1)
    return run_job(job, read_feature_set(folder, split=split, frame_rate=frame_rate), out)
