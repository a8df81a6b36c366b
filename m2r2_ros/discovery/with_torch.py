# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way to what needs PyTorch, which a robot that only labels has not installed."""

from importlib import import_module
from types import ModuleType

from m2r2_ros.core.errors import ConfigError


def with_torch(module: str, what: str) -> ModuleType:
    """Import a module of the room `training`, which this room knows in no other way.

    Args:
        module: Its name below m2r2_ros.training.
        what: What it is needed for, for the message.

    Raises:
        ConfigError: What the extra `train` brings is not installed.
    """
    try:
        return import_module(f'm2r2_ros.training.{module}')
    except ModuleNotFoundError as error:
        msg = f"{what} needs {error.name}, which is missing: pip install 'm2r2_ros[train]'"
        raise ConfigError(msg) from error
