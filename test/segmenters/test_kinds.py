# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rule without a network, as a kind of model: opened, listed and labelled with like any other."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.cli.main import app
from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import BundleFacts, read_facts, write_yaml
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.nodes.segmenter.loading import load_model
from m2r2_ros.segmenters import open_model
from m2r2_ros.segmenters.base import Segmenter
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.kinds import KINDS
from m2r2_ros.segmenters.labels import FrameLabels
from m2r2_ros.windows.config import WindowConfig
from test.network.networks import make_bundle
from test.replay.recordings import robot_bag

LABELS = LabelSet(('rest', 'push'), ('', ''))


class Push:
    """Labels frames by the force in z: pushing above a threshold."""

    def __init__(self, labels: LabelSet, threshold: float, decoding: Decoding) -> None:
        self.labels, self.decoding = labels, decoding
        self.revision_lag = decoding.lag
        self.counters: Counter[str] = Counter()
        self.warnings = ()
        self._threshold = threshold
        self.reset()

    def set_hold(
        self, min_confidence: float | None = None, min_duration: float | None = None
    ) -> None:
        self._track.set_rule(self.decoding.held(min_confidence, min_duration).rule)

    def reset(self) -> None:
        self._track = FrameLabels(self.labels, self.decoding.rule)

    def step(self, window: FrameWindows) -> FrameLabel | None:
        labels = self.extend(window)
        return labels[0] if labels else None

    def extend(self, windows: FrameWindows) -> list[FrameLabel]:
        force = np.abs(windows.sensors['wrench'][:, :, 2]).mean(axis=1)
        labels = []
        for k, push in enumerate(force > self._threshold):
            frame = Frame(int(windows.starts[k]), int(windows.stamps[k]), 0, 0.0, self.revision_lag)
            labels += self._track.add(frame, {0: np.array([not push, push], np.float32)})
        return labels

    def finish(self) -> list[FrameLabel]:
        return self._track.finish()

    def segment(self, windows: FrameWindows) -> list[FrameLabel]:
        return self.extend(windows) + self.finish()


class PushKind:
    """Opens a rule; refuses a live robot where the bundle says so."""

    def open(
        self, facts: BundleFacts, decoding: Decoding, placement: Placement, *, live: bool
    ) -> Segmenter:
        return Push(facts.labels, float(facts.options['threshold']), decoding)

    def expect_live(self, facts: BundleFacts) -> None:
        if facts.options.get('offline'):
            msg = 'this rule looks ahead: label recordings with it (m2r2 label)'
            raise BundleError(msg)


KIND = PushKind()


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(KINDS, 'push', f'{__name__}:KIND')
    monkeypatch.setitem(sys.modules, __name__, sys.modules[type(KIND).__module__])
    return write_rule(tmp_path / 'rule')


def write_rule(folder: Path, **options: object) -> Path:
    sections = {
        'kind': 'push',
        'labels': {'names': list(LABELS.names), 'parents': list(LABELS.parents)},
        'windows': WindowConfig().to_dict(),
        'modalities': ['wrench'],
        'options': {'threshold': 1.0, **options},
        'decoding': {'min_duration': 0.2},
        'topics': {},
        'training': {},
        'scores': {},
    }
    write_yaml(folder, sections)
    return folder


def test_a_rule_opens_like_a_network(rule: Path, tmp_path: Path) -> None:
    save_bundle(make_bundle(), tmp_path / 'network')
    opened, network = open_model(rule), open_model(tmp_path / 'network')
    assert (opened.kind, network.kind) == ('push', 'learned')
    assert tuple(opened.modalities) == ('wrench',)
    assert opened.segmenter.labels == LABELS
    assert opened.segmenter.decoding == Decoding(min_duration=0.2)
    assert open_model(rule, {'lag': 3}).segmenter.revision_lag == 3
    assert len({opened.id, network.id, ''}) == 3


def test_a_rule_labels_recordings(rule: Path, tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'robot', 4.0)
    command = ['label', str(bag), '--model', str(rule), '--out', str(tmp_path / 'out')]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    track = read_label_track(tmp_path / 'out' / 'robot_labels')
    assert track.model_id == read_facts(rule).id
    assert set(track.labels) == {'rest', 'push'}
    summary = json.loads((tmp_path / 'out' / 'robot_summary.json').read_text())
    assert set(summary['topics']) == {'wrench'}


def test_a_rule_is_described(rule: Path) -> None:
    done = CliRunner().invoke(app, ['models', str(rule)], catch_exceptions=False)
    for part in ('push', 'threshold', '1', 'rest, push', read_facts(rule).id):
        assert part in done.output


def test_a_rule_labels_live_unless_it_says_that_it_cannot(rule: Path, tmp_path: Path) -> None:
    assert load_model(str(rule)).kind == 'push'
    offline = write_rule(tmp_path / 'offline', offline=True)
    assert open_model(offline).kind == 'push'
    with pytest.raises(BundleError, match='looks ahead'):
        load_model(str(offline))


def test_what_needs_a_network_refuses_a_rule(rule: Path) -> None:
    with pytest.raises(BundleError, match='kind push, which has no network'):
        load_bundle(rule)


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"kind 'push'.*expected discovered or learned"):
        open_model(write_rule(tmp_path / 'rule'))


def test_options_of_the_decoder_are_checked(rule: Path) -> None:
    with pytest.raises(ConfigError, match=r'decoding\.lag'):
        open_model(rule, {'lag': -1})


def test_facts_need_no_torch(tmp_path: Path) -> None:
    save_bundle(make_bundle(), tmp_path / 'network')
    code = f"""
import sys
from pathlib import Path
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import read_facts
assert read_facts(Path({str(tmp_path / 'network')!r})).parameters > 10_000
from m2r2_ros.cli.models import models_command
models_command([Path({str(tmp_path / 'network')!r})])
sys.exit('torch' in sys.modules)
"""
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
