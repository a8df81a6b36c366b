# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 discover`, `name` and `compare`: from recordings without labels to labels to train on."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from m2r2_ros.bags.labels.reader import read_given_labels, read_truth
from m2r2_ros.discovery.laps.export import read_primitives
from m2r2_ros.discovery.laps.options import LapsOptions
from m2r2_ros.discovery.laps.shape import TokenizerSchedule
from test.cli.run import digest, done, m2r2


@pytest.fixture
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tokenizer of laps and laps_motion learn for a tenth of its steps."""

    def schedule(options: LapsOptions, seed: int) -> TokenizerSchedule:
        return TokenizerSchedule(options.steps // 10, options.batch, options.learning_rate, seed)

    monkeypatch.setattr(LapsOptions, 'schedule', schedule)


@pytest.fixture(scope='module')
def found(robots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is discovered in two recordings."""
    out = tmp_path_factory.mktemp('discovered') / 'found'
    before = digest(robots)
    result = done('discover', robots, '--method', 'primitives', '--clusters', 3, '--out', out)
    assert digest(robots) == before
    assert '3 clusters' in result.out
    return out


def test_all_outputs_belong_together(found: Path) -> None:
    there = sorted(path.name for path in found.iterdir())
    assert there == ['bundle', 'index.html', 'labels', 'names.yaml', 'quality.json']
    quality = json.loads((found / 'quality.json').read_text())
    assert quality['described_by'] == 'signals'
    assert -1 <= quality['silhouette'] <= 1
    names = yaml.safe_load((found / 'names.yaml').read_text())
    assert names == dict.fromkeys(['cluster_01', 'cluster_02', 'cluster_03'], '')
    labels = read_given_labels(found / 'labels' / 'first_labels')
    assert labels.label_set is not None
    assert labels.label_set.names == tuple(names)
    page = (found / 'index.html').read_text()
    assert all(f'<section id="{name}">' in page for name in names)
    assert page.count('<svg') == 3 * (2 + 1 + 3)  # speed, force, a gripper, a place
    assert 'src="http' not in page


def test_the_bundle_labels_recordings(found: Path, robots: Path, tmp_path: Path) -> None:
    for live in ([], ['--as-live']):
        out = tmp_path / f'out{len(live)}'
        done('label', robots, '--model', found / 'bundle', '--out', out, *live)
        assert read_given_labels(out / 'second_labels').segments
    assert 'discovered' in done('models', found / 'bundle').out


def test_named_clusters_are_ground_truth_to_train_on(
    found: Path, robots: Path, tmp_path: Path
) -> None:
    names = tmp_path / 'names.yaml'
    names.write_text("cluster_01: move\ncluster_02: hold\ncluster_03: ''\n")
    before = digest(found)
    result = done('name', found, '--names', names, '--out', tmp_path / 'named')
    assert digest(found) == before
    assert 'move' in result.out
    truth = read_truth(tmp_path / 'named' / 'first_truth')
    assert {s.label for s in truth.segments} <= {'move', 'hold'}
    assert truth.label_set is not None
    assert truth.label_set.names == ('move', 'hold')
    clusters = read_given_labels(found / 'labels' / 'first_labels').segments
    named = sum(s.end - s.start for s in clusters if s.label != 'cluster_03')
    assert sum(s.end - s.start for s in truth.segments) == named
    trained = done(
        'train', robots, '--truth', tmp_path / 'named', '--preset', 'proprio', '--epochs', 1,
        '--no-search', '--out', tmp_path / 'model',
    )  # fmt: skip
    assert 'labels move, hold' in trained.out


def test_truth_of_some_recordings_names_all(found: Path, robots: Path, tmp_path: Path) -> None:
    done('name', found, '--truth', robots / 'first', '--out', tmp_path / 'named')
    names = yaml.safe_load((tmp_path / 'named' / 'names.yaml').read_text())
    assert set(names.values()) <= {'reach', 'push', 'grip', ''}
    assert any(names.values())
    assert (tmp_path / 'named' / 'second_truth').is_dir()


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('cluster_01: a\ncluster_02: b\ncluster_9: c\n', 'there is no cluster cluster_9'),
        ('cluster_01: a\n', 'cluster_02, cluster_03 is missing'),
        ("cluster_01: ''\ncluster_02: ''\ncluster_03: ''\n", 'no cluster has a name'),
        ('cluster_01: 5\ncluster_02: b\ncluster_03: c\n', "expected a name, or '' for none"),
        ('- a\n', 'a mapping from clusters to names'),
        (f'cluster_01: {"x" * 300}\ncluster_02: b\ncluster_03: c\n', '1 to 256 characters'),
    ],
)
def test_names_that_do_not_fit_are_refused(
    found: Path, tmp_path: Path, text: str, said: str
) -> None:
    names = tmp_path / 'names.yaml'
    names.write_text(text)
    assert said in m2r2('name', found, '--names', names, '--out', tmp_path / 'named').error
    assert not (tmp_path / 'named').exists()


