# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One version everywhere, and a changelog that names it."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import m2r2_ros

ROOT = Path(__file__).resolve().parents[1]


def test_package_xml_has_the_version_of_the_module() -> None:
    assert ET.parse(ROOT / 'package.xml').findtext('version') == m2r2_ros.__version__


def test_setup_py_has_the_version_of_the_module() -> None:
    command = [sys.executable, 'setup.py', '--version']
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.strip().splitlines()[-1] == m2r2_ros.__version__


def test_changelog_names_the_version_first() -> None:
    released = re.findall(r'^## (\d+\.\d+\.\d+)', (ROOT / 'CHANGELOG.md').read_text(), re.MULTILINE)
    assert released[0] == m2r2_ros.__version__


def test_package_xml_and_setup_py_name_the_same_package_and_licence() -> None:
    package = ET.parse(ROOT / 'package.xml')
    command = [sys.executable, 'setup.py', '--name', '--license']
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.split()[-2:] == [package.findtext('name'), package.findtext('license')]
