# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each command imports of the libraries that take time or memory: what it uses, no more.

Each runs in a process of its own, which tells what it has imported.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from m2r2_ros.cli.commands import COMMANDS
from m2r2_ros.cli.lazy import Imported

#: Libraries, and modules of theirs, that are looked for.
HEAVY = {
    'PIL', 'av', 'cv2', 'h5py', 'lz4', 'matplotlib', 'mcap', 'mujoco', 'numpy', 'onnx',
    'onnxruntime', 'pinocchio', 'rclpy', 'rerun', 'rosbags', 'rosbags.typesys.stores.ros2_jazzy',
    'safetensors', 'scipy', 'sklearn', 'sqlite3', 'torch', 'transformers', 'yaml', 'zstandard',
}  # fmt: skip
USUAL = {'numpy', 'yaml'}
MODEL = USUAL | {'safetensors'}
BAG = USUAL | {'lz4', 'mcap', 'rosbags', 'zstandard'}

#: What the help of each command may import; that of m2r2 itself is the first.
HELP: dict[str, set[str]] = {
    '': set(),
    **dict.fromkeys(COMMANDS, USUAL),
    'live': {'yaml'},
    'models': MODEL,
    'repair': BAG,
    'sim': {'yaml'},
    'viewers': set(),
}

TELL = f"""
import json, sys
from m2r2_ros.cli.main import main
code = 0
try:
    main()
except SystemExit as end:
    code = end.code
print(json.dumps(sorted({HEAVY!r} & sys.modules.keys())))
sys.exit(code)
"""


def imported(*arguments: object) -> set[str]:
    """Run a command, and return which of the heavy libraries it has imported."""
    command = [sys.executable, '-c', TELL, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope='module')
def labelled(
    robots: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, set[str]]:
    """Labels of a recording, and what was imported to make them."""
    folder = tmp_path_factory.mktemp('labelled')
    return folder, imported('label', robots / 'first', '--model', bundle, '--out', folder)


@pytest.mark.parametrize('name', HELP)
def test_help_imports_no_more_than_options_need(name: str) -> None:
    assert imported(*name.split(), '--help') <= HELP[name]


def test_the_list_of_commands_says_what_their_own_help_says() -> None:
    """It is written down, so that none of them is imported for it."""
    for name, command in ((name, Imported(COMMANDS)[name]) for name in COMMANDS):
        first = command.help.split('\n\n')[0].replace('\n', ' ')
        assert first == COMMANDS[name].help, name


def test_models_are_described_without_what_runs_them(bundle: Path) -> None:
    assert imported('models') <= MODEL
    assert imported('models', bundle) <= MODEL
    assert imported('models', '--devices') <= MODEL | {'onnxruntime'}


def test_viewers_are_set_up_without_recordings(bundle: Path, tmp_path: Path) -> None:
    assert imported('viewers', bundle, '--out', tmp_path / 'viewers') <= MODEL


def test_inspect_imports_what_reads_mcap(robots: Path) -> None:
    assert imported('inspect', robots / 'first') <= BAG


def test_label_imports_the_network_and_neither_images_nor_pictures(
    labelled: tuple[Path, set[str]],
) -> None:
    assert labelled[1] <= BAG | MODEL | {'onnxruntime'}


def test_evaluate_imports_what_reads_labels(labelled: tuple[Path, set[str]], robots: Path) -> None:
    assert imported('evaluate', labelled[0], '--truth', robots / 'first') <= BAG
