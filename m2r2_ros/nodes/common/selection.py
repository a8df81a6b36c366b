# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics a user means, by names and patterns."""

import re
from collections.abc import Sequence

from m2r2_ros.core.errors import ConfigError


class Selection:
    """Topics that match one of `wanted`, or all where that is empty, and none of `excluded`."""

    def __init__(self, wanted: Sequence[str], excluded: Sequence[str]) -> None:
        """Compile the patterns.

        Args:
            wanted: Names, or regular expressions that match a whole name.
            excluded: The same; these win.

        Raises:
            ConfigError: One is not a regular expression.
        """
        self._wanted = [_compile('topics', text) for text in wanted]
        self._excluded = [_compile('exclude', text) for text in excluded]

    def __contains__(self, name: str) -> bool:
        if any(pattern.fullmatch(name) for pattern in self._excluded):
            return False
        return not self._wanted or any(pattern.fullmatch(name) for pattern in self._wanted)


def _compile(parameter: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        msg = (
            f'{parameter}: {text!r} is not a regular expression: {error}; give the name of a '
            "topic, or a pattern such as '/camera/.*'"
        )
        raise ConfigError(msg) from error
