# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics by names and patterns."""

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.selection import Selection


@pytest.mark.parametrize(
    ('wanted', 'excluded', 'found'),
    [
        ((), (), ['/a', '/a/b', '/c']),
        (('/a',), (), ['/a']),
        (('/a.*',), ('/a',), ['/a/b']),
        ((), ('.*a',), ['/a/b', '/c']),
    ],
)
def test_a_selection_matches_whole_names(
    wanted: tuple[str, ...], excluded: tuple[str, ...], found: list[str]
) -> None:
    selection = Selection(wanted, excluded)
    assert [name for name in ('/a', '/a/b', '/c') if name in selection] == found


def test_what_is_not_a_regular_expression_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"exclude: '/\(' is not a regular expression"):
        Selection((), ('/(',))
