# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from test.bags.mcap import hostile

#: Bytes; the chunk that a file of any size may hold takes up to a quarter of it.
BOUND = 400 * hostile.MB


@pytest.fixture(scope='module')
def processes() -> Iterator[ProcessPoolExecutor]:
    """Run each call in a new process that has imported what it needs, and nothing else."""
    context = get_context('forkserver')
    context.set_forkserver_preload([hostile.__name__])
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        yield pool


@pytest.mark.parametrize('use', [hostile.read_all, hostile.repair_and_read])
@pytest.mark.parametrize('case', hostile.CASES)
def test_hostile_files_end_in_a_result_or_a_bag_error_within_memory(
    tmp_path: Path,
    processes: ProcessPoolExecutor,
    case: Callable[[], Iterable[bytes]],
    use: Callable[[Path], None],
) -> None:
    paths = [tmp_path / f'{k}.mcap' for k, _ in enumerate(case())]
    for path, content in zip(paths, case(), strict=True):
        path.write_bytes(content)
    assert processes.submit(hostile.memory_of, use, paths).result() < BOUND
