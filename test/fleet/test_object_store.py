# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and results in an object store, which is a server of the test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('s3fs')
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.bags.remote.stores import open_store
from test.bags.remote.server import store_server
from test.cli.run import done, m2r2
from test.fleet.test_label import outputs

NAMES = ('first', 'second')


@pytest.fixture(scope='module')
def bucket(robots: Path) -> Iterator[str]:
    """A bucket with the recordings."""
    with pytest.MonkeyPatch.context() as patch, store_server() as server:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        client: Any = pytest.importorskip('boto3').client('s3')
        client.create_bucket(Bucket='robots')
        wanted = [robots / name for name in (*NAMES, 'broken.mcap')]
        for file in (f for path in wanted for f in (path, *path.rglob('*')) if f.is_file()):
            client.upload_file(str(file), 'robots', f'bags/{file.relative_to(robots)}')
        yield 's3://robots'


def test_labels_come_from_a_bucket_and_go_there_once(
    robots: Path, bundle: Path, bucket: str, tmp_path: Path
) -> None:
    done('label', *(robots / n for n in NAMES), '--model', bundle, '--out', tmp_path / 'plain')
    command = ['label', f'{bucket}/bags', '--model', bundle, '--out', f'{bucket}/labels']
    command += ['--fleet', '--workers', '1']
    first = m2r2(*command)
    assert '3 recordings: 3 to do' in first.err
    assert '1 of 3 recordings could not be labelled' in first.error
    assert f'{bucket}/bags/broken.mcap' in first.error
    assert f'{bucket}/labels/.m2r2/failed' in first.error

    store = open_store(as_place(f'{bucket}/labels'))
    assert store.done() == set(NAMES)
    for name in NAMES:
        for key, path in store.files(name).items():
            (tmp_path / 'fleet' / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / 'fleet' / key).write_bytes(path.read_bytes())
    assert outputs(tmp_path / 'fleet') == outputs(tmp_path / 'plain')

    there = {name: sorted(map(str, store.files(name).values())) for name in NAMES}
    second = m2r2(*command)
    assert '3 recordings: 0 to do, 2 done already, 1 failed before' in second.err
    store.withdraw('first')
    third = m2r2(*command)
    assert '3 recordings: 1 to do, 1 done already, 1 failed before' in third.err
    again = {name: sorted(map(str, store.files(name).values())) for name in NAMES}
    assert again['first']
    assert {name for name in NAMES if again[name] == there[name]} == {'second'}


def test_pages_go_to_a_bucket(bucket: str) -> None:
    command = ['report', f'{bucket}/bags/first', '--out', f'{bucket}/pages', '--fleet']
    done(*command, '--workers', 1)
    (page,) = open_store(as_place(f'{bucket}/pages')).files('first').values()
    assert page.name == 'first.html'
    assert '0 to do, 1 done already' in done(*command).err
