# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 benchmark`: heads trained on the same features, with several seeds."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import expect_training
from m2r2_ros.cli.console import PlainConsole, progress_bar, stdout
from m2r2_ros.cli.options import HeadEpochs, Jobs, LevelName, Levels, Seeds
from m2r2_ros.cli.truths import say_without_labels
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import claim_folder, write_text
from m2r2_ros.evaluation.benchmark_table import COLUMNS, summarise, to_markdown, to_table

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.training.benchmark import Job
    from m2r2_ros.training.feature_set import FeatureSet

ALL = 'causal_tcn,protas,protas:task_graph=true,online_tas,ms_tcn,asrf,asformer,diffact'


def benchmark_command(
    features: Annotated[
        list[Path],
        typer.Argument(help='Folders that m2r2 features wrote, or others in the same layout.'),
    ],
    out: Annotated[Path, typer.Option(help='Folder for rows, kept between runs, and tables.')],
    heads: Annotated[str, typer.Option(help='Heads, separated by commas.')] = ALL,
    seeds: Seeds = 3,
    epochs: HeadEpochs = None,
    level: Levels = 'fine',
    split: Annotated[int, typer.Option(help='Number of the split.', min=1)] = 1,
    frame_rate: Annotated[
        float | None,
        typer.Option(help='Frames per second of features without features.yaml.', min=0.1),
    ] = None,
    jobs: Jobs = 0,
) -> None:
    """Train heads on the same features and print mean and spread of their scores.

    Nothing is chosen on the test part: rows are of the last epoch, and of the epoch and the hold
    rule that were best on the validation part if there is one. Existing rows are kept, so that an
    interrupted run continues with the same command.

    For example: m2r2 benchmark features --heads causal_tcn,ms_tcn --out benchmark
    """
    expect_training()
    from m2r2_ros.training.benchmark import parse_head, plan

    configs = [parse_head(text) for text in heads.split(',')]
    levels: list[LevelName] = ['fine', 'coarse'] if level == 'both' else [level]
    names = [folder.resolve().name for folder in features]
    if len(set(names)) < len(names):
        msg = f'two folders of features have one name: {", ".join(map(str, features))}'
        raise ConfigError(msg)
    refuse_inside(out, *features)
    source = _Source(split, frame_rate)
    for folder in features:  # report unreadable folders before training
        data = source.read(folder)
        say_without_labels(data.left_out)
        if 'coarse' in levels:
            data.coarse()
    work = [
        (folder, job, out / name)
        for folder, name in zip(features, names, strict=True)
        for job in plan(configs, seeds, levels, epochs)
    ]
    with claim_folder(out):
        rows = _run(work, source, jobs or len(os.sched_getaffinity(0)))
        rows.sort(key=lambda r: (names.index(r['features']), r['level']))
        _write(out, rows)


#: The name of a folder of features, and the rows of one training on it.
Rows = tuple[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Source:
    """Which features of a folder are read, and what is not in it."""

    split: int
    frame_rate: float | None

    def read(self, folder: Path) -> 'FeatureSet':
        from m2r2_ros.training.feature_set import read_feature_set

        return read_feature_set(folder, split=self.split, frame_rate=self.frame_rate)


def _run(
    work: 'list[tuple[Path, Job, Path]]', source: _Source, processes: int
) -> list[dict[str, Any]]:
    """Train and score each head, several at a time; return the rows in order of their arrival."""
    rows: list[dict[str, Any]] = []
    with progress_bar() as bar:
        task = bar.add_task('trainings', total=len(work))
        # Processes take seconds to start, which is not worth it for one at a time.
        trained = _run_here(work, source) if processes == 1 else _run_apart(work, source, processes)
        for name, found in trained:
            rows += [{'features': name, **row} for row in found]
            bar.advance(task)
    return rows


def _run_here(work: 'list[tuple[Path, Job, Path]]', source: _Source) -> Iterator[Rows]:
    for folder, job, out in work:
        yield out.name, run_one(folder, source, job, out)


def _run_apart(
    work: 'list[tuple[Path, Job, Path]]', source: _Source, processes: int
) -> Iterator[Rows]:
    with ProcessPoolExecutor(min(processes, len(work)), get_context('spawn')) as pool:
        asked = {
            pool.submit(run_one, folder, source, job, out): out.name for folder, job, out in work
        }
        try:
            for done in as_completed(asked):
                yield asked[done], done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def run_one(folder: Path, source: _Source, job: 'Job', out: Path) -> list[dict[str, Any]]:
    """Train and score a head on one core."""
    import torch  # in a new process, if there is one

    from m2r2_ros.training.benchmark import run_job

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return run_job(job, source.read(folder), out)
    finally:
        torch.set_num_threads(threads)


def _write(out: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows and their table, and print it."""
    write_text(out / 'rows.json', json.dumps(rows, indent=1))
    summary = summarise(rows)
    write_text(out / 'table.md', to_markdown(summary))
    PlainConsole(width=max(stdout.width, 20 * len(COLUMNS))).print(to_table(summary))
    stdout.print(f'{out / "table.md"}', soft_wrap=True)
