# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sound of any range is what was recorded then."""

import io
import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.review.media.sound import Sound
from test.replay.recordings import SECOND, START, Entry
from test.review.recordings import MICROPHONE, RATE, SOUND, sound, write_session

SPEC = TopicSpec('sound', MICROPHONE, SOUND)


def heard(found: Sound, start: float, end: float) -> NDArray[np.int16]:
    wav = found.wav(START + round(start * SECOND), START + round(end * SECOND))
    assert wav is not None
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), '<i2')


def sound_of(path: Path, entries: Sequence[Entry]) -> Sound:
    return Sound(open_recording(write_session(path, entries)), SPEC)


@pytest.mark.parametrize('moved', [0, 3600 * SECOND, -3600 * SECOND])
def test_sound_of_a_range_is_what_was_recorded_then(tmp_path: Path, moved: int) -> None:
    entries, samples = sound(4.0)
    entries = [e._replace(log_time=e.log_time + moved) for e in entries]
    found = sound_of(tmp_path / 'bag', entries)
    for start, end in ((0, 4), (0, 0.5), (1.25, 3.0), (3.5, 4.0), (2.0125, 2.02)):
        expected = samples[round(start * RATE) : round(end * RATE)]
        np.testing.assert_array_equal(heard(found, start, end), expected)
    beyond = heard(found, 3.0, 6.0)
    np.testing.assert_array_equal(beyond[:RATE], samples[3 * RATE :])
    assert not beyond[RATE:].any()


def test_where_a_chunk_is_missing_there_is_silence(tmp_path: Path) -> None:
    entries, samples = sound(2.0)
    found = sound_of(tmp_path / 'bag', [*entries[:10], *entries[20:]])
    expected = samples.copy()
    expected[10 * 400 : 20 * 400] = 0
    np.testing.assert_array_equal(heard(found, 0, 2), expected)


def test_chunks_follow_each_other_though_their_stamps_tremble(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    entries, samples = sound(2.0)
    raws = []
    for k, entry in enumerate(entries):
        raw = bytearray(entry.raw)
        nanoseconds = int.from_bytes(raw[8:12], 'little') + int(rng.integers(0, 5_000_000)) * (
            k > 0
        )
        raw[8:12] = min(nanoseconds, SECOND - 1).to_bytes(4, 'little')
        raws.append(entry._replace(raw=bytes(raw)))
    np.testing.assert_array_equal(heard(sound_of(tmp_path / 'bag', raws), 0, 2), samples)


def test_where_nothing_was_recorded_there_is_no_sound(tmp_path: Path) -> None:
    entries, _ = sound(1.0)
    found = sound_of(tmp_path / 'bag', entries)
    assert found.wav(START + 60 * SECOND, START + 61 * SECOND) is None
    assert found.wav(START - 60 * SECOND, START - 59 * SECOND) is None
    broken = sound_of(tmp_path / 'broken', [replace_raw(entry) for entry in entries])
    assert broken.wav(START, START + SECOND) is None


def replace_raw(entry: Entry) -> Entry:
    return entry._replace(raw=entry.raw[:20])


def test_sound_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    entries, _ = sound(1.0)
    recording = open_recording(write_session(tmp_path / 'bag', entries))
    plain = recording.topics[MICROPHONE]
    kind = 'audio_common_msgs/msg/AudioData'
    recording.topics[MICROPHONE] = replace(plain, type_name=kind, definition='')
    with pytest.raises(ConfigError, match='sample rate'):
        Sound(recording, replace(SPEC, type=kind))
