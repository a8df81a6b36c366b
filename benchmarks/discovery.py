# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time of the methods that segment without labels, by length of the recording.

BOCPD takes samples of 6 channels, AWE a path of motions of 4 s each, at 10 Hz.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from m2r2_ros.discovery.bocpd import Bocpd
from m2r2_ros.discovery.student_t import Prior
from m2r2_ros.discovery.waypoints import waypoints

REPEATS = 3
BOCPD, AWE = (1000, 2000, 4000), (1000, 2000, 3000)
RUNS, HAZARD = 100, 1 / 40
TOLERANCE = 0.005


def bocpd(samples: NDArray[np.float64]) -> None:
    """Go over samples one by one, as live."""
    core = Bocpd(Prior(samples.shape[1]), HAZARD, RUNS, recent=10)
    for sample in samples:
        core.step(sample)


def motions(frames: int) -> NDArray[np.float64]:
    """Return positions, m, of smooth motions of 40 frames between points, with noise."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.3, 0.3, (frames // 40 + 2, 3))
    leg, share = np.divmod(np.arange(frames) / 40, 1)
    eased = (share * share * (3 - 2 * share))[:, None]
    here = points[leg.astype(int)] * (1 - eased) + points[leg.astype(int) + 1] * eased
    path: NDArray[np.float64] = here + rng.normal(size=here.shape) * 5e-4
    return path


def turns(frames: int) -> NDArray[np.float64]:
    """Return rotations about z that come and go, (frames, 3, 3)."""
    angle = np.sin(np.arange(frames) / 50)
    c, s, o = np.cos(angle), np.sin(angle), np.zeros(frames)
    return np.stack([c, -s, o, s, c, o, o, o, o + 1], axis=1).reshape(-1, 3, 3)


def best(run: Callable[[], object]) -> float:
    """Return the least of a few times, s."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a row for each method and length."""
    table = Table('method', 'frames', 's', 'ratio to the first', title='Segmentation, one core')
    samples = np.random.default_rng(0).normal(size=(4000, 6))
    runs: dict[str, tuple[tuple[int, ...], Callable[[int], object]]] = {
        'BOCPD': (BOCPD, lambda n: bocpd(samples[:n])),
        'AWE': (AWE, lambda n: waypoints(motions(n), None, (), TOLERANCE)),
        'AWE, rotations': (AWE, lambda n: waypoints(motions(n), turns(n), (), TOLERANCE)),
    }
    for name, (lengths, run) in runs.items():
        times = [best(lambda n=n, run=run: run(n)) for n in lengths]  # type: ignore[misc]
        for n, seconds in zip(lengths, times, strict=True):
            table.add_row(name, f'{n}', f'{seconds:.3f}', f'{seconds / times[0]:.2f}')
    Console().print(table)


if __name__ == '__main__':
    main()
