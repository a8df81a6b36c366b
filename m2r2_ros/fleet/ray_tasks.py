# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers that are tasks of Ray, on this machine or on a cluster."""

import logging
import os
import secrets
import socket
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout, suppress
from importlib.util import find_spec
from io import StringIO
from typing import Any, Final

from m2r2_ros import __version__
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.reading import why
from m2r2_ros.fleet.executor import Answer
from m2r2_ros.fleet.items import Ended, Item
from m2r2_ros.fleet.job import FleetJob, Work
from m2r2_ros.fleet.worker import ONE_THREAD, do_item, open_work

#: The address that starts Ray on this machine, for as long as the run takes.
LOCAL: Final = 'local'
#: Tasks that are with Ray beyond those that run, so that no worker waits for this process.
_AHEAD: Final = 2
#: Seconds between two looks at how large the cluster is.
_LOOK_S: Final = 2.0
#: Seconds for a cluster to answer.
_ANSWER_S: Final = 5.0
#: Seconds for tasks to put away what they have begun.
_STOP_S: Final = 3.0
#: In a worker: what it has opened and where results go, by the run that it is for.
_opened: dict[str, tuple[Work, str]] = {}


class RayExecutor:
    """Tasks of Ray, each of one item, on one core each.

    A task runs in a process that Ray keeps for the next one, so that a model is opened once by each
    process. Ray repeats no task of its own accord: lost ones come back as answers, as they do from
    any executor.
    """

    def __init__(self, job: FleetJob, address: str, workers: int = 0) -> None:
        """Connect to Ray, or start it.

        Args:
            job: The work.
            address: LOCAL, 'auto' for the cluster that this machine belongs to, or HOST:PORT.
            workers: Cores that are used at most; 0 for all that the cluster has.

        Raises:
            ConfigError: Ray is not installed, there is no such cluster, or it is of another
                version of Ray or Python.
        """
        self._ray = _connected(address, workers)
        # Ray prints what its machines say of lost workers, which comes back as answers here.
        self._quiet = ExitStack()
        self._quiet.enter_context(redirect_stdout(StringIO()))
        self._most, self._looked, self._cores = workers, 0.0, 0
        self._run = f'{job.name}-{uuid.uuid4().hex}'
        # Within a list, which a worker takes as it is: it fetches the job once, not for each task.
        self._job = [self._ray.put(job)]
        # A machine that lacks the package fails to load the function, so that it says so.
        self._task = self._ray.remote(_work).options(
            num_cpus=1, max_retries=0, runtime_env={'env_vars': dict(ONE_THREAD)}
        )
        self._tasks: dict[Any, Item] = {}

    @property
    def workers(self) -> int:
        """How many cores the cluster has at this moment, or as many as are to be used."""
        now = time.monotonic()
        if not self._cores or now > self._looked + _LOOK_S:
            self._looked = now
            with suppress(self._ray.exceptions.RayError):
                self._cores = int(self._ray.cluster_resources().get('CPU', 0))
        return min(self._cores, self._most) if self._most else self._cores

    @property
    def room(self) -> int:
        """How many more tasks Ray is to have."""
        # Of no cores, one: a cluster that grows when it is asked for something.
        return max(self.workers, 1) + (0 if self._most else _AHEAD) - len(self._tasks)

    def give(self, item: Item) -> None:
        """Make a task of an item."""
        self._tasks[self._task.remote(self._run, self._job, item, __version__)] = item

    def answers(self, seconds: float) -> Sequence[Answer]:
        """Return what tasks have ended with, or were lost with.

        Raises:
            ConfigError: A worker cannot do this work.
        """
        if not self._tasks:
            time.sleep(seconds)
            return []
        tasks = list(self._tasks)
        ended, _ = self._ray.wait(tasks, num_returns=1, timeout=seconds)
        if ended:
            # What else has ended meanwhile, without waiting for it.
            ended, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0)
        return [self._answer(task) for task in ended]

    def __enter__(self) -> 'RayExecutor':
        return self

    def __exit__(self, *_: object) -> None:
        ray = self._ray
        with self._quiet, suppress(ray.exceptions.RayError):
            for task in self._tasks:
                ray.cancel(task)
            if self._tasks:
                ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=_STOP_S)
            ray.shutdown()

    def _answer(self, task: Any) -> Answer:  # noqa: ANN401 - a reference of Ray's
        errors = self._ray.exceptions
        item = self._tasks.pop(task)
        try:
            said: Ended | str = self._ray.get(task)
        except errors.RuntimeEnvSetupError as error:
            msg = f'Ray cannot make the environment of the workers: {_first_line(error)}'
            raise ConfigError(msg) from error
        except errors.RayTaskError as error:
            # The function itself raises nothing: it could not be loaded.
            msg = (
                f'the workers cannot load m2r2_ros: {_last_line(error)}; install it on all machines'
            )
            raise ConfigError(msg) from error
        except errors.RayError as error:
            return Answer(item, lost=_lost(error))
        if isinstance(said, str):
            raise ConfigError(said)
        return Answer(item, said)


