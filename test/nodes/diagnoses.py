# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes say of themselves."""

from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from test.nodes.conftest import listen, wait_until


class Diagnoses:
    """What is said on /diagnostics."""

    def __init__(self, node: Node) -> None:
        self.heard = listen(node, DiagnosticArray, '/diagnostics')

    def find(self, name: str, text: str, level: int | None = None) -> Any:
        for array in list(self.heard):
            for status in array.status:
                fits = level is None or status.level == bytes([level])
                if fits and status.name.endswith(f': {name}') and text in status.message:
                    return status
        return None

    def expect(self, name: str, text: str, level: int = 1) -> Any:
        return wait_until(lambda: self.find(name, text, level), what=f'{name}: {text}')

    def forget(self) -> None:
        self.heard.clear()

    def values(self, name: str) -> dict[str, str]:
        """Return the newest values of a status."""
        for array in reversed(list(self.heard)):
            for status in array.status:
                if status.name.endswith(f': {name}'):
                    return {v.key: v.value for v in status.values}
        return {}

    def says(self, name: str, key: str, text: str) -> bool:
        """Return whether a value of a status begins with a text now."""
        return self.values(name).get(key, '').startswith(text)
