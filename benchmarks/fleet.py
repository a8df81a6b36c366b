# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much faster two workers of `m2r2 label --fleet` are than one, on two cores.

Each number of workers labels the same recordings, in turn and several times; the best time of each
counts, since others may use the machine too. Ends with exit code 1 where two workers, once they are
ready, are less than 1.8 times as fast as one.
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks._recordings import random_bundle, write_recording
from m2r2_ros.bags.remote.stores import open_store
from m2r2_ros.cli.fleet_label import LabelJob
from m2r2_ros.fleet.executor import FleetExecutor
from m2r2_ros.fleet.items import Item, State
from m2r2_ros.fleet.processes import ProcessExecutor
from m2r2_ros.fleet.ray_tasks import RayExecutor
from m2r2_ros.fleet.run import FleetRun
from m2r2_ros.fleet.worker import RUN_NOTE
from m2r2_ros.segmenters import open_model

WANTED = 1.8


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of a run: until the workers were ready, from then on, and of their processors."""

    start_s: float
    work_s: float
    cpu_s: float

    @property
    def whole_s(self) -> float:
        """Both."""
        return self.start_s + self.work_s


def run(items: list[Item], bundle: Path, out: Path, workers: int, ray: str | None) -> Times:
    """Label the recordings into an empty folder.

    Raises:
        SystemExit: One could not be labelled.
    """
    shutil.rmtree(out, ignore_errors=True)
    open_store(out).note(RUN_NOTE, b'{}')
    job = LabelJob(str(out), str(bundle), open_model(bundle).id)
    began, before = time.perf_counter(), _cpu_s()
    executor: FleetExecutor
    executor = RayExecutor(job, ray, workers) if ray else ProcessExecutor(job, workers)
    with executor:
        if isinstance(executor, ProcessExecutor):
            while executor.room < workers:
                executor.answers(0.05)
        else:  # a worker of Ray is ready when it has done something
            list(FleetRun(items[:workers], executor, tries=1).ended())
            shutil.rmtree(out)
            open_store(out).note(RUN_NOTE, b'{}')
        ready = time.perf_counter()
        ended = list(FleetRun(items, executor, tries=1).ended())
        over = time.perf_counter()
    if failed := [one.error for one in ended if one.state is not State.DONE]:
        sys.exit(f'{len(failed)} recordings were not labelled: {failed[0]}')
    return Times(ready - began, over - ready, _cpu_s() - before)


def _cpu_s() -> float:
    """Return the processor seconds of the processes that have ended: not those of Ray."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the seconds of one and of two workers, and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--recordings', type=int, default=24)
    parser.add_argument('--minutes', type=float, default=1.0, help='length of each')
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--ray', help='address of a cluster, or local; processes otherwise')
    given = parser.parse_args()
    times: dict[int, list[Times]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        bundle, first = Path(folder, 'bundle'), Path(folder, 'recordings', 'run')
        random_bundle(bundle)
        write_recording(first, given.minutes)
        file = next(first.glob('*.mcap'))
        items = [Item(str(file), f'run_{k}') for k in range(given.recordings)]
        for k, item in enumerate(items):
            copy = Path(folder, 'recordings', f'{item.name}.mcap')
            shutil.copyfile(file, copy)
            items[k] = Item(str(copy), item.name)
        for _ in range(given.repeat):
            for workers, found in times.items():
                found.append(run(items, bundle, Path(folder, 'out'), workers, given.ray))
                took, hours = found[-1], given.recordings * given.minutes / 60
                print(
                    f'{workers} workers: start {took.start_s:4.1f} s, work {took.work_s:6.1f} s, '
                    f'{hours / took.work_s * 3600:5.0f} h of recording an hour; '
                    f'{took.cpu_s:6.1f} s of processors',
                    flush=True,
                )
    one, two = (min(times[workers], key=lambda t: t.work_s) for workers in (1, 2))
    gain, whole = one.work_s / two.work_s, one.whole_s / two.whole_s
    print(f'two workers: {gain:.2f} times one (at least {WANTED} wanted), with start {whole:.2f}')
    sys.exit(gain < WANTED)


if __name__ == '__main__':
    main()
