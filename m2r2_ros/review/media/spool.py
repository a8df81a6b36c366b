# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Films that can only be read from their beginning: unrolled once, into a file without a name."""

import tempfile
from bisect import bisect_right
from threading import Condition, Thread
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import Source
from m2r2_ros.core.errors import BagError, M2R2Error

#: Seconds for which an image is waited for that has not been read yet.
_PATIENCE: Final = 5.0


class NotReadYetError(BagError):
    """What was asked for will be there later."""


class Spool:
    """The messages of one topic, which a thread reads in order.

    They are kept in a temporary file, which is gone when this object is, or the process.
    """

    def __init__(self, source: Source, topic: str) -> None:
        """Begin to read.

        Args:
            source: The file.
            topic: Of messages whose log times are their stamps.
        """
        self._source, self._topic = source, topic
        self._file = tempfile.TemporaryFile(prefix='m2r2-')  # noqa: SIM115 - lives as long
        self._stamps: list[int] = []
        self._places: list[tuple[int, int]] = []
        self._problem: Exception | None = None
        self._done = self._closed = False
        self._news = Condition()
        Thread(target=self._run, name=f'film {topic}', daemon=True).start()

    def close(self) -> None:
        """Stop reading."""
        self._closed = True

    def at(self, stamp: int) -> tuple[int, NDArray[np.uint8]] | None:
        """Return stamp and CDR bytes of the last message at or before a time; None before all.

        Raises:
            NotReadYetError: The film has not been read so far.
            BagError: It cannot be read.
        """
        with self._news:
            self._news.wait_for(
                lambda: self._done or bool(self._stamps and self._stamps[-1] > stamp), _PATIENCE
            )
            there = bool(self._stamps and self._stamps[-1] > stamp)
            if self._problem is not None and not there:
                raise BagError(str(self._problem))
            if not self._done and not there:
                msg = f'{self._source.path}: {self._topic} has not been read so far yet'
                raise NotReadYetError(msg)
            k = bisect_right(self._stamps, stamp) - 1
            if k < 0:
                return None
            offset, length = self._places[k]
            self._file.seek(offset)
            return self._stamps[k], np.frombuffer(self._file.read(length), np.uint8)

    def _run(self) -> None:
        try:
            for part in self._source.parts([self._topic]):
                data, runs = part.load()
                for run in runs:
                    self._add(data, run.offsets, run.lengths, run.log_times)
                if self._closed:
                    return
        except (M2R2Error, OSError) as error:
            self._problem = error
        finally:
            with self._news:
                self._done = True
                self._news.notify_all()

    def _add(
        self,
        data: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int64],
        times: NDArray[np.int64],
    ) -> None:
        with self._news:
            for offset, length, time in zip(
                offsets.tolist(), lengths.tolist(), times.tolist(), strict=True
            ):
                place = self._file.seek(0, 2)
                self._file.write(data[offset : offset + length].tobytes())
                k = bisect_right(self._stamps, time)
                self._stamps.insert(k, time)
                self._places.insert(k, (place, length))
            self._news.notify_all()
