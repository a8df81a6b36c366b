# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All checks, and how people choose among them."""

from collections.abc import Sequence
from typing import Final

from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.duplicates import DUPLICATE_FACTS
from m2r2_ros.checks.labels.catalogue import LABEL_CHECKS, SET_CHECKS
from m2r2_ros.checks.recording.catalogue import RECORDING_CHECKS
from m2r2_ros.core.errors import ConfigError

#: Every check by its id, in the order in which they are told.
CHECKS: Final[dict[str, CheckFacts]] = {
    facts.id: facts for facts in (*RECORDING_CHECKS, *LABEL_CHECKS, *SET_CHECKS, DUPLICATE_FACTS)
}

#: Between a check and the topic or label for which alone it is ignored.
_OF: Final = ':'


def chosen_checks(only: Sequence[str] = (), ignored: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the ids of the checks that are wanted.

    Args:
        only: Ids, or groups of them such as 'time'; empty for all.
        ignored: Ids or groups that are not wanted; see ignored_topics for those with a topic.

    Raises:
        ConfigError: There is no such check, or none is left.
    """
    whole = [name for name in ignored if _OF not in name]
    wanted = {check for name in only for check in _named('--only', name)} or set(CHECKS)
    wanted -= {check for name in whole for check in _named('--ignore', name)}
    if not wanted:
        msg = '--ignore leaves no check: ignore fewer'
        raise ConfigError(msg)
    return tuple(check for check in CHECKS if check in wanted)


def ignored_topics(ignored: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Return the checks that are ignored for a topic or label alone, such as time.gap:/amcl_pose.

    Raises:
        ConfigError: There is no such check.
    """
    parts = [name.partition(_OF) for name in ignored if _OF in name]
    return frozenset((check, topic) for n, _, topic in parts for check in _named('--ignore', n))


def _named(option: str, name: str) -> list[str]:
    """Return the checks that a name stands for."""
    found = [check for check in CHECKS if name in (check, check.split('.')[0])]
    if not found:
        groups = dict.fromkeys(check.split('.')[0] for check in CHECKS)
        msg = f'{option} {name}: no such check; there are {", ".join((*groups, *CHECKS))}'
        raise ConfigError(msg)
    return found
