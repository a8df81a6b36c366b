# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings exported one by one: what fails is told at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from rich.progress import TaskID

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import source_recordings
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.core.errors import BagError, M2R2Error, OutputError
from m2r2_ros.core.text import listed
from m2r2_ros.export.labelled import LabelledSource, label_sources

T = TypeVar('T')
S_co = TypeVar('S_co', covariant=True)

#: Called with the share of a recording that is done, 0..1.
Told = Callable[[float], None]


class Readable(Protocol[S_co]):
    """A recording, and labels that can be read."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...  # pragma: no cover

    def read(self) -> S_co:
        """Read the labels."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Exported(Generic[T]):
    """What came of an export.

    Attributes:
        done: Of each recording that could be exported, what the writer returned.
        failed: Why others could not.
    """

    done: list[T]
    failed: list[str]

    def tell(self, what: str, others: Sequence[str] = ()) -> None:
        """Print what was made, and raise what went wrong.

        Args:
            what: Was made, where all went well.
            others: What went wrong in recordings that were exported but for that.

        Raises:
            BagError: Some recordings could not be exported, or not all of them.
        """
        if self.done:
            stdout.print(what, soft_wrap=True, highlight=False)
        count = len(self.failed) + len(self.done)
        told = []
        if self.failed:
            told.append(f'{len(self.failed)} of {count} recordings could not be exported')
        if others:
            told.append(f'{len(others)} segments could not be exported')
        if told:
            raise BagError(', '.join(told), *self.failed, *others)


def export_sources(
    bags: Sequence[Path], labels: Sequence[Path] | None, out: Path
) -> list[LabelledSource]:
    """Return the recordings to export, and where their labels are.

    Raises:
        M2R2Error: There are none, or the output would lie in one of them.
    """
    paths = source_recordings(list(bags))
    refuse_inside(out, *paths)
    return label_sources(paths, list(labels or ()))


def export_each(sources: Sequence[Readable[S_co]], write: Callable[[S_co, Told], T]) -> Exported[T]:
    """Export recordings one by one, whatever is wrong with some.

    Args:
        sources: Recordings, and where their labels are.
        write: Exports one.
    """
    done: list[T] = []
    failed: list[str] = []
    with progress_bar() as bar:
        for source in sources:
            task = bar.add_task(source.name, total=1.0)

            def told(share: float, task: TaskID = task) -> None:
                bar.update(task, completed=share)

            try:
                done.append(write(source.read(), told))
                bar.update(task, completed=1.0)
            except (M2R2Error, OSError) as error:
                failed.append(str(error))
            finally:
                bar.remove_task(task)
    return Exported(done, failed)


def expect_new(*paths: Path, overwrite: bool) -> None:
    """Refuse to write over outputs, before anything is read.

    Raises:
        OutputError: One exists and is not to be replaced.
    """
    if not overwrite and (there := [str(path) for path in paths if path.exists()]):
        msg = f'{listed(there)} exists: choose another --out, or replace it with --overwrite'
        raise OutputError(msg)


def say_kept(kept: int) -> None:
    """Tell how many outputs of an earlier run are kept."""
    if kept:
        console.print(f'{kept} are there already and are kept; --overwrite makes them again')
