# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of a demo recording: what each publishes, and when, block by block."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from m2r2_ros.demo.motion import Motion, quaternions
from m2r2_ros.demo.noise import RATE, Microphone
from m2r2_ros.demo.scene import Camera
from m2r2_ros.demo.touch import wrench_of

Array = NDArray[np.float64]
Stamps = NDArray[np.int64]
#: From sampling times (seconds) and stamps to messages, in CDR with encapsulation header.
Publish = Callable[[Array, Stamps], list[bytes]]

SOUND_TYPE: Final = 'foxglove_msgs/msg/RawAudio'
_SOUND_FIELDS: Final = """
builtin_interfaces/Time timestamp
uint8[] data
string format
uint32 sample_rate
uint32 number_of_channels
"""
_SOUND_CHUNK: Final = 512
_FINGERS: Final = ['finger_left_joint', 'finger_right_joint']


class Stream(NamedTuple):
    """One topic.

    Attributes:
        topic: Its name.
        type_name: Its message type.
        rate: Messages per second.
        phase: Seconds from the start of the recording to its first message.
        jitter: How far a stamp may lie off its place, as a fraction of the period.
        latency: From stamp to log time, seconds.
        publish: Makes its messages.
    """

    topic: str
    type_name: str
    rate: float
    phase: float
    jitter: float
    latency: float
    publish: Publish


