# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from test.hostile import mcap_files
from test.hostile.memory import MB, memory_of

#: Bytes; what is held of chunks that overlap, and is then brought into one buffer, is most of it.
BOUND = 640 * MB


@pytest.mark.parametrize('use', [mcap_files.read_all, mcap_files.repair_and_read])
@pytest.mark.parametrize('case', mcap_files.CASES)
def test_hostile_files_end_in_a_result_or_a_bag_error_within_memory(
    tmp_path: Path,
    processes: ProcessPoolExecutor,
    case: Callable[[], Iterable[bytes]],
    use: Callable[[Path], None],
) -> None:
    paths = [tmp_path / f'{k}.mcap' for k, _ in enumerate(case())]
    for path, content in zip(paths, case(), strict=True):
        path.write_bytes(content)
    assert processes.submit(memory_of, use, paths).result() < BOUND
