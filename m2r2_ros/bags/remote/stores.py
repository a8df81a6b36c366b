# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where many workers put their results: each appears whole or not at all, and once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from m2r2_ros.bags.remote.names import HIDDEN, MAX_NOTE
from m2r2_ros.bags.remote.places import is_remote

__all__ = ['HIDDEN', 'MAX_NOTE', 'ResultStore', 'open_store']


class ResultStore(Protocol):
    """A folder, or a prefix of an object store, that workers put results into.

    A result is a set of files under the name of a recording. Readers see all of it or nothing, and
    of several workers that put a result of one name the first wins. Notes are small documents
    beside the results, such as the list of work or the failures.

    No method keeps anything open, and a store may be used from several threads. It can be
    pickled; what is pickled holds no credentials.

    Attributes:
        place: The folder or prefix, a UPath for URLs.
    """

    place: Path

    def put_once(self, name: str, files: Mapping[str, Path]) -> bool:
        """Put a result; it appears as a whole, or not at all.

        In a folder it becomes `<place>/<name>/`. In an object store the files become
        `<place>/<name>/<random>/`, and a marker that names them, put last and only if there is
        none, makes them a result; the loser's files are removed again.

        Args:
            name: Name of the result, which becomes part of paths.
            files: Local files by their path within the result, with '/' between its parts.

        Returns:
            True if it is the result now; False if there was one already, which is kept.

        Raises:
            OutputError: A name cannot be used, a file cannot be read, or the store cannot be
                written.
        """
        ...  # pragma: no cover

    def done(self) -> frozenset[str]:
        """Return the names of all results, by one listing.

        Raises:
            OutputError: The store cannot be listed.
        """
        ...  # pragma: no cover

    def files(self, name: str) -> dict[str, Path]:
        """Return the files of a result by their path within it; {} where there is none.

        Raises:
            OutputError: The store cannot be read, or the marker is damaged.
        """
        ...  # pragma: no cover

    def withdraw(self, name: str) -> bool:
        """Remove a result, so that it can be put again; returns whether there was one.

        Raises:
            OutputError: The store cannot be written.
        """
        ...  # pragma: no cover

    def note(self, key: str, data: bytes) -> None:
        """Write a note, replacing an older one.

        Args:
            key: Its name: parts of letters with '/' between them, such as 'failed/NAME.json'.
            data: At most MAX_NOTE bytes.

        Raises:
            OutputError: It cannot be written.
        """
        ...  # pragma: no cover

    def note_once(self, key: str, data: bytes) -> bool:
        """Write a note unless there is one of this name; returns whether it was written.

        Raises:
            OutputError: It cannot be written.
        """
        ...  # pragma: no cover

    def notes(self, folder: str) -> frozenset[str]:
        """Return the names of the notes in a folder of notes, without it, by one listing.

        Raises:
            OutputError: The store cannot be listed.
        """
        ...  # pragma: no cover

    def read_note(self, key: str) -> bytes | None:
        """Return a note; None where there is none.

        Raises:
            OutputError: It cannot be read, or is larger than MAX_NOTE.
        """
        ...  # pragma: no cover

    def forget(self, key: str) -> None:
        """Remove a note; nothing happens where there is none.

        Raises:
            OutputError: It cannot be removed.
        """
        ...  # pragma: no cover


def open_store(place: Path) -> ResultStore:
    """Return the store at a folder, or at a URL that `places.as_place` made.

    Nothing is looked at yet.

    Raises:
        ConfigError: What URLs of this kind need is not installed.
    """
    if is_remote(place):
        from m2r2_ros.bags.remote.object_store import ObjectStore

        return ObjectStore(place)
    from m2r2_ros.bags.remote.folder_store import FolderStore

    return FolderStore(place)
