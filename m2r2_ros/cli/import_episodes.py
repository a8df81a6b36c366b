# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the imports of whole recordings share: which become which bags, progress and reports."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.progress import Progress

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.importing import import_recording
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import Recording, recording_name
from m2r2_ros.cli.import_many import import_all, print_report

#: Opens a recording.
Opens = Callable[[Path], Recording]


def import_recordings(
    recordings: Sequence[Path],
    source: Path,
    out: Path,
    opens: Opens,
    made_by: str,
    *,
    overwrite: bool,
) -> None:
    """Write recordings as bags: the only one that was named to `out`, others into it.

    Args:
        recordings: The recordings.
        source: What the user gave.
        out: Where to.
        opens: Opens one.
        made_by: Who made their ground truth.
        overwrite: Replace bags that are there.

    Raises:
        BagError: Some could not be imported.
    """
    expect_distinct_names(recordings)
    if list(recordings) == [source]:
        bags = {out: source}
    else:
        refuse_inside(out, source)
        bags = {out / recording_name(path): path for path in recordings}
    import_all(
        {bag: partial(_one, path, bag, opens, made_by, overwrite) for bag, path in bags.items()},
        overwrite=overwrite,
    )


def _one(path: Path, bag: Path, opens: Opens, made_by: str, overwrite: bool, bar: Progress) -> None:
    task = bar.add_task(recording_name(path), total=1.0)
    try:
        report = import_recording(
            opens(path),
            bag,
            made_by,
            overwrite=overwrite,
            progress=lambda share: bar.update(task, completed=share),
        )
    finally:
        bar.remove_task(task)
    print_report(report)