def test_nothing_is_overwritten(found: Path, robots: Path, tmp_path: Path) -> None:
    before = digest(found)
    assert 'exists already' in m2r2('discover', robots, '--out', found).error
    names = tmp_path / 'names.yaml'
    names.write_text('cluster_01: a\ncluster_02: b\ncluster_03: c\n')
    assert 'exists already' in m2r2('name', found, '--names', names, '--out', found).error
    assert digest(found) == before


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--method', 'magic'], 'methods magic are unknown; known: events, bocpd'),
        (['--clusters', 4000], 'expected at least 4000, one for each cluster'),
        (['--method', 'laps'], 'laps'),
        (['--frame-rate', 0.1], 'frames'),
    ],
)
def test_what_cannot_be_discovered_is_refused(
    robots: Path, tmp_path: Path, options: list[object], said: str
) -> None:
    assert said in m2r2('discover', robots, *options, '--out', tmp_path / 'found').error
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures('short_training')
def test_primitives_are_written_with_codes(robots: Path, tmp_path: Path) -> None:
    done(
        'discover', robots, '--method', 'laps_motion', '--cluster-by', 'latents',
        '--out', tmp_path / 'found',
    )  # fmt: skip
    for name in ('first', 'second'):
        primitives = read_primitives(tmp_path / 'found' / 'primitives' / name)
        labels = read_given_labels(tmp_path / 'found' / 'labels' / f'{name}_labels')
        clusters = [f'cluster_{p.cluster + 1:02d}' for p in primitives]
        assert clusters == [s.label for s in labels.segments]
        assert sum(len(p.codes) for p in primitives) > 20
        assert all(p.latents.shape[0] == len(p.codes) for p in primitives)
    quality = json.loads((tmp_path / 'found' / 'quality.json').read_text())
    assert quality['described_by'] == 'latents'


def test_signals_alone_have_no_latents(robots: Path, tmp_path: Path) -> None:
    refused = m2r2('discover', robots, '--cluster-by', 'latents', '--out', tmp_path / 'found')
    assert 'which laps and laps_motion alone have' in refused.error


@pytest.mark.usefixtures('short_training')
def test_cameras_give_clips(episode: Path, tmp_path: Path) -> None:
    """The whole of LAPS on images, as little of it as will do."""
    topics = tmp_path / 'topics.yaml'
    off = dict.fromkeys(('sound', 'wrench', 'pose', 'twist', 'gripper', 'joints', 'imu'))
    topics.write_text(yaml.safe_dump(off))
    result = done(
        'discover', episode, '--method', 'laps', '--topics', topics, '--out', tmp_path / 'found'
    )
    primitives = read_primitives(tmp_path / 'found' / 'primitives' / episode.name)
    assert all(p.clip is not None for p in primitives)
    assert (
        json.loads((tmp_path / 'found' / 'quality.json').read_text())['described_by'] == 'latents'
    )
    assert 'data:image/jpeg;base64,' in (tmp_path / 'found' / 'index.html').read_text()
    assert 'clusters' in result.out


@pytest.mark.parametrize(('method', 'rate'), [('abd', 5), ('otas', 8)])
def test_features_may_be_those_of_images(
    episode: Path, tmp_path: Path, method: str, rate: float
) -> None:
    topics = tmp_path / 'topics.yaml'
    off = dict.fromkeys(('sound', 'wrench', 'pose', 'twist', 'gripper', 'joints', 'imu'))
    topics.write_text(yaml.safe_dump(off))
    result = done(
        'discover', episode, '--method', method, '--topics', topics, '--frame-rate', rate,
        '--out', tmp_path / 'found',
    )  # fmt: skip
    assert 'by their length alone' in result.err.replace('\n', ' ')
    bundle = yaml.safe_load((tmp_path / 'found' / 'bundle' / 'bundle.yaml').read_text())
    assert bundle['options']['methods'][method]['vectors'] == ['image']


def test_recordings_that_cannot_be_read_are_told_and_left_out(robots: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'bags'
    shutil.copytree(robots, folder)
    (folder / 'broken.mcap').write_bytes(b'no recording')
    result = done('discover', folder, '--out', tmp_path / 'found')
    assert 'left out' in result.err
    assert 'broken.mcap' in result.err
    labels = sorted(path.name for path in (tmp_path / 'found' / 'labels').glob('*_labels'))
    assert labels == ['first_labels', 'second_labels']
    alone = m2r2('discover', folder / 'broken.mcap', '--out', tmp_path / 'none')
    assert 'broken.mcap' in alone.error


def test_one_recording_is_enough(robots: Path, tmp_path: Path) -> None:
    done('discover', robots / 'first', '--method', 'events', '--out', tmp_path / 'found')
    assert read_given_labels(tmp_path / 'found' / 'labels' / 'first_labels').segments


def test_naming_needs_one_source_of_names(found: Path, robots: Path, tmp_path: Path) -> None:
    out = tmp_path / 'named'
    assert 'either --names or --truth' in m2r2('name', found, '--out', out).error
    missing = m2r2('name', robots, '--names', robots, '--out', out)
    assert 'label bags of m2r2 discover' in missing.error


def test_methods_are_compared(robots: Path) -> None:
    result = done(
        'compare', robots / 'second', '--train', robots / 'first', '--method', 'events',
        '--method', 'primitives', '--tune', '--json',
    )  # fmt: skip
    rows = json.loads(result.out)
    assert list(rows) == [
        'events', 'events, tuned', 'primitives', 'primitives, tuned', 'consensus',
        'consensus, tuned', 'elapsed time',
    ]  # fmt: skip
    truth = read_truth(robots / 'second').segments
    for row in rows.values():
        assert row['true_segments'] == len(truth)
        assert 0 <= row['oracle_accuracy'] <= 1
        assert row['ms_per_frame'] >= 0
        assert row['boundary_f1@0.5s'] <= row['boundary_f1@5s']
    table = done('compare', robots / 'second', '--train', robots / 'first', '--method', 'events')
    assert re.search(r'events +│ +[\d.]+', table.out)


def test_what_is_scored_is_not_calibrated_on(robots: Path) -> None:
    both = m2r2('compare', robots, '--train', robots / 'first', '--method', 'events')
    assert 'is both calibrated on and scored' in both.error
