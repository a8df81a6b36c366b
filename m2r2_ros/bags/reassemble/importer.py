# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a REASSEMBLE file as a bag."""

from collections.abc import Callable
from pathlib import Path

from m2r2_ros.bags.importing import BagReport, import_recording
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError


def import_reassemble(
    path: Path,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> BagReport:
    """Write all topics of a file, ground truth included; see `import_recording`.

    Raises:
        BagError: The file cannot be read or decoded in full, or `out` cannot be written.
    """
    if path.suffix != '.h5':
        msg = f'{path} is not an .h5 file of REASSEMBLE; expected such a file, or a folder of them'
        raise BagError(msg)
    recording = open_recording(path)
    return import_recording(recording, out, 'REASSEMBLE', overwrite=overwrite, progress=progress)
