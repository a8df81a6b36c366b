# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rosbags.typesys.store import Typestore

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.samples import SoundSamples
from m2r2_ros.readers.definitions import message_definition, store_for
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import TopicSpec
from test.readers.messages import Topic, both, header, new, pack, serialise

STAMP = 1_700_000_000_250_000_000
RULE = '=' * 80
HEADER = f'{RULE}\nMSG: std_msgs/Header\n' + message_definition('std_msgs/msg/Header')
# Two packages, both called audio_common_msgs: github.com/ros-drivers and github.com/mgonzs13.
DRIVERS = f'uint8[] data\n{HEADER}'
DRIVERS_STAMPED = f"""std_msgs/Header header
audio_common_msgs/AudioData audio
{RULE}
MSG: audio_common_msgs/AudioData
uint8[] data
{HEADER}"""
PORTAUDIO = f"""std_msgs/Header header
audio_common_msgs/Audio audio
{RULE}
MSG: audio_common_msgs/Audio
audio_common_msgs/AudioData audio_data
audio_common_msgs/AudioInfo info
{RULE}
MSG: audio_common_msgs/AudioData
float32[] float32_data
int32[] int32_data
int16[] int16_data
int8[] int8_data
uint8[] uint8_data
{RULE}
MSG: audio_common_msgs/AudioInfo
int32 format
int32 channels
int32 rate
int32 chunk
{HEADER}"""
FOXGLOVE = f"""builtin_interfaces/Time timestamp
uint8[] data
string format
uint32 sample_rate
uint32 number_of_channels
string uuid
{HEADER}"""
NAMES = {
    'AudioData': ('audio_common_msgs/msg/AudioData', DRIVERS),
    'AudioDataStamped': ('audio_common_msgs/msg/AudioDataStamped', DRIVERS_STAMPED),
    'AudioStamped': ('audio_common_msgs/msg/AudioStamped', PORTAUDIO),
    'RawAudio': ('foxglove_msgs/msg/RawAudio', FOXGLOVE),
}
#: PortAudio constants, and the type of the samples.
PORTAUDIO_KINDS = {1: 'f4', 2: 'i4', 8: 'i2', 16: 'i1', 32: 'u1'}


def store(kind: str) -> Typestore:
    return store_for(*NAMES[kind])


def octets(samples: Any) -> Any:
    return np.frombuffer(np.asarray(samples, '<i2').tobytes(), np.uint8)


def message(
    kind: str, samples: Any, rate: int = 16000, channels: int = 1, stamp: int = STAMP, code: int = 8
) -> Any:
    """Make a message of int16 samples (of the type that `code` says for AudioStamped)."""
    types = store(kind)
    if kind == 'RawAudio':
        time = header(stamp, store=types).stamp
        numbers = ('pcm-s16', rate, channels, 'id')
        return new('foxglove_msgs/RawAudio', time, octets(samples), *numbers, store=types)
    if kind == 'AudioStamped':
        data = [np.empty(0, k) for k in PORTAUDIO_KINDS.values()]
        if code in PORTAUDIO_KINDS:
            at = list(PORTAUDIO_KINDS).index(code)
            data[at] = np.asarray(samples, PORTAUDIO_KINDS[code])
        audio = new(
            'audio_common_msgs/Audio',
            new('audio_common_msgs/AudioData', *data, store=types),
            new('audio_common_msgs/AudioInfo', code, channels, rate, 512, store=types),
            store=types,
        )
        head = header(stamp, store=types)
        return new('audio_common_msgs/AudioStamped', head, audio, store=types)
    plain = new('audio_common_msgs/AudioData', octets(samples), store=types)
    if kind == 'AudioData':
        return plain
    return new('audio_common_msgs/AudioDataStamped', header(stamp, store=types), plain, store=types)


def topic(kind: str, **fields: Any) -> Topic:
    if kind.startswith('AudioData'):
        fields = {'rate': 16000, **fields}
    return TopicSpec('sound', '/audio', **fields), *NAMES[kind]


def reader(kind: str, **fields: Any) -> Reader:
    return make_reader(*topic(kind, **fields))


def read(kind: str, *messages: Any, little: bool = True, **fields: Any) -> SoundSamples:
    block = pack([serialise(m, little, store(kind)) for m in messages])
    samples = both(topic(kind, **fields), messages, block)
    assert isinstance(samples, SoundSamples)
    return samples


@pytest.mark.parametrize('kind', NAMES)
@given(
    samples=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=40),
    little=st.booleans(),
)
def test_samples_come_out_at_full_scale_one(kind: str, samples: list[int], little: bool) -> None:
    sound = read(kind, message(kind, samples), message(kind, samples), little=little)
    assert sound.rate == 16000
    for chunk in sound.chunks:
        np.testing.assert_array_equal(chunk, np.array(samples, np.float32) / 32768)


