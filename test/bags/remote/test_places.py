# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What users write is a path or a URL, and what is wrong with one is said within seconds."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote import access
from m2r2_ros.bags.remote.places import as_place, in_order, is_remote
from m2r2_ros.core.errors import BagError, ConfigError
from test.bags.remote.conftest import BUCKET, Bucket
from test.bags.remote.server import StoreServer


@pytest.mark.parametrize('text', ['a', '/a b/c', './s3:/x', '.', 'C:/x', '~/x', 'a::b'])
def test_paths_are_paths(text: str) -> None:
    assert as_place(text) == Path(text)
    assert not is_remote(as_place(text))


def test_urls_keep_their_slashes() -> None:
    place = as_place('S3://robots/a b/ü/')
    assert is_remote(place)
    assert str(place) == 's3://robots/a b/ü'
    assert str(place / 'x') == 's3://robots/a b/ü/x'
    assert as_place('file:///a%20b/c') == Path('/a b/c')
    assert in_order([place, Path('/z'), Path('/b')]) == [Path('/b'), Path('/z'), place]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('s3://', 'expected a path, or a URL such as'),
        ('s3:///key', 'expected a path, or a URL such as'),
        ('nosuch://bucket/x', 'no protocol that fsspec knows'),
        ('simplecache::s3://bucket/x', 'expected a path, or a URL such as'),
        ('s3://me:hunter2@bucket/x', 'credentials are not taken from URLs'),
        ('https://host/x.mcap?X-Amz-Signature=hunter2', 'credentials are not taken from URLs'),
    ],
)
def test_urls_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        as_place(text)
    assert 'hunter2' not in str(error.value)


@pytest.mark.parametrize(
    ('lacking', 'message'),
    [
        ('s3fs', r"s3:// needs s3fs: pip install 'm2r2_ros\[s3\]'"),
        ('upath', r"needs universal-pathlib: pip install 'm2r2_ros\[fleet,s3\]'"),
    ],
)
def test_what_is_not_installed_is_named(
    lacking: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        'm2r2_ros.bags.remote.places.find_spec', lambda n: None if n == lacking else there(n)
    )
    with pytest.raises(ConfigError, match=message):
        as_place('s3://robots/x')


def test_local_use_imports_nothing_of_it() -> None:
    code = (
        'import sys; import m2r2_ros.bags.finding, m2r2_ros.bags.recording\n'
        'from m2r2_ros.bags.remote.places import as_place; as_place("/x")\n'
        'print({"fsspec", "upath", "s3fs", "asyncio"} & set(sys.modules))'
    )
    found = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == 'set()'


def test_a_bucket_that_is_not_there(server: StoreServer) -> None:
    with pytest.raises(BagError, match='s3://nobody/x cannot be listed: there is no such bucket'):
        find_recordings([as_place('s3://nobody/x')])
    with pytest.raises(BagError, match='there is no such bucket'):
        open_recording(as_place('s3://nobody/x.mcap'))


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the clients of other tests, which know their credentials, and those of this one."""
    import s3fs

    monkeypatch.setattr(access, '_SYSTEMS', {})
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def test_without_credentials(
    server: StoreServer, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('AWS_ACCESS_KEY_ID')
    monkeypatch.delenv('AWS_SECRET_ACCESS_KEY')
    began = time.monotonic()
    with pytest.raises(BagError, match='no credentials were found; set AWS_ACCESS_KEY_ID'):
        find_recordings([as_place(f's3://{BUCKET}/x')])
    assert time.monotonic() - began < 5


@pytest.mark.parametrize('address', ['http://127.0.0.1:1', 'http://me:hunter2@127.0.0.1:1'])
def test_a_store_that_is_not_there(
    address: str, server: StoreServer, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('AWS_ENDPOINT_URL', address)
    began = time.monotonic()
    with pytest.raises(BagError, match='the store cannot be reached') as error:
        find_recordings([as_place(f's3://{BUCKET}/x')])
    assert time.monotonic() - began < 15
    assert 'hunter2' not in str(error.value)


def test_other_protocols(bucket: Bucket) -> None:
    """What fsspec has of itself, without conditions and in its own words."""
    from test.bags.files import mcap_bytes, read

    place: Any = as_place('memory://robots')
    data = mcap_bytes([[('/a', k, k) for k in range(5)]])
    place.fs.pipe_file('/robots/run/run_0.mcap', data)
    assert [str(p) for p in find_recordings([place])] == ['memory://robots/run']
    assert len(read(open_recording(place / 'run'))) == 5
