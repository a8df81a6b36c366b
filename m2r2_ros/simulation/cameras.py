# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera images of the cell, where OpenGL can render them."""

import os
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from m2r2_ros.simulation.cell import Cell

#: Ways to draw without a screen, in the order in which they are tried.
_BACKENDS: Final = ('egl', 'osmesa')
#: Renders one image; a backend under which this fails or is killed is ruled out.
_PROBE: Final = (
    'import mujoco\n'
    "model = mujoco.MjModel.from_xml_string('<mujoco/>')\n"
    'renderer = mujoco.Renderer(model, 32, 32)\n'
    'renderer.update_scene(mujoco.MjData(model))\n'
    'renderer.render()\n'
)


@cache
def choose_backend() -> str:
    """Find a way to draw, and have MuJoCo use it; to be called before mujoco is imported.

    The environment variable MUJOCO_GL decides where it is set.

    Returns:
        Name of the backend, '' where there is no OpenGL to draw with.
    """
    given = os.environ.get('MUJOCO_GL')
    for backend in (given,) if given else _BACKENDS:
        probe = [sys.executable, '-c', _PROBE]
        environment = {**os.environ, 'MUJOCO_GL': backend}
        if not subprocess.run(probe, env=environment, capture_output=True, check=False).returncode:
            os.environ['MUJOCO_GL'] = backend
            return backend
    os.environ['MUJOCO_GL'] = 'disable'
    return ''


class Cameras:
    """Takes images of a cell.

    Shadows are off: without a graphics processor they take ten times as long as all the rest.
    """

    def __init__(self, cell: 'Cell', size: int) -> None:
        """Look at a cell; images are `size` pixels wide and high."""
        import mujoco  # after choose_backend

        self._cell = cell
        cell.model.vis.global_.offwidth = cell.model.vis.global_.offheight = size
        self._renderer = mujoco.Renderer(cell.model, size, size)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._renderer.scene.flags[flag] = False

    def look(self, camera: str) -> NDArray[np.uint8]:
        """Return what a camera sees now, uint8 (size, size, 3), RGB."""
        self._renderer.update_scene(self._cell.data, camera)
        image: NDArray[np.uint8] = self._renderer.render()
        return image

    def close(self) -> None:
        """Release the graphics context."""
        self._renderer.close()
