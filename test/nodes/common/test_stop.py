# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The end of a process is set whatever a signal has interrupted."""

import threading

from m2r2_ros.nodes.common.stop import Stop


def test_a_signal_ends_one_that_is_about_to_wait() -> None:
    stop = Stop()

    def interrupted() -> None:
        lock: threading.Condition = vars(stop._event)['_cond']
        with lock:  # as wait() has it when it begins
            stop.set_by_signal()

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(10.0)
    assert not thread.is_alive(), 'it waits for itself'
    assert stop.wait(10.0)


def test_the_first_exit_code_stays() -> None:
    stop = Stop()
    stop.set(2)
    stop.set(1)
    assert stop.is_set() and stop.exit_code == 2