def _connected(address: str, workers: int) -> Any:  # noqa: ANN401 - the module
    """Return Ray, connected.

    Raises:
        ConfigError: It cannot be.
    """
    if find_spec('ray') is None:
        msg = "this needs ray: pip install 'm2r2_ros[fleet]'"
        raise ConfigError(msg)
    _expect_answer(address)
    # Nothing is told to the makers of Ray, unless the user wants it.
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    if address == LOCAL and 'RAY_AUTH_MODE' not in os.environ:
        # Ray listens on all addresses of the machine; without the token no one is listened to.
        os.environ['RAY_AUTH_MODE'] = 'token'
        os.environ.setdefault('RAY_AUTH_TOKEN', secrets.token_hex(32))
    import ray  # which looks at these variables

    options: dict[str, Any] = {'address': address}
    if address == LOCAL:
        options['include_dashboard'] = False
        options['_node_ip_address'] = '127.0.0.1'
        options['num_cpus'] = workers or len(os.sched_getaffinity(0))
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR, namespace='m2r2_ros')
    except Exception as error:
        msg = f'--ray {address}: {_why_not(error)}'
        raise ConfigError(msg) from error
    return ray


def _expect_answer(address: str) -> None:
    """Refuse an address where no one answers; Ray would try for minutes.

    Raises:
        ConfigError: No one does, or it is none of a cluster.
    """
    host, colon, port = address.rpartition(':')
    if address in (LOCAL, 'auto'):
        return
    if not (colon and host and '/' not in host and _is_port(port)):
        msg = f'--ray {address}: expected HOST:PORT, auto, or {LOCAL}'
        raise ConfigError(msg)
    try:
        socket.create_connection((host.strip('[]'), int(port)), _ANSWER_S).close()
    except OSError as error:
        msg = (
            f'--ray {address}: {why(error)}; start Ray there (ray start --head), or take --ray '
            f'{LOCAL}, which needs no cluster'
        )
        raise ConfigError(msg) from error


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < 1 << 16


def _why_not(error: Exception) -> str:
    """Return why there is no connection, and the way out."""
    text = why(error)
    if 'ersion mismatch' in text:
        return f'{text}; use the same versions here as there'
    if isinstance(error, ConnectionError):
        return (
            f'{text}; start Ray there (ray start --head), or take --ray {LOCAL}, which needs no '
            'cluster'
        )
    return text


def _lost(error: Exception) -> str:
    kind = type(error).__name__
    known = {
        'OutOfMemoryError': 'Ray ended the worker because memory was short',
        'NodeDiedError': 'the machine was lost',
        'LocalRayletDiedError': 'the machine was lost',
        'WorkerCrashedError': 'the worker was ended, as when memory is short',
    }
    return known.get(kind) or f'the worker was lost ({kind}: {_first_line(error)})'


def _first_line(error: Exception) -> str:
    return why(Exception(str(error).partition('\n')[0]))


def _last_line(error: Exception) -> str:
    return why(Exception(str(error).strip().rpartition('\n')[2]))


def _work(run: str, given: list[Any], item: Item, version: str) -> Ended | str:
    """Do an item in a worker; return why this worker cannot where that is so."""
    if run not in _opened:
        import ray

        job: FleetJob = ray.get(given[0])
        try:
            work = open_work(job, version)
        except ConfigError as error:
            return str(error)
        _opened.clear()
        _opened[run] = work, job.out
    work, out = _opened[run]
    return do_item(work, item, out)
