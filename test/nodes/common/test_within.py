# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work that may hang is waited for until it is done, overdue, or no longer wanted."""

import threading
import time

import pytest

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.common.within import within


def test_what_is_done_or_raised_in_time_is_passed_on() -> None:
    assert within(60.0, Stop(), 'adding', lambda: 1 + 1) == 2
    with pytest.raises(ZeroDivisionError):
        within(60.0, Stop(), 'dividing', lambda: 1 // 0)

    def late() -> None:
        time.sleep(0.1)
        raise TimeoutError('of its own')

    with pytest.raises(TimeoutError, match='of its own'):
        within(60.0, Stop(), 'asking', late)


def test_what_hangs_is_given_up() -> None:
    hangs = threading.Event()
    with pytest.raises(M2R2Error, match=r'reading has not come to an end within 0\.1 s'):
        within(0.1, Stop(), 'reading', hangs.wait)
    stop = Stop()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(M2R2Error, match='reading was given up: the node is ending'):
        within(float('inf'), stop, 'reading', hangs.wait)
    hangs.set()
