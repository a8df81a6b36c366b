# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms x y z qx qy qz qw, many at a time."""

import numpy as np
from numpy.typing import NDArray

IDENTITY = np.array([0.0, 0, 0, 0, 0, 0, 1])


def compose(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a after b: what b moves first, a moves then, (n, 7)."""
    return np.concatenate(
        [a[:, :3] + rotate(a[:, 3:], b[:, :3]), multiply(a[:, 3:], b[:, 3:])], axis=1
    )


def inverse(a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what undoes a, (n, 7)."""
    back = a[:, 3:] * [-1, -1, -1, 1]
    return np.concatenate([-rotate(back, a[:, :3]), back], axis=1)


def multiply(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products of quaternions x y z w, (n, 4)."""
    v, w = p[:, :3], p[:, 3:]
    u, s = q[:, :3], q[:, 3:]
    vector = w * u + s * v + np.cross(v, u)
    return np.concatenate([vector, w * s - (v * u).sum(axis=1, keepdims=True)], axis=1)


def rotate(q: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points turned by unit quaternions, (n, 3)."""
    twice = 2 * np.cross(q[:, :3], points)
    turned: NDArray[np.float64] = points + q[:, 3:] * twice + np.cross(q[:, :3], twice)
    return turned


def between(
    a: NDArray[np.float64], b: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate between transforms, positions linearly and rotations on the shortest arc.

    Args:
        a: (n, 7), with unit quaternions.
        b: (n, 7), likewise.
        share: (n,), 0 at a, 1 at b.
    """
    t = share[:, None]
    p, q = a[:, 3:], b[:, 3:]
    dot = (p * q).sum(axis=1, keepdims=True)
    q, dot = np.where(dot < 0, -q, q), np.minimum(np.abs(dot), 1.0)
    angle = np.arccos(dot)
    sine = np.sin(angle)
    close = sine < 1e-6  # a straight line is as good
    sine = np.where(close, 1.0, sine)
    first = np.where(close, 1 - t, np.sin((1 - t) * angle) / sine)
    second = np.where(close, t, np.sin(t * angle) / sine)
    turned = first * p + second * q
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    return np.concatenate([a[:, :3] + t * (b[:, :3] - a[:, :3]), turned], axis=1)