@pytest.mark.parametrize('kind', NAMES)
def test_channels_are_mixed_down(kind: str) -> None:
    frames = [[100, 300], [-200, 200], [32767, 32767]]
    fields: dict[str, Any] = {'channels': 2} if kind.startswith('AudioData') else {}
    sound = read(kind, message(kind, np.ravel(frames), channels=2), **fields)
    np.testing.assert_allclose(sound.chunks[0] * 32768, [200, 0, 32767])


@pytest.mark.parametrize(
    ('fields', 'expected'),
    [({}, STAMP), ({'stamp_reference': 'end'}, STAMP - 100_000_000)],
)
@pytest.mark.parametrize('kind', ['AudioDataStamped', 'AudioStamped', 'RawAudio'])
def test_stamps_are_those_of_the_first_sample(
    kind: str, fields: dict[str, Any], expected: int
) -> None:
    sound = read(kind, message(kind, [0] * 1600), **fields)
    assert sound.stamps.tolist() == [expected]


@pytest.mark.parametrize('kind', NAMES)
def test_without_a_stamp_it_is_the_log_time_less_the_chunk(kind: str) -> None:
    sound = read(kind, message(kind, [0] * 1600, stamp=0), time_offset=1.0)
    assert sound.stamps.tolist() == [10**18 - 100_000_000 + 1_000_000_000]


@pytest.mark.parametrize('code', PORTAUDIO_KINDS)
def test_portaudio_formats(code: int) -> None:
    top = {1: 0.5, 2: 2**30, 8: 2**14, 16: 64, 32: 192}[code]
    sound = read('AudioStamped', message('AudioStamped', [top, top], code=code))
    np.testing.assert_array_equal(sound.chunks[0], np.array([0.5, 0.5], np.float32))


@pytest.mark.parametrize(
    ('name', 'kind', 'half'),
    [('S8', 'i1', 64), ('U8', 'u1', 192), ('S16BE', '>i2', 2**14), ('S32LE', '<i4', 2**30),
     ('S32BE', '>i4', 2**30), ('F32LE', '<f4', 0.5), ('F32BE', '>f4', 0.5)],
)  # fmt: skip
def test_formats_of_data_that_do_not_describe_themselves(name: str, kind: str, half: float) -> None:
    types = store('AudioData')
    data = np.frombuffer(np.array([half] * 4, kind).tobytes(), np.uint8)
    plain = new('audio_common_msgs/AudioData', data, store=types)
    sound = read('AudioData', plain, format=name)
    np.testing.assert_array_equal(sound.chunks[0], np.array([0.5] * 4, np.float32))


def test_unusable_chunks_are_counted_and_harm_no_neighbour() -> None:
    kind = 'AudioStamped'
    whole = message(kind, [1, 2])
    sound = read(
        kind,
        whole,
        message(kind, []),
        message(kind, [1, 2, 3], channels=2),
        message(kind, [1], channels=0),
        message(kind, [1], rate=-1),
        message(kind, [1], rate=8000),
        message(kind, [1], code=4),
        whole,
    )
    assert sound.arrival.tolist() == [5, 19]
    assert sound.dropped == {
        'empty': 1, 'malformed': 3, 'rate_changed': 1, 'unsupported_encoding': 1
    }  # fmt: skip


def test_the_rate_of_a_stream_does_not_depend_on_how_it_is_cut_into_blocks() -> None:
    sound = reader('RawAudio')
    raws = [serialise(message('RawAudio', [1], rate), store=store('RawAudio')) for rate in (1, 2)]
    assert not sound.decode(pack(raws[:1])).dropped
    assert sound.decode(pack(raws[1:])).dropped == {'rate_changed': 1}


@pytest.mark.parametrize('kind', NAMES)
@given(at=st.integers(0, 50), byte=st.integers(0, 255), cut=st.integers(0, 50))
def test_no_byte_and_no_cut_makes_it_raise(kind: str, at: int, byte: int, cut: int) -> None:
    whole = serialise(message(kind, [1, 2, 3, 4]), store=store(kind))
    bad = bytearray(whole)
    bad[min(at, len(bad) - 1)] = byte
    samples = reader(kind, rate=16000).decode(pack([whole, bytes(bad), whole[:cut], whole]))
    assert isinstance(samples, SoundSamples)
    for chunk in (samples.chunks[0], samples.chunks[-1]):
        np.testing.assert_array_equal(chunk * 32768, [1, 2, 3, 4])
    assert len(samples.chunks) + samples.dropped.total() == 4


def test_the_definition_tells_the_two_packages_apart() -> None:
    spec = TopicSpec('sound', '/audio', rate=16000)
    with pytest.raises(MessageError, match='/audio'):
        make_reader(spec, 'audio_common_msgs/msg/AudioStamped', DRIVERS_STAMPED)
    with pytest.raises(MessageError, match='/audio'):
        make_reader(spec, 'audio_common_msgs/msg/AudioData', PORTAUDIO.partition(RULE)[2])


def test_a_missing_rate_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r'sound\.rate'):
        make_reader(TopicSpec('sound', '/audio'), NAMES['AudioData'][0])
