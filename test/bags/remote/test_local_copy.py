# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Formats that cannot be read by ranges are copied to the disk for as long as they are needed."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote import local_copy
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.core.errors import BagError
from test.bags.files import expected, read
from test.bags.remote.conftest import BUCKET, Bucket
from test.bags.remote.server import StoreServer
from test.bags.sqlite.test_connection import ALL, killed
from test.bags.sqlite.test_source import SOME, database


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies go."""
    folder = tmp_path / 'copies'
    folder.mkdir()
    monkeypatch.setenv('TMPDIR', str(folder))
    monkeypatch.setattr(tempfile, 'tempdir', None)
    return folder


def test_a_database_is_copied_and_the_copy_removed(
    bucket: Bucket, tmp_path: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_copy, '_PIECE', 1000)  # many pieces
    bucket.put('a b/run é.db3', database(tmp_path / 'x.db3', SOME))
    recording = open_recording(as_place(f's3://{BUCKET}/a b/run é.db3'))
    assert read(recording) == expected([SOME])
    assert recording.name == 'run é'
    assert 'copied to read it' in recording.notes[-1]
    assert len(list(copies.iterdir())) == 1
    del recording
    gc.collect()
    assert not list(copies.iterdir())


def test_the_log_of_a_killed_recorder_is_copied_too(
    bucket: Bucket, tmp_path: Path, copies: Path
) -> None:
    work, kept = tmp_path / 'work', tmp_path / 'kept'
    work.mkdir()
    kept.mkdir()
    killed(kept, work, '-wal')
    bucket.put_folder(kept, 'bag')
    assert read(open_recording(as_place(f's3://{BUCKET}/bag/x.db3'))) == ALL
    assert read(open_recording(as_place(f's3://{BUCKET}/bag'))) == ALL


def test_errors_name_the_file_and_leave_nothing(bucket: Bucket, copies: Path) -> None:
    bucket.put('broken.db3', b'SQLite format 3\0' + bytes(500))
    with pytest.raises(BagError, match=f's3://{BUCKET}/broken.db3 cannot be read') as error:
        open_recording(as_place(f's3://{BUCKET}/broken.db3'))
    assert str(copies) not in str(error.value)
    assert not list(copies.iterdir())


def test_a_file_that_does_not_fit_is_refused(
    bucket: Bucket, tmp_path: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_copy, 'MOST', 1000)
    bucket.put('x.db3', database(tmp_path / 'x.db3', SOME))
    with pytest.raises(BagError, match='set TMPDIR to a larger folder, or store MCAP files'):
        open_recording(as_place(f's3://{BUCKET}/x.db3'))
    assert not list(copies.iterdir())


def test_ctrl_c_leaves_nothing(
    bucket: Bucket, server: StoreServer, tmp_path: Path, copies: Path
) -> None:
    bucket.put('x.db3', database(tmp_path / 'x.db3', SOME))
    code = (
        'import time\n'
        'from m2r2_ros.bags.recording import open_recording\n'
        'from m2r2_ros.bags.remote.places import as_place\n'
        f'recording = open_recording(as_place("s3://{BUCKET}/x.db3"))\n'
        'print("open", flush=True)\n'
        'time.sleep(60)\n'
    )
    environment = {**os.environ, **server.environment, 'TMPDIR': str(copies)}
    # What is started in the background of a script has interruptions switched off.
    command = ['env', '--default-signal=INT', sys.executable, '-c', code]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'open\n'
        assert list(copies.iterdir())
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert not list(copies.iterdir())
