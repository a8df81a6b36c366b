# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every test runs under: a ROS domain of its own, and hypothesis without a stopwatch."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

#: What the package is built from; the rest of a checkout is for its developers.
SOURCES = (
    *('package.xml', 'CMakeLists.txt', 'setup.py', 'pyproject.toml', 'MANIFEST.in', 'LICENSE'),
    *(
        'README.md',
        'CHANGELOG.md',
        'msg',
        'srv',
        'config',
        'launch',
        'models',
        'm2r2_ros',
        'requirements',
        'scripts',
    ),
)

# As the command line has it, and before torch is imported: idle OpenMP threads that spin make small
# networks twenty times slower on a machine that does something else too.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
# The networks of tests are so small that a second thread costs more than it does.
os.environ.setdefault('OMP_NUM_THREADS', '1')

# How long an example takes depends on the machine; what it finds does not. Tests
# give the same answer twice; `make fuzz` goes on searching.
settings.register_profile(
    'm2r2',
    deadline=None,
    print_blob=True,
    derandomize='M2R2_FUZZ' not in os.environ,
)
settings.load_profile('m2r2')


@pytest.fixture(scope='session', autouse=True)
def ros_domain() -> Iterator[None]:
    """Keep this process's nodes away from those of other test runs and of real robots."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    with ExitStack() as stack:
        try:
            from domain_coordinator import domain_id
        except ModuleNotFoundError:  # No ROS on this machine, so no nodes either.
            pass
        else:
            os.environ['ROS_DOMAIN_ID'] = str(stack.enter_context(domain_id()))
        yield


@pytest.fixture(scope='session')
def copy_package() -> Callable[[Path], Path]:
    """Copy what the package is built from, without what was built from it."""

    def copy(target: Path) -> Path:
        target.mkdir(parents=True)
        for name in SOURCES:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns('__pycache__')
                shutil.copytree(ROOT / name, target / name, ignore=ignored)
            elif (ROOT / name).exists():
                shutil.copy2(ROOT / name, target / name)
        return target

    return copy


@pytest.fixture(scope='session')
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate an episode with all sensors; to be read, not to be changed."""
    from m2r2_ros.simulation.cameras import choose_backend

    backend = choose_backend()
    # Triton, which torch loads late, crashes where the LLVM of an OpenGL driver came before it.
    import torch._dynamo  # noqa: F401

    from m2r2_ros.simulation.config import EpisodeConfig
    from m2r2_ros.simulation.episode import write_episode

    folder = tmp_path_factory.mktemp('episode')
    config = EpisodeConfig(seconds=8.0, cameras=bool(backend), image_rate=10.0, image_size=128)
    write_episode(folder, 1, config)
    return folder / 'cell_0001'
