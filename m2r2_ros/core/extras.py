# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that only some installations have."""

from importlib import import_module
from typing import Any

from m2r2_ros.core.errors import ConfigError, M2R2Error


def needed(
    module: str, extra: str, what: str = 'this', error: type[M2R2Error] = ConfigError
) -> Any:  # noqa: ANN401 - a module
    """Return a module of a library that an extra brings.

    Args:
        module: The module, such as 'pyarrow.parquet'.
        extra: The extra, such as 'lerobot'.
        what: What needs it, for the message.
        error: Raised where it is missing.

    Raises:
        error: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as problem:
        name = module.partition('.')[0]
        msg = f"{what} needs {name}: pip install 'm2r2_ros[{extra}]'"
        raise error(msg) from problem
