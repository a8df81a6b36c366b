# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which live topics a user means to record."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from m2r2_ros.nodes.common.selection import Selection

#: What every node publishes, and no user means by "everything".
_INTERNAL: Final = frozenset({'/rosout', '/parameter_events'})
_NAME: Final = re.compile(r'~?[\w/]+')


class Wanted:
    """Topics as a node's parameters name them; without any, all that are not hidden or internal.

    Attributes:
        named: Full names of topics that were asked for one by one.
    """

    def __init__(
        self, resolve: Callable[[str], str], topics: Sequence[str], exclude: Sequence[str]
    ) -> None:
        """Compile the patterns.

        Args:
            resolve: From a name as the user gives it to the full name that it is remapped to.
            topics: Names, or regular expressions that match a whole name; empty means everything.
            exclude: The same; these win.

        Raises:
            ConfigError: One is not a regular expression.
        """

        def resolved(texts: Sequence[str]) -> list[str]:
            return [resolve(t) if _NAME.fullmatch(t) else t for t in texts]

        wanted = resolved(topics)
        self._everything = not wanted
        self._selection = Selection(wanted, resolved(exclude))
        self.named = {t for t in wanted if _NAME.fullmatch(t) and t in self._selection}

    def __contains__(self, topic: str) -> bool:
        if self._everything and (topic in _INTERNAL or '/_' in topic):
            return False
        return topic in self._selection
