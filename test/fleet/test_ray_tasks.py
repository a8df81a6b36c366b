# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One cluster of three nodes for all tests: starting one takes most of their time."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.fleet.items import Ended
from m2r2_ros.fleet.run import FleetRun
from test.fleet.jobs import ClosedJob, items_of, job_of, make, states

pytest.importorskip('ray')
from m2r2_ros.fleet import ray_tasks
from m2r2_ros.fleet.ray_tasks import RayExecutor

#: Seconds within which a machine is found lost; by default it takes half a minute.
_HEALTH = {
    'health_check_initial_delay_ms': 0,
    'health_check_period_ms': 500,
    'health_check_failure_threshold': 4,
}


class Machines:
    """A cluster of machines, which all run on this one."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        args = {'num_cpus': 1, 'object_store_memory': 80 << 20, 'include_dashboard': False}
        self.cluster: Any = Cluster(
            initialize_head=True, head_node_args={**args, '_system_config': _HEALTH}
        )
        self.others = [
            self.cluster.add_node(wait=False, num_cpus=1, object_store_memory=80 << 20)
            for _ in range(2)
        ]
        self.cluster.wait_for_nodes()

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def lose_one(self, begun: list[Path]) -> None:
        """Lose a machine, and with it the worker on it, which has written that it has begun."""
        lost = self.others.pop()
        raylet = lost.all_processes['raylet'][0].process.pid
        self.cluster.remove_node(lost, allow_graceful=False)
        parents = {int(parent): int(pid) for pid, parent in (f.read_text().split() for f in begun)}
        with suppress(ProcessLookupError):  # it has noticed
            os.kill(parents[raylet], signal.SIGKILL)


@pytest.fixture(scope='module')
def machines() -> Iterator[Machines]:
    """Three machines of one core each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('RAY_USAGE_STATS_ENABLED', '0')
        made = Machines()
        yield made
        made.cluster.shutdown()


def wait_until(met: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_work_goes_on_when_a_machine_and_workers_are_lost(
    machines: Machines, tmp_path: Path
) -> None:
    slow = ['slow_a', 'slow_b', 'slow_c']
    names = [*slow, 'bad_d', 'once_e', 'kill_f', *(f'g{k}' for k in range(8))]
    ended: list[Ended] = []
    with RayExecutor(job_of(tmp_path), machines.address) as executor:
        assert executor.workers == 3
        run = FleetRun(items_of(names), executor, tries=2)
        work = threading.Thread(target=lambda: ended.extend(run.ended()))
        work.start()
        try:
            begun = [tmp_path / f'.{name}.begun' for name in slow]
            wait_until(lambda: all(file.exists() and file.read_text() for file in begun))
            machines.lose_one(begun)
        finally:
            (tmp_path / '.GO').touch()
            work.join(120)
    wrong = {'bad_d', 'kill_f'}
    assert states(ended) == {name: 'failed' if name in wrong else 'done' for name in names}
    by_name = {one.item.name: one for one in ended}
    assert sorted(by_name[name].tries for name in slow) == [1, 1, 2]
    assert by_name['once_e'].tries == 2
    assert by_name['bad_d'].error == '/recordings/bad_d: is bad'
    assert by_name['kill_f'].error == (
        '/recordings/kill_f: given up after 2 tries: the worker was ended, as when memory is short'
    )
    files = {path.name for path in tmp_path.iterdir() if not path.name.startswith('.')}
    assert files == {f'{name}.txt' for name in set(names) - wrong}


def test_workers_of_another_version_and_without_a_model_say_so(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_of(tmp_path)
    closed = ClosedJob('try', str(tmp_path), make)  # type: ignore[arg-type]
    with (
        RayExecutor(closed, machines.address, workers=1) as executor,
        pytest.raises(ConfigError, match=r'machine .*: no model there'),
    ):
        assert executor.workers == 1
        list(FleetRun(items_of('ab'), executor, tries=2).ended())
    monkeypatch.setattr(ray_tasks, '__version__', '9.9')
    with (
        RayExecutor(job_of(tmp_path), machines.address, workers=1) as executor,
        pytest.raises(ConfigError, match=r'has m2r2_ros .*, the run was started with 9\.9'),
    ):
        list(FleetRun(items_of('ab'), executor, tries=2).ended())


@pytest.mark.parametrize(
    ('address', 'why'),
    [
        ('127.0.0.1:1', 'refused; start Ray there'),
        ('ray://here:1', 'expected HOST:PORT, auto, or local'),
        ('here', 'expected HOST:PORT, auto, or local'),
    ],
)
def test_no_cluster_is_told_at_once(tmp_path: Path, address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f'--ray {address}: .*{why}'):
        RayExecutor(job_of(tmp_path), address)
