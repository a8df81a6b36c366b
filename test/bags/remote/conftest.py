# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A server that speaks S3, and a bucket on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from test.bags.remote.server import StoreServer, store_server

pytest.importorskip('s3fs', reason="needs pip install 'm2r2_ros[s3]'")
BUCKET = 'robots'


class Bucket:
    """The bucket, past the code that is tested."""

    def __init__(self) -> None:
        import boto3

        self.client = boto3.client('s3')

    def put(self, key: str, data: bytes | Path) -> None:
        """Write a file."""
        body = data.read_bytes() if isinstance(data, Path) else data
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def put_folder(self, folder: Path, key: str) -> None:
        """Write the files in a folder."""
        for file in sorted(folder.rglob('*')):
            if file.is_file():
                self.put(f'{key}/{file.relative_to(folder).as_posix()}', file)

    def keys(self) -> list[str]:
        """Return the keys of all files."""
        pages: Any = self.client.get_paginator('list_objects_v2').paginate(Bucket=BUCKET)
        return [one['Key'] for page in pages for one in page.get('Contents', ())]


@pytest.fixture(scope='session')
def running() -> Iterator[StoreServer]:
    """The server of all tests: starting one takes a second."""
    with store_server() as server:
        yield server


@pytest.fixture
def server(running: StoreServer, monkeypatch: pytest.MonkeyPatch) -> StoreServer:
    """The server with an empty bucket, an empty log and no faults; clients find it."""
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    running.faults.clear()
    running.latency = 0.0
    bucket = Bucket()
    bucket.client.create_bucket(Bucket=BUCKET)
    keys = bucket.keys()
    for first in range(0, len(keys), 1000):
        objects = [{'Key': key} for key in keys[first : first + 1000]]
        bucket.client.delete_objects(Bucket=BUCKET, Delete={'Objects': objects})
    running.log.clear()
    return running


@pytest.fixture
def bucket(server: StoreServer) -> Bucket:
    """The bucket."""
    made = Bucket()
    server.log.clear()
    return made
