# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every method of segmentation without labels, by name."""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.discovery.method import Method

#: Where each method lies, as a module of this room; imported when it is asked for.
METHODS: Final[dict[str, str]] = {
    'events': 'events',
    'bocpd': 'bocpd',
    'awe': 'awe',
    'abd': 'abd',
    'otas': 'otas',
    'optical_flow': 'optical_flow',
    'laps': 'laps.method_images',
    'laps_motion': 'laps.method_motion',
    'primitives': 'primitives',
}
#: Methods that look at a camera.
OF_CAMERAS: Final = frozenset({'optical_flow', 'laps'})
#: Methods that look at any features, those of images where nothing else is there.
OF_FEATURES: Final = frozenset({'abd', 'otas'})
#: Methods that give latent sequences, by a tokenizer that calibration trains with torch.
OF_LATENTS: Final = ('laps', 'laps_motion')


def find_method(name: str) -> Method:
    """Return a method.

    Raises:
        ConfigError: There is none of this name.
    """
    if name not in METHODS:
        msg = f'method {excerpt(name)!r} is unknown; known: {", ".join(METHODS)}'
        raise ConfigError(msg)
    method: Method = import_module(f'm2r2_ros.discovery.{METHODS[name]}').METHOD
    return method


def expect_methods(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of methods, each once.

    Raises:
        ConfigError: One is unknown, or none is given.
    """
    found = tuple(dict.fromkeys(names))
    unknown = [name for name in found if name not in METHODS]
    if unknown or not found:
        what = f'methods {listed(unknown)} are unknown' if unknown else 'no method is given'
        msg = f'{what}; known: {", ".join(METHODS)}'
        raise ConfigError(msg)
    return found
