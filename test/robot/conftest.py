# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is installed on a robot: an environment with `pip install m2r2_ros` and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: `make test` makes it beside this environment.
ENVIRONMENT = Path(f'{sys.prefix}-robot')
#: What the extra `train` brings, and what tests of it want.
TRAINING = ('torch', 'torchaudio', 'transformers', 'onnx', 'scipy')
#: Of the environment that tests run in, or of ROS.
FOREIGN = ('PYTHONPATH', 'VIRTUAL_ENV', 'LD_LIBRARY_PATH', 'AMENT_PREFIX_PATH')
_FIND = """
from importlib.util import find_spec
import sys
print(*[name for name in sys.argv[1:] if find_spec(name)])
"""


class Robot:
    """The environment.

    Attributes:
        folder: Where commands run.
        packages: What is imported from.
        variables: Those of the processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.packages,) = (ENVIRONMENT / 'lib').glob('python*/site-packages')
        self.variables = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        self.variables |= {'COLUMNS': '200', 'NO_COLOR': '1'}

    @contextmanager
    def start(self, *words: object) -> Iterator[subprocess.Popen[str]]:
        """Start a program of the environment, which does not outlive the `with`."""
        with subprocess.Popen(
            [str(ENVIRONMENT / 'bin' / str(words[0])), *map(str, words[1:])],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *words: object, code: int = 0) -> str:
        """Run a program of the environment, which has to end with `code`; return its output."""
        with self.start(*words) as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == code, output
        return output

    def importable(self, *names: str) -> list[str]:
        """Return those of some modules that can be imported there."""
        return self.run('python', '-c', _FIND, *names).split()

    def m2r2(self, *words: object, code: int = 0) -> str:
        """Run a command, which has to end with `code`; return its output."""
        return self.run('m2r2', *words, code=code)


def modules_in(folder: Path) -> set[tuple[str, bytes]]:
    """Return the paths and the code of all modules of the package."""
    paths = (folder / 'm2r2_ros').rglob('*.py')
    return {(str(path.relative_to(folder)), path.read_bytes()) for path in paths}


#: Modules that differ from those of the checkout now; while tests run, somebody may edit some.
STALE = {
    path
    for packages in (ENVIRONMENT / 'lib').glob('python*/site-packages')
    for path, _ in modules_in(ROOT) ^ modules_in(packages)
}


@pytest.fixture(scope='session')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Robot:
    """Return the environment of a robot, which has no ROS."""
    if not (ENVIRONMENT / '.installed').exists():
        pytest.skip(f'make test makes {ENVIRONMENT.name}')
    assert not STALE, 'not the code of this checkout, which make test installs'
    return Robot(tmp_path_factory.mktemp('robot'))


@pytest.fixture(scope='session')
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate what a robot without cameras records."""
    from m2r2_ros.simulation.config import EpisodeConfig
    from m2r2_ros.simulation.episode import write_episode

    folder = tmp_path_factory.mktemp('recordings')
    write_episode(folder, 5, EpisodeConfig(seconds=10.0, cameras=False))
    return folder / 'cell_0005'


def link_ros(folder: Path) -> None:
    """Link what ROS and the build brought to this environment, and nothing else of it."""
    (folder / 'm2r2_ros').mkdir(parents=True)
    links: dict[str, Path] = {}
    for wheel in distributions():
        if wheel.metadata['Name'].startswith('ros-'):
            for top in {file.parts[0] for file in wheel.files or ()}:
                if top.isidentifier() or top.endswith('.libs'):
                    links[top] = Path(str(wheel.locate_file(top)))
    for prefix in map(Path, filter(None, os.environ['AMENT_PREFIX_PATH'].split(os.pathsep))):
        for built in prefix.glob('lib/python*/site-packages/*'):
            if built.name.endswith('_msgs'):
                links[built.name] = built
            elif built.name == 'm2r2_ros':  # without its modules, which the environment has itself
                for part in (built / 'msg', built / 'srv', *built.glob('*.so')):
                    links[f'm2r2_ros/{part.name}'] = part
    for name, path in links.items():
        (folder / name).symlink_to(path)


@pytest.fixture(scope='session')
def ros_robot(robot: Robot, tmp_path_factory: pytest.TempPathFactory) -> Robot:
    """Return the environment of a robot with ROS."""
    pytest.importorskip('rclpy', reason='this machine has no ROS 2')
    folder = tmp_path_factory.mktemp('ros')
    link_ros(folder / 'packages')
    found = Robot(folder)
    for name in ('LD_LIBRARY_PATH', 'AMENT_PREFIX_PATH'):
        found.variables[name] = os.environ[name]
    found.variables['PYTHONPATH'] = str(folder / 'packages')
    return found
