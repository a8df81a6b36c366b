# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands take URLs where they take paths of recordings."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from m2r2_ros.cli.main import app
from m2r2_ros.core.errors import ConfigError, M2R2Error, OutputError
from test.bags.files import mcap_bytes
from test.bags.remote.conftest import BUCKET, Bucket
from test.replay.recordings import robot_bag, tiny_bundle


def run(*arguments: object) -> str:
    """Run a command; returns what it printed."""
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert not done.exit_code, done.output
    return done.output


def test_recordings_are_inspected_where_they_lie(bucket: Bucket) -> None:
    for name in ('a b', 'ü'):
        bucket.put(f'runs/{name}/x.mcap', mcap_bytes([[('/a', 10**9 * k, k) for k in range(5)]]))
    found = json.loads(run('inspect', f's3://{BUCKET}/runs', '--json'))
    assert len(found) == 2
    assert run('inspect', f's3://{BUCKET}/runs/ü/x.mcap').startswith('x: 4.0 s, 5 messages')


def test_labels_are_those_of_the_recording_on_the_disk(bucket: Bucket, tmp_path: Path) -> None:
    robots, model = tmp_path / 'robots', tmp_path / 'model'
    robot_bag(robots / 'first', 6.0, seed=1)
    tiny_bundle(model, [robots / 'first'])
    bucket.put_folder(robots, 'robots')
    url = f's3://{BUCKET}/robots'
    run('label', robots, '--model', model, '--out', tmp_path / 'near')
    run('label', url, '--model', model, '--out', tmp_path / 'far')
    tables = [tmp_path / where / 'first_segments.csv' for where in ('near', 'far')]
    assert tables[0].read_text() == tables[1].read_text()
    assert json.loads((tmp_path / 'far' / 'first_summary.json').read_text())['frames'] > 0
    # Its own ground truth, and labels, are found there as well.
    bucket.put_folder(tmp_path / 'far', 'labels')
    assert 'first' in run('evaluate', f's3://{BUCKET}/labels', '--truth', url)
    labels = ('--labels', f's3://{BUCKET}/labels', '--out', tmp_path / 'page')
    run('report', f'{url}/first', *labels)
    assert (tmp_path / 'page' / 'first.html').exists()


def test_recordings_are_checked_where_they_lie(bucket: Bucket, tmp_path: Path) -> None:
    whole = next(robot_bag(tmp_path / 'whole', 6.0, seed=1).glob('*.mcap')).read_bytes()
    bucket.put('runs/whole.mcap', whole)
    bucket.put('runs/cut.mcap', whole[: len(whole) * 2 // 3])
    url = f's3://{BUCKET}/runs'
    arguments = ('check', url, '--labels', url, '--only', 'file', '--only', 'label.coverage')
    done = CliRunner().invoke(app, [*arguments, '--format', 'json'])
    assert done.exit_code == 1
    cut, good = json.loads(done.stdout)
    assert 'file.cut' in {f['check'] for f in cut['findings']}
    assert (good['findings'], good['ran']) == ([], ['file.cut', 'label.coverage'])


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        (('repair', 's3://robots/x', '--out', 'y'), ConfigError, 'copy it first'),
        (('review', 's3://robots/x'), ConfigError, 'copy it first'),
        (('labels', 'stats', 's3://robots/x'), ConfigError, 'copy it first'),
        (('check', 's3://robots/x', '--out', 's3://robots/y'), ConfigError, 'with --fleet'),
        (('inspect', 's3://me:hunter2@robots/x'), ConfigError, 'credentials are not taken'),
        (('simulate', '--out', 's3://robots/x', '--episodes', 1), OutputError, 'disk alone'),
    ],
)
def test_what_cannot_be_done_with_a_url_is_said(
    arguments: tuple[object, ...], error: type[M2R2Error], message: str
) -> None:
    with pytest.raises(error, match=message) as told:
        run(*arguments)
    assert 'hunter2' not in str(told.value)
