# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What labels, reads or checks does not import what trains, where that is installed too.

test/test_architecture.py reads imports from the source; this runs them, with those of other
packages. test/robot has the same where nothing that trains is installed.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'm2r2_ros'
TRAINING = {'torch', 'torchaudio', 'transformers', 'onnx'}
#: Those that train, and what a process without ROS cannot import.
OTHERS = ('network', 'training', 'nodes')
WITHOUT = """
import sys
from importlib import import_module

def expect_none_after(what):
    if found := {training} & sys.modules.keys():
        sys.exit(f'{{what}} imports {{", ".join(sorted(found))}}')

"""
IMPORT = """
for name in sys.argv[1:]:
    import_module(name)
    expect_none_after(name)
"""
OPEN = """
from m2r2_ros.core.share import share_path
from m2r2_ros.segmenters import open_model
for live in (True, False):
    open_model(share_path('models', 'cell'), live=live)
expect_none_after('opening a model')
"""


def modules(*rooms: str) -> list[str]:
    """Return all modules of some rooms, but those that run when they are imported."""
    paths = [path for room in rooms for path in sorted((PACKAGE / room).rglob('*.py'))]
    names = ['.'.join(p.relative_to(ROOT).with_suffix('').parts) for p in paths]
    return [name.removesuffix('.__init__') for name in names if not name.endswith('__main__')]


def run(code: str, *words: str) -> None:
    """Run code in a process of its own, which has to end well."""
    command = [sys.executable, '-c', WITHOUT.format(training=TRAINING) + code, *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_commands_and_all_that_they_may_import_do_without() -> None:
    rooms = sorted(p.name for p in PACKAGE.iterdir() if (p / '__init__.py').exists())
    run(IMPORT, *modules(*(room for room in rooms if room not in OTHERS)))


def test_nodes_do_without() -> None:
    if find_spec('rclpy') is None:
        pytest.skip('this machine has no ROS 2')
    run(IMPORT, *modules('nodes'))


def test_models_are_opened_without() -> None:
    """By functions, too."""
    run(OPEN)


def test_training_of_small_encoders_does_without_the_library_of_large_ones() -> None:
    """It takes longer to import than torch does."""
    run("""
from m2r2_ros.model.config import preset
from m2r2_ros.network.extractor import Extractor
import m2r2_ros.training.train
Extractor(preset('lite'), points=100, mel_frames=100, new_columns=10)
assert 'transformers' not in sys.modules
""")


@pytest.mark.parametrize('module', ['m2r2_ros.cli.label', 'm2r2_ros.nodes.segmenter.loading'])
def test_numpy_multiplies_on_one_core(module: str) -> None:
    """Whatever is imported first: threads of OpenBLAS are made when numpy is."""
    code = f"""
import {module}, numpy
from threadpoolctl import threadpool_info
found = [own['num_threads'] for own in threadpool_info() if own['user_api'] == 'blas']
assert found == [1], found
"""
    chosen = ('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS')
    free = {k: v for k, v in os.environ.items() if k not in chosen}
    done = subprocess.run(
        [sys.executable, '-c', code], check=False, capture_output=True, text=True, env=free
    )
    assert done.returncode == 0, done.stderr
