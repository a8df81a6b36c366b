# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files live that come with the package: msg, config, models."""

import os
import sys
from pathlib import Path

PACKAGE = 'm2r2_ros'


def share_path(*parts: str) -> Path:
    """Return a file or folder that the package ships.

    Looks in the checkout that this module lies in, in the environment that pip installed into
    and in the ROS prefixes, in that order.

    Raises:
        FileNotFoundError: None of them has it.
    """
    roots = [Path(__file__).resolve().parents[2], Path(sys.prefix, 'share', PACKAGE)]
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    roots += [Path(prefix, 'share', PACKAGE) for prefix in prefixes if prefix]
    for root in roots:
        if (root / 'package.xml').is_file() and root.joinpath(*parts).exists():
            return root.joinpath(*parts)
    msg = f'{"/".join(parts)} is not in any of {", ".join(map(str, roots))}: reinstall {PACKAGE}'
    raise FileNotFoundError(msg)
