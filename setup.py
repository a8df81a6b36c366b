# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Installation with pip, for machines without ROS; colcon builds from CMakeLists.txt instead."""

import os
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'm2r2_ros'
EXTRAS = (
    'bench',
    'dev',
    'discover',
    'elan',
    'fleet',
    'kinematics',
    'lerobot',
    'lite',
    'pretrain',
    'reassemble',
    'rerun',
    'review',
    'rlds',
    's3',
    'sim',
    'train',
)
#: Extras for nothing but training.
OF_TRAINING = ('lite', 'pretrain')


def data_files() -> list[tuple[str, list[str]]]:
    """Return what is installed under share/, folder by folder, as `m2r2_ros.core.share` wants."""
    found = [(f'share/{PACKAGE}', ['package.xml'])]
    for top in ('msg', 'srv', 'config', 'launch', 'models'):
        for folder, _, names in os.walk(top):
            files = [str(Path(folder, n)) for n in sorted(names) if not n.endswith('.pyc')]
            found.append((f'share/{PACKAGE}/{folder}', files))
    return [(folder, files) for folder, files in found if files]


def requirements(name: str) -> list[str]:
    """Return the packages that requirements/`name`.txt lists."""
    lines = Path('requirements', f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def extra_requirements(extra: str) -> list[str]:
    """Return what an extra brings."""
    return requirements(extra) + (requirements('train') if extra in OF_TRAINING else [])


setup(
    name=PACKAGE,
    version='0.1.0',
    description='Robot-side temporal action segmentation with M2R2 on ROS 2',
    long_description=Path('README.md').read_text() if Path('README.md').is_file() else '',
    long_description_content_type='text/markdown',
    author='The m2r2_ros authors',
    license='Apache-2.0',
    python_requires='>=3.10',
    # Naming the root makes editable installs a plain path entry, which type checkers follow.
    package_dir={'': '.'},
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed', 'pages/web/*']},
    data_files=data_files(),
    entry_points={'console_scripts': [f'm2r2 = {PACKAGE}.cli.main:main']},
    install_requires=requirements('runtime'),
    extras_require={extra: extra_requirements(extra) for extra in EXTRAS},
    zip_safe=False,
)
