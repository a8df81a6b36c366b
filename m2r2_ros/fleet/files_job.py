# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of commands that make files of each recording."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from m2r2_ros.bags.remote.places import as_place, is_remote
from m2r2_ros.bags.remote.stores import HIDDEN, ResultStore, open_store
from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import disk_errors, partial_path
from m2r2_ros.core.reading import reading
from m2r2_ros.core.text import listed
from m2r2_ros.fleet.items import Did, Item, State
from m2r2_ros.fleet.job import Work

#: Notes of a store, one for each recording that is done, with what there is to tell of it.
TOLD: Final = 'told'

#: Makes the files of a recording in an empty folder that it is given.
Maker = Callable[[Item, Path], Did]


@dataclass(frozen=True, slots=True)
class FilesJob:
    """Files made of each recording.

    In a local output folder they lie as if they had been made there one after another; their names
    begin with that of the recording. In an object store those of each recording have a prefix of
    their own. A note is written last: what has none is made again.

    Attributes:
        name: Of the command.
        out: Folder or URL that the files go to.
        make: Makes them: a function of a module, or `functools.partial` of one, so that it can be
            pickled.
        options: What the files depend on, as JSON holds it.
        overwrite: Make again what is there.
    """

    name: str
    out: str
    make: Maker
    options: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False

    def made_with(self) -> dict[str, Any]:
        """Return the command and its options."""
        return {'command': self.name, **self.options}

    def done(self, items: list[Item]) -> set[str]:
        """Return the keys of the items that have their files."""
        store = open_store(as_place(self.out))
        if is_remote(store.place):
            there = store.done()
        else:
            there = frozenset(name.removesuffix('.json') for name in store.notes(TOLD))
        return {item.key for item in items} & there

    def open(self) -> Work:
        """Return what makes the files of a recording and puts them in their place."""
        return partial(_make, self, open_store(as_place(self.out)))


def facts_of(out: str, item: Item) -> dict[str, Any]:
    """Return what was told of a recording when it was done, in whichever run; {} where it was not.

    Raises:
        OutputError: The note is damaged or cannot be read.
    """
    key = f'{TOLD}/{item.key}.json'
    raw = open_store(as_place(out)).read_note(key)
    if raw is None:
        return {}
    expected = 'a note that m2r2 wrote: make the recording again with --overwrite'
    with reading(f'{out}/{HIDDEN}/{key}', expected, OutputError):
        return dict(json.loads(raw))


def _make(job: FilesJob, store: ResultStore, item: Item) -> Did:
    if not job.overwrite and _is_done(store, item):
        return Did(State.KEPT, facts=facts_of(job.out, item))
    if is_remote(store.place):
        return _make_remote(job, store, item)
    draft = partial_path(store.place / HIDDEN / 'work' / item.key)
    with disk_errors(draft):
        shutil.rmtree(draft, ignore_errors=True)  # what a worker left that was lost
        draft.mkdir(parents=True)
    try:
        did = job.make(item, draft)
        if did.state is State.DONE:
            made = _made(draft, item)
            store.forget(f'{TOLD}/{item.key}.json')
            _move(made, store.place / item.folder)
            _tell(store, item, did)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return did


def _make_remote(job: FilesJob, store: ResultStore, item: Item) -> Did:
    with TemporaryDirectory(prefix='m2r2_') as folder:
        did = job.make(item, Path(folder))
        if did.state is not State.DONE:
            return did
        if job.overwrite:
            store.withdraw(item.key)
        _tell(store, item, did)
        ours = store.put_once(item.key, files_in(Path(folder)))
    return did if ours else Did(State.KEPT)


def files_in(folder: Path) -> dict[str, Path]:
    """Return the files in a folder at any depth, by their path within it."""
    return {f.relative_to(folder).as_posix(): f for f in sorted(folder.rglob('*')) if f.is_file()}


def _is_done(store: ResultStore, item: Item) -> bool:
    if is_remote(store.place):
        return bool(store.files(item.key))
    return store.read_note(f'{TOLD}/{item.key}.json') is not None


def _tell(store: ResultStore, item: Item, did: Did) -> None:
    store.note(f'{TOLD}/{item.key}.json', (json.dumps(did.facts) + '\n').encode())


def _made(draft: Path, item: Item) -> list[Path]:
    """Return what was made, all of it called after the recording: nothing else is replaced.

    Raises:
        OutputError: Something is not.
    """
    made = sorted(draft.iterdir())
    if others := [path.name for path in made if not path.name.startswith(item.name)]:
        msg = (
            f'{item.source}: {listed(others)} would be shared with other recordings; run without '
            '--fleet'
        )
        raise OutputError(msg)
    return made


def _move(made: list[Path], folder: Path) -> None:
    """Move what was made to its place; what an earlier run left there is replaced."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in made:
            target = folder / path.name
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            path.replace(target)
