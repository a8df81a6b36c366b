# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory an attack takes."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import M2R2Error

MB: Final = 1 << 20
#: Bytes beyond which an attack fails rather than fill the machine.
_MOST: Final = 4 << 30


def memory_of(use: Callable[[Path], object], paths: list[Path]) -> int:
    """Return how many bytes of memory `use` takes at most; to be run in a process of its own.

    Raises:
        Exception: Whatever `use` raises that is not for users.
    """
    # What is imported has taken addresses already, though not memory.
    taken = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MOST, taken + _MOST))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in paths:
        try:
            use(path)
        except M2R2Error:
            pass
        except Exception as error:
            error.add_note(f'with {path}')
            raise
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
