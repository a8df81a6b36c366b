# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Points the CMake files of the ROS wheels to this environment's Python folders.

The wheels export the include folders of the machine that they were built on, where CPython lies
under /opt/python. CMake refuses targets whose include folders do not exist.
"""

import re
import sys
import sysconfig
from pathlib import Path

BUILD_MACHINE = re.compile(
    r'/opt/python/cp\d+-cp\d+/(?P<part>include/python3\.\d+|lib/python3\.\d+/site-packages)'
)


def relocate(text: str) -> str:
    """Return `text` with the build machine's include and site-packages folders replaced."""
    paths = sysconfig.get_paths()
    include, purelib = paths['include'], paths['purelib']
    return BUILD_MACHINE.sub(
        lambda match: include if match['part'].startswith('include') else purelib, text
    )


def main() -> None:
    """Rewrite the CMake files of the environment that this interpreter belongs to."""
    for path in sorted(Path(sys.prefix, 'share').glob('*/cmake/*.cmake')):
        before = path.read_text()
        after = relocate(before)
        if after != before:
            path.write_text(after)


if __name__ == '__main__':
    main()
