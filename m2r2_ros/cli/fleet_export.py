# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export FORMAT --fleet`: the command itself, on one recording after another."""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import partial, wraps
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, Final

import typer

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote.places import is_remote
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.fleet_options import (
    TRIES,
    Fleet,
    FleetOptions,
    Ray,
    RetryFailed,
    Tree,
    Tries,
    Workers,
    given_text,
)
from m2r2_ros.core.errors import BagError
from m2r2_ros.fleet.files_job import FilesJob
from m2r2_ros.fleet.items import Did, Item, State
from m2r2_ros.fleet.worklist import is_result

#: What every command of a fleet has, with its default.
_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    'fleet': (Fleet, False),
    'workers': (Workers, 0),
    'ray': (Ray, None),
    'tree': (Tree, None),
    'retry_failed': (RetryFailed, False),
    'tries': (Tries, TRIES),
}
#: Characters of what a command says that are kept.
_LONGEST: Final = 4000


def with_fleet(*, dataset: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what gives a command with `bags`, `out` and `overwrite` the options of a fleet.

    Args:
        dataset: What it writes is not called after the recordings alone, such as one dataset of
            all of them; on a fleet it writes into a folder for each, OUT/NAME.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def whole(**given: Any) -> None:  # noqa: ANN401 - options of any command
            fleet = {name: given.pop(name, default) for name, (_, default) in _OPTIONS.items()}
            options = FleetOptions(fleet.pop('fleet'), **fleet)
            if options.asked:
                _run(command, given, options, dataset=dataset)
            else:
                command(**given)

        own = inspect.signature(command, eval_str=True)
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            *(one.replace(kind=keyword) for one in own.parameters.values()),
            *(
                inspect.Parameter(name, keyword, default=default, annotation=annotation)
                for name, (annotation, default) in _OPTIONS.items()
            ),
        ]
        whole.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        whole.__annotations__ = {one.name: one.annotation for one in parameters}
        return whole

    return decorate


def make_export(
    module: str, name: str, given: Mapping[str, Any], dataset: bool, item: Item, folder: Path
) -> Did:
    """Run a command on one recording; labels of ours that were found in a folder are passed over.

    Raises:
        M2R2Error: The command raised it, or ended with another exit code than 0.
    """
    if is_result(item):
        return Did(State.PASSED)
    command = getattr(import_module(module), name)
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            command(bags=[item.place], out=folder / item.name if dataset else folder, **given)
        except typer.Exit as end:
            if end.exit_code:
                msg = f'{item.source}: ended with exit code {end.exit_code}: {said.getvalue()}'
                raise BagError(msg) from end
    recording = open_recording(item.place)
    seconds = (recording.end - recording.start) * 1e-9
    return Did(State.DONE, seconds, {'told': said.getvalue()[-_LONGEST:]})


def _run(
    command: Callable[..., None],
    given: dict[str, Any],
    options: FleetOptions,
    *,
    dataset: bool,
) -> None:
    from m2r2_ros.cli.fleet_run import fleet_items, run_fleet

    bags, out = given.pop('bags'), given_text(given.pop('out'))
    given = {name: _everywhere(value) for name, value in given.items()}
    overwrite = bool(given.get('overwrite'))
    items = fleet_items(bags, out, options)
    made_with = repr(sorted((k, v) for k, v in given.items() if k != 'overwrite'))
    digest = hashlib.sha256(made_with.encode()).hexdigest()[:16]
    make = partial(make_export, command.__module__, command.__name__, given, dataset)
    kind = command.__name__.removesuffix('_command')
    job = FilesJob('export', out, make, {'format': kind, 'options': digest}, overwrite=overwrite)
    outcome = run_fleet(job, items, options, overwrite=overwrite)
    count = len(outcome.kept) + sum(e.state in (State.DONE, State.KEPT) for e in outcome.ended)
    stdout.print(f'{out}: {count} recordings exported', soft_wrap=True)
    outcome.expect_none_failed('exported')


def _everywhere(value: Any) -> Any:  # noqa: ANN401 - of an option
    """Return a value with paths that mean the same in any working folder."""
    if isinstance(value, list):
        return [_everywhere(one) for one in value]
    return value.absolute() if isinstance(value, Path) and not is_remote(value) else value
