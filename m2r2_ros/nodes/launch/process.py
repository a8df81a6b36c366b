# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node to be started: what it is given, and its command line."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.share import PACKAGE


@dataclass(frozen=True)
class Process:
    """A node that is a process.

    Attributes:
        executable: Its executable.
        package: The ROS package that has it.
        name: Name of the node; '' leaves it to the executable.
        namespace: Namespace of the node.
        files: Parameter files.
        parameters: Parameters by name; they override the files.
        options: Arguments that are not for ROS.
        ros_options: Further ones that are.
        essential: The others end with it, even where it ends without an error.
        respawn: It is started again when it has ended by itself.
        patience: Seconds from SIGTERM to SIGKILL.
    """

    executable: str
    package: str = PACKAGE
    name: str = ''
    namespace: str = ''
    files: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    ros_options: tuple[str, ...] = ()
    essential: bool = False
    respawn: bool = False
    patience: float = 10.0

    @property
    def ours(self) -> bool:
        """Whether it is a node of this package."""
        return self.package == PACKAGE

    @property
    def command(self) -> list[str]:
        """Its command line, with the words that `ros2 launch` gives.

        Raises:
            ConfigError: It is of another package, which is not installed.
        """
        words = [*self._program(), *self.options, '--ros-args', *self.ros_options]
        words += ['-r', f'__node:={self.name}'] if self.name else []
        words += ['-r', f'__ns:=/{self.namespace.strip("/")}'] if self.namespace else []
        for path in self.files:
            words += ['--params-file', path]
        for name, value in self.parameters.items():
            words += ['-p', f'{name}:={json.dumps(value)}']  # JSON is YAML
        return words

    def _program(self) -> list[str]:
        if self.ours:
            return [sys.executable, '-m', 'm2r2_ros.nodes', self.executable]
        for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
            program = Path(prefix, 'lib', self.package, self.executable)
            if prefix and program.is_file():
                return [str(program)]
        msg = (
            f'{self.package} is not installed: install it in the ROS 2 workspace, which has to be '
            f'sourced, or do without it'
        )
        raise ConfigError(msg)
