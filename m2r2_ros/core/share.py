# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files live that come with the package: msg, config, models."""

from pathlib import Path

PACKAGE = 'm2r2_ros'


def share_path(*parts: str) -> Path:
    """Return a file or folder that the package ships.

    Looks in the checkout that this module lies in, then where installers put shared files: pip and
    colcon beside the prefix's lib/pythonX.Y/site-packages, `pip install --target` inside it.

    Raises:
        FileNotFoundError: None of them has it.
    """
    top = Path(__file__).resolve().parents[2]
    roots = [top, top / 'share' / PACKAGE]
    if len(top.parents) > 2:
        roots.append(top.parents[2] / 'share' / PACKAGE)
    for root in roots:
        if (root / 'package.xml').is_file() and root.joinpath(*parts).exists():
            return root.joinpath(*parts)
    msg = f'{"/".join(parts)} is not in any of {", ".join(map(str, roots))}: reinstall {PACKAGE}'
    raise FileNotFoundError(msg)
