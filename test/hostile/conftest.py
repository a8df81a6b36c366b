# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A process for each attack, so that its memory can be measured."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest


@pytest.fixture(scope='module')
def processes(request: pytest.FixtureRequest) -> Iterator[ProcessPoolExecutor]:
    """Run each call in a new process that has imported what its test module imports."""
    context = get_context('forkserver')
    context.set_forkserver_preload([request.module.__name__])
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        yield pool
