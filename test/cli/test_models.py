# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 models`: devices, graphs, and bundles of older versions written anew."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml
from safetensors.numpy import load_file, save_file

from m2r2_ros.model.devices import DEVICES, installed_devices
from m2r2_ros.model.facts import read_facts
from m2r2_ros.model.graph_names import NETWORK
from test.cli.run import digest, done, m2r2


@pytest.fixture
def older(bundle: Path, tmp_path: Path) -> Path:
    """The model as a version without graphs would have saved it, and a file of the user's."""
    folder = tmp_path / 'older'
    shutil.copytree(bundle, folder)
    for graph in folder.glob('*.onnx'):
        graph.unlink()
    file, weights = folder / 'bundle.yaml', folder / 'weights.safetensors'
    sections = yaml.safe_load(file.read_text())
    del sections['graph']
    file.write_text(yaml.safe_dump({**sections, 'format': 3}, sort_keys=False))
    seal = hashlib.sha256(file.read_bytes()).hexdigest()
    save_file(load_file(weights), weights, {'bundle_yaml_sha256': seal})
    (folder / 'notes.txt').write_text('mine')
    return folder


def test_devices_are_listed_with_what_they_need() -> None:
    shown = done('models', '--devices').out
    there = installed_devices()
    assert there['cpu']
    for name, device in DEVICES.items():
        row = next(line for line in shown.splitlines() if f' {name} ' in line)
        assert (' yes ' if there[name] else ' no ') in row
        assert there[name] or device.wheel in row
    assert 'presets' not in shown


def test_devices_and_a_bundle_are_both_shown(bundle: Path) -> None:
    shown = done('models', bundle, '--devices').out
    assert 'openvino' in shown
    assert read_facts(bundle).id in shown


def test_a_bundle_says_which_graph_it_has(bundle: Path) -> None:
    facts = read_facts(bundle)
    assert facts.network is not None
    assert facts.network.graphs is not None
    row = next(line for line in done('models', bundle).out.splitlines() if '│ graph ' in line)
    assert f'opset {facts.network.graphs.opset}, float32' in row


def test_an_older_bundle_says_how_it_gets_a_graph(older: Path) -> None:
    shown = done('models', older).out
    assert '│ graph ' in shown
    assert 'none: m2r2 models --upgrade' in shown


def test_upgrade_writes_graphs_and_tells_both_ids(older: Path) -> None:
    before = read_facts(older).id
    shown = done('models', '--upgrade', older).out
    facts = read_facts(older)
    assert shown.strip() == f'{older}: {before} is now {facts.id}'
    assert facts.network is not None
    assert facts.network.graphs is not None
    assert (older / NETWORK).is_file()
    assert (older / 'notes.txt').read_text() == 'mine'


def test_several_bundles_are_upgraded_at_once(older: Path, tmp_path: Path) -> None:
    shutil.copytree(older, tmp_path / 'another')
    shown = done('models', '--upgrade', older, tmp_path / 'another').out
    assert [line.partition(':')[0] for line in shown.splitlines()] == [
        str(older),
        str(tmp_path / 'another'),
    ]


def test_upgrade_wants_folders_of_bundles(tmp_path: Path) -> None:
    assert 'expected the folders of bundles' in m2r2('models', '--upgrade').error
    (tmp_path / 'file').touch()
    before = digest(tmp_path)
    assert str(tmp_path) in m2r2('models', '--upgrade', tmp_path).error
    assert digest(tmp_path) == before
