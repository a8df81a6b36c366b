# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page gets, as its modules read it."""

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Unpacked:
    """A container: its JSON, and what refers to its bytes."""

    def __init__(self, content: bytes) -> None:
        length = int.from_bytes(content[:4], 'little')
        self.page: dict[str, Any] = json.loads(content[4 : 4 + length])
        self._block = content[4 + length :]

    def array(self, reference: list[Any]) -> NDArray[Any]:
        kind, offset, count = reference
        assert offset % 8 == 0
        return np.frombuffer(self._block, f'<{kind}', count, offset)

    def file(self, reference: list[Any]) -> bytes:
        _, offset, count = reference
        return self._block[offset : offset + count]

    def signal(self, name: str) -> dict[str, Any]:
        (found,) = (s for s in self.page['signals'] if s['id'] == name)
        return found

    def extremes(self, name: str, channel: int) -> NDArray[np.float64]:
        """Return lows and highs of a channel, (buckets, 2), NaN where there is none."""
        own = self.signal(name)['channels'][channel]
        return np.stack([self._values(own, self.array(own[key])) for key in ('lows', 'highs')], 1)

    def samples(self, name: str, channel: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return times and values of all stretches of a channel."""
        signal = self.signal(name)
        own = signal['channels'][channel]
        times, values = [np.zeros(0)], [np.zeros(0)]
        for part in signal['stretches']:
            times.append(part['start'] + self.array(part['offsets']) * 1e-6)
            values.append(self._values(own, self.array(part['values'][channel])))
        return np.concatenate(times), np.concatenate(values)

    def _values(self, channel: dict[str, Any], steps: NDArray[Any]) -> NDArray[np.float64]:
        low, high = channel['low'], channel['high']
        values = low + (high - low) * steps.astype(np.float64) / 65534
        return np.where(steps == 65535, np.nan, values)


def of_report(path: Path) -> Unpacked:
    text = path.read_text()
    (packed,) = re.findall(r'id="container">([^<]*)<', text)
    return Unpacked(gzip.decompress(base64.b64decode(packed)))
