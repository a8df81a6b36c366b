# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every test runs under: a ROS domain of its own, and hypothesis without a stopwatch."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

# How long an example takes depends on the machine; what it finds does not.
settings.register_profile('m2r2', deadline=None, print_blob=True)
settings.load_profile('m2r2')


@pytest.fixture(scope='session', autouse=True)
def ros_domain() -> Iterator[None]:
    """Keep this process's nodes away from those of other test runs and of real robots."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    with ExitStack() as stack:
        try:
            from domain_coordinator import domain_id
        except ModuleNotFoundError:  # No ROS on this machine, so no nodes either.
            pass
        else:
            os.environ['ROS_DOMAIN_ID'] = str(stack.enter_context(domain_id()))
        yield
