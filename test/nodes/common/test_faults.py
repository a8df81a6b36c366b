# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What went wrong is counted, told once, and shown while it is new."""

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.faults import Faults, sendable
from m2r2_ros.nodes.common.status import ERROR, OK


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def error(self, text: str) -> None:
        text.encode()  # as rclpy's does
        self.lines.append(text)


def test_failures_are_counted_by_place_and_logged_once() -> None:
    log = Log()
    faults = Faults(log)
    assert (faults.status().level, faults.status().message) == (OK, 'none has failed')
    for k in range(700):
        with faults.caught('timer _look'):
            raise ValueError(k)
    with faults.caught('service /a/b'):
        raise ConfigError('rate: expected a number')
    assert len(log.lines) == 2
    assert 'Traceback' in log.lines[0]
    assert 'Traceback' not in log.lines[1]  # a person can mend it
    status = faults.status()
    assert status.level == ERROR
    assert status.message == '701 have failed; service /a/b: rate: expected a number'
    assert status.values['timer _look'] == '700 failed, at last with ValueError: 699'
    for _ in range(5):
        status = faults.status()
    assert (status.level, status.message) == (OK, '701 have failed since the start')


def test_whatever_an_error_says_can_be_logged_and_published() -> None:
    log = Log()
    faults = Faults(log)
    faults.note('reading', OSError(f'no such file: caf\udce9\0{"x" * 10_000}'))
    status = faults.status()
    assert len(log.lines) == 1
    assert len(status.message) < 1000
    assert '\\udce9\\x00' in status.message
    assert sendable('é\t\x1b[31m\x9b') == 'é\\t\\x1b[31m\\x9b'