@cache
def demo_types() -> Typestore:
    """Return the types that the recording is made of."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(_SOUND_FIELDS, SOUND_TYPE))
    return store


def streams_of(motion: Motion, seeds: np.random.SeedSequence) -> list[Stream]:
    """Return all topics; each draws from a generator of its own."""
    rngs = [np.random.default_rng(seed) for seed in seeds.spawn(6)]
    geometry = 'geometry_msgs/msg'
    rows = (
        ('/camera/image_raw/compressed', 'sensor_msgs/msg/CompressedImage', 10, 0.013, 0.1, 0.02),
        ('/audio', SOUND_TYPE, RATE / _SOUND_CHUNK, 0.0, 0.02, 0.036),
        ('/ft_sensor/wrench', f'{geometry}/WrenchStamped', 500, 0.0004, 0.1, 0.0008),
        ('/current_pose', f'{geometry}/PoseStamped', 500, 0.0011, 0.1, 0.0010),
        ('/current_twist', f'{geometry}/TwistStamped', 500, 0.0011, 0.1, 0.0010),
        ('/gripper/joint_states', 'sensor_msgs/msg/JointState', 50, 0.0072, 0.1, 0.0015),
    )
    makers = (_images, _sound, _wrenches, _poses, _twists, _widths)
    return [
        Stream(*row, make(motion, rng)) for row, make, rng in zip(rows, makers, rngs, strict=True)
    ]


def _images(motion: Motion, rng: np.random.Generator) -> Publish:
    camera = Camera(motion)

    def publish(times: Array, stamps: Stamps) -> list[bytes]:
        return [
            _jpeg(camera.look(t, rng), int(stamp)) for t, stamp in zip(times, stamps, strict=True)
        ]

    return publish


def _jpeg(image: NDArray[np.uint8], stamp: int) -> bytes:
    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    header = _header(stamp, 'camera_color_optical_frame')
    return _cdr('sensor_msgs/msg/CompressedImage', header=header, format='jpeg', data=data.ravel())


def _sound(motion: Motion, rng: np.random.Generator) -> Publish:
    microphone = Microphone(motion)

    def publish(times: Array, stamps: Stamps) -> list[bytes]:
        if not len(times):
            return []
        # Samples keep the pace of the sound card; only the stamps of the chunks jitter.
        first = round(times[0] * RATE / _SOUND_CHUNK) * _SOUND_CHUNK
        samples = np.arange(first, first + len(times) * _SOUND_CHUNK)
        sound = microphone.record(samples / RATE, rng).astype('<i2').reshape(len(times), -1)
        return [
            _cdr(
                SOUND_TYPE,
                timestamp=_time(int(stamp)),
                data=chunk.view(np.uint8),
                format='pcm-s16',
                sample_rate=RATE,
                number_of_channels=1,
            )
            for chunk, stamp in zip(sound, stamps, strict=True)
        ]

    return publish


def _wrenches(motion: Motion, rng: np.random.Generator) -> Publish:
    vector = _message('geometry_msgs/msg/Vector3', x=0.0, y=0.0, z=0.0)
    wrench = _message('geometry_msgs/msg/Wrench', force=vector, torque=vector)
    header = _header(0, 'ft_sensor')
    blank = _cdr('geometry_msgs/msg/WrenchStamped', header=header, wrench=wrench)
    return lambda times, stamps: _fill(blank, stamps, wrench_of(motion, times, rng))


def _poses(motion: Motion, rng: np.random.Generator) -> Publish:
    point = _message('geometry_msgs/msg/Point', x=0.0, y=0.0, z=0.0)
    turn = _message('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=0.0)
    pose = _message('geometry_msgs/msg/Pose', position=point, orientation=turn)
    blank = _cdr('geometry_msgs/msg/PoseStamped', header=_header(0, 'base'), pose=pose)

    def publish(times: Array, stamps: Stamps) -> list[bytes]:
        state = motion.at(times)
        position = state.position + rng.normal(0.0, 2e-5, state.position.shape)
        return _fill(blank, stamps, np.hstack((position, quaternions(state))))

    return publish


def _twists(motion: Motion, rng: np.random.Generator) -> Publish:
    vector = _message('geometry_msgs/msg/Vector3', x=0.0, y=0.0, z=0.0)
    twist = _message('geometry_msgs/msg/Twist', linear=vector, angular=vector)
    blank = _cdr('geometry_msgs/msg/TwistStamped', header=_header(0, 'base'), twist=twist)

    def publish(times: Array, stamps: Stamps) -> list[bytes]:
        rates = motion.rates(times)
        values = np.hstack((rates.linear, rates.angular))
        return _fill(blank, stamps, values + rng.normal(0.0, 5e-4, values.shape))

    return publish


def _widths(motion: Motion, rng: np.random.Generator) -> Publish:
    def publish(times: Array, stamps: Stamps) -> list[bytes]:
        width = motion.at(times).width + rng.normal(0.0, 5e-5, len(times))
        speed = motion.rates(times).width
        return [
            _cdr(
                'sensor_msgs/msg/JointState',
                header=_header(int(stamp), ''),
                name=_FINGERS,
                position=np.full(2, w / 2),
                velocity=np.full(2, v / 2),
                effort=np.zeros(0),
            )
            for w, v, stamp in zip(width, speed, stamps, strict=True)
        ]

    return publish


def _fill(blank: bytes, stamps: Stamps, values: Array) -> list[bytes]:
    """Put stamps and numbers into copies of a message that ends with these numbers.

    Two thirds of all messages differ from each other in their stamp, right after the
    encapsulation header, and their last doubles only: no need to serialise each anew.
    """
    rows = np.tile(np.frombuffer(blank, np.uint8), (len(stamps), 1))
    time = np.stack(np.divmod(stamps, 1_000_000_000), axis=1).astype('<u4')
    rows[:, 4:12] = time.view(np.uint8)
    rows[:, -8 * values.shape[1] :] = np.ascontiguousarray(values, '<f8').view(np.uint8)
    return [row.tobytes() for row in rows]


def _cdr(type_name: str, **fields: Any) -> bytes:  # noqa: ANN401 - fields are of any type
    return bytes(demo_types().serialize_cdr(_message(type_name, **fields), type_name))


def _message(type_name: str, **fields: Any) -> Any:  # noqa: ANN401 - a generated class
    return demo_types().types[type_name](**fields)


def _header(stamp: int, frame_id: str) -> Any:  # noqa: ANN401 - a generated class
    return _message('std_msgs/msg/Header', stamp=_time(stamp), frame_id=frame_id)


def _time(stamp: int) -> Any:  # noqa: ANN401 - a generated class
    sec, nanosec = divmod(stamp, 1_000_000_000)
    return _message('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)
