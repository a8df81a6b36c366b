# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in an object store: seconds until one is being labelled, and how reading keeps pace.

The store is that of moto on this machine, in a process of its own, which waits before each answer
as a network would. Ends with exit code 1 where labelling begins later than 2 s after the command,
or where a recording is not read at least twice as fast as by one request after the other.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, time
from typing import Any
from unittest.mock import patch

from benchmarks.start import simulate
from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote import ahead
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.core.share import share_path
from test.bags.remote.server import Request, store_server

WANTED_START_S = 2.0
WANTED_GAIN = 2.0
#: What a listing is made of.
RECORDINGS = 5000
BUCKET = 'robots'


def serve(pipe: Any) -> None:  # noqa: ANN401
    """Run the store; answers each message, a latency, with the requests since the last."""
    from moto.s3.models import s3_backends

    with store_server() as server:
        pipe.send(server.environment)
        while (latency := pipe.recv()) is not None:
            server.latency = latency
            pipe.send(server.log[:])
            server.log.clear()
            if not latency:
                inside = s3_backends['123456789012']['aws']
                for k in range(RECORDINGS):
                    inside.put_object(BUCKET, f'many/run_{k}/run_{k}_0.mcap', b'')


@contextmanager
def store(recording: Path) -> Iterator[Any]:
    """Run the store with a recording in it, and many empty ones; yields the pipe."""
    import boto3

    ours, theirs = multiprocessing.get_context('spawn').Pipe()
    process = multiprocessing.get_context('spawn').Process(target=serve, args=(theirs,))
    process.start()
    os.environ.update(ours.recv())
    client = boto3.client('s3')
    client.create_bucket(Bucket=BUCKET)
    for file in recording.iterdir():
        client.upload_file(str(file), BUCKET, f'runs/{recording.name}/{file.name}')
    log_of(ours, 0.0)
    try:
        yield ours
    finally:
        ours.send(None)
        process.join()


def log_of(pipe: Any, latency: float) -> list[Request]:  # noqa: ANN401
    """Set the latency; return the requests since the last time."""
    pipe.send(latency)
    log: list[Request] = pipe.recv()
    return log


def start_of_labelling(pipe: Any, latency: float, name: str, model: Path, out: Path) -> float:  # noqa: ANN401
    """Return the seconds from the command to the first chunk of which labels are made.

    Chunks are asked for when the model and the recording are open; the first comes with the
    latency.
    """
    log_of(pipe, latency)
    place = f's3://{BUCKET}/runs/{name}'
    began = time()
    command = ['m2r2', 'label', place, '--model', str(model), '--out', str(out), '--overwrite']
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = [r for r in log_of(pipe, latency) if r.key.endswith('.mcap')]
    return files[2].at + latency - began  # after the beginning and the end of the file


def seconds_to_read(place: Path) -> float:
    """Return the seconds to read all messages."""
    recording = open_recording(place)
    began = perf_counter()
    for _ in recording.blocks():
        pass
    return perf_counter() - began


def bytes_of(log: list[Request]) -> int:
    """Return the bytes of files that were asked for."""
    ends = (r.range.removeprefix('bytes=').split('-') for r in log if r.range)
    return sum(int(last) - int(first) + 1 for first, last in ends)


def print_reading(pipe: Any, latency: float, recording: Path) -> float:  # noqa: ANN401
    """Print how long reading takes; return how many times faster it is than without window."""
    place = as_place(f's3://{BUCKET}/runs/{recording.name}')
    far = min(seconds_to_read(place) for _ in range(3))
    with patch.multiple(ahead, _FLYING=1, _REQUEST=1, _FIRST=1):
        alone = seconds_to_read(place)
    near = min(seconds_to_read(recording) for _ in range(3))
    size = sum(file.stat().st_size for file in recording.iterdir()) / 1e6
    print(f'read {size:.0f} MB: {near:.2f} s from the disk, {far:.2f} s from the store, ', end='')
    print(f'{alone:.2f} s chunk after chunk')
    opened = open_recording(place)
    rare = min((t for t in opened.topics.values() if t.count), key=lambda t: t.count)
    log_of(pipe, latency)
    for _ in opened.blocks([rare.name]):
        pass
    log = log_of(pipe, latency)
    print(f'topic {rare.name}: {bytes_of(log) / 1e6:.2f} MB in {len(log)} requests')
    return alone / far


def main() -> None:
    """Print the seconds and requests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=60.0, help='length of the recording')
    parser.add_argument('--latency', type=float, default=0.05, help='seconds before each answer')
    parser.add_argument('--times', type=int, default=5, help='starts, of which the fastest counts')
    parser.add_argument('--model', type=Path, default=share_path('models', 'cell'))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recording = simulate(Path(folder, 'recordings'), args.seconds)
        with store(recording) as pipe:
            starts = sorted(
                start_of_labelling(
                    pipe, args.latency, recording.name, args.model, Path(folder, 'labels')
                )
                for _ in range(args.times)
            )
            print(f'labelling begins after {starts[0]:.2f} s (slowest {starts[-1]:.2f} s; ', end='')
            print(f'at most {WANTED_START_S:.0f} s wanted, {args.latency * 1e3:.0f} ms latency)')
            gain = print_reading(pipe, args.latency, recording)
            log_of(pipe, args.latency)
            began = perf_counter()
            found = find_recordings([as_place(f's3://{BUCKET}/many')])
            seconds = perf_counter() - began
            requests = len(log_of(pipe, args.latency))
            print(f'{len(found)} recordings found in {seconds:.2f} s by {requests} requests')
    sys.exit(starts[0] > WANTED_START_S or gain < WANTED_GAIN)


if __name__ == '__main__':
    main()
