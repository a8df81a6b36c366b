# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a fleet does with each recording."""

from collections.abc import Callable
from typing import Any, Protocol

from m2r2_ros.fleet.items import Did, Item

#: Does the work on one recording; raises M2R2Error or OSError where it fails.
Work = Callable[[Item], Did]


class FleetJob(Protocol):
    """The work of a command on each of many recordings; it goes to the workers by pickle.

    A recording may be worked on twice: where a worker was lost after it had put the results, or
    where a machine is out of reach but runs on. Results must therefore appear whole, and those
    that are there must be kept.

    Attributes:
        name: Of the command, such as 'label'.
        out: Folder or URL that results go to.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def out(self) -> str: ...  # noqa: D102

    def made_with(self) -> dict[str, Any]:
        """Return what results depend on, as JSON holds it: a folder holds results of one kind."""
        ...  # pragma: no cover

    def done(self, items: list[Item]) -> set[str]:
        """Return the keys of the items whose results are there already, by few listings.

        Raises:
            OutputError: The output folder cannot be listed.
        """
        ...  # pragma: no cover

    def open(self) -> Work:
        """Return what does the work; called once by each worker, which keeps it.

        Raises:
            M2R2Error: It cannot be done here, as where there is no such model.
        """
        ...  # pragma: no cover
