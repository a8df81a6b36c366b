# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What failed in the runs of a folder, kept until it no longer does."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from m2r2_ros.bags.remote.stores import HIDDEN, ResultStore
from m2r2_ros.fleet.items import Ended, Item

#: Notes of a store, one for each recording that failed.
FAILED: Final = 'failed'


@dataclass(frozen=True, slots=True)
class Ledger:
    """The failures of an output folder, whichever run and process they were in.

    Each is a note of its own, which is written in one step: several runs can tell theirs at once.

    Attributes:
        store: The output folder.
    """

    store: ResultStore

    @property
    def where(self) -> str:
        """Where people find it."""
        return f'{self.store.place}/{HIDDEN}/{FAILED}'

    def failed(self, items: Iterable[Item]) -> set[str]:
        """Return the keys of the items that failed before.

        Raises:
            OutputError: The store cannot be listed.
        """
        there = self.store.notes(FAILED)
        return {item.key for item in items if f'{item.key}.json' in there}

    def add(self, ended: Ended) -> None:
        """Write down a failure; an older one of the same recording is replaced.

        Raises:
            OutputError: It cannot be written.
        """
        told = {
            'recording': ended.item.source,
            'error': ended.error,
            'tries': ended.tries,
            'time': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
        }
        if ended.trace:
            told['trace'] = ended.trace
        text = json.dumps(told, indent=2) + '\n'
        self.store.note(f'{FAILED}/{ended.item.key}.json', text.encode(errors='replace'))

    def forget(self, item: Item) -> None:
        """Strike out a recording that does not fail any more.

        Raises:
            OutputError: It cannot be removed.
        """
        self.store.forget(f'{FAILED}/{item.key}.json')
