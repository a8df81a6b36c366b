# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses out of joint states and the robot's description (URDF), by pinocchio."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.reading import naming, read_text
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.readers.cdr import Fields, Unusable
from m2r2_ros.readers.fields import FieldReader
from m2r2_ros.readers.topics import TopicSpec, is_topic
from m2r2_ros.readers.usual import place

#: Joint states that came before the robot's description, and descriptions that cannot be used.
NO_DESCRIPTION: Final = 'no_description'
BAD_DESCRIPTION: Final = 'bad_description'
#: Bytes of a description.
MOST_URDF: Final = 8 << 20


class KinematicsReader:
    """Gives the pose of a tool in the frame of a base, out of joint states.

    The description comes from a file, or from a topic of std_msgs/String, which it reads too.
    """

    def __init__(self, spec: TopicSpec, type_name: str, definition: str = '') -> None:
        """Begin.

        Args:
            spec: With frames, base and tool, and the description.
            type_name: Type of the joint states.
            definition: ros2msg text of the type; '' for a type that is known here.

        Raises:
            ConfigError: There is no description, or it has no such frames; or pinocchio is missing.
            MessageError: The type holds no joint states.
        """
        self._spec, self._type, self._definition = spec, type_name, definition
        self._reader: FieldReader | None = None
        self._chain: KinematicChain | None = None
        if not spec.urdf:
            msg = (
                f'{place(spec)}: frames out of joint states need {spec.modality}.urdf, the file of '
                'the robot description or its topic, such as /robot_description'
            )
            raise ConfigError(msg)
        self._joint_spec = replace(
            spec, like='joints', fields=spec.fields or ('position',), frames=(), urdf='', dims=0
        )
        FieldReader(self._joint_spec, type_name, definition)  # refuses what has no joints
        _pinocchio(spec)
        if not is_topic(spec.urdf):
            text, source = read_description(spec.urdf)
            with naming(source, ConfigError):
                self.describe(text)

    def describe(self, urdf: str) -> None:
        """Take the robot's description.

        Raises:
            ConfigError: It is no URDF, or has no such frames.
        """
        if self._chain is not None and self._chain.urdf == urdf:
            return
        self._chain = KinematicChain(self._spec, urdf)
        joints = self._spec.joints or self._chain.joints
        self._reader = FieldReader(
            replace(self._joint_spec, joints=joints), self._type, self._definition
        )

    def decode(self, block: MessageBlock) -> VectorSamples:
        """Read messages of one of the topics."""
        return self.decode_together([block])

    def decode_together(self, blocks: Sequence[MessageBlock]) -> VectorSamples:
        """Read joint states, and descriptions that come with them."""
        dropped: Counter[str] = Counter()
        parts: list[VectorSamples] = []
        for block in _pieces(blocks, self._spec.urdf):
            if block.topic == self._spec.urdf:
                self._read_description(block, dropped)
            elif self._reader is None or self._chain is None:
                dropped[NO_DESCRIPTION] += len(block)
            else:
                found = self._reader.decode(block)
                dropped.update(found.dropped)
                parts.append(replace(found, values=self._chain.poses(found.values)))
        empty = np.empty(0, np.int64)
        return VectorSamples(
            np.concatenate([empty, *(p.stamps for p in parts)]),
            np.concatenate([empty, *(p.arrival for p in parts)]),
            np.concatenate([np.empty((0, 7)), *(p.values for p in parts)]),
            dropped,
        )

    def _read_description(self, block: MessageBlock, dropped: Counter[str]) -> None:
        for k in range(len(block)):
            try:
                self.describe(Fields(block.message(k)).string())
            except (ConfigError, Unusable):
                dropped[BAD_DESCRIPTION] += 1


def read_description(urdf: str) -> tuple[str, str]:
    """Return the text of a robot's description, and what to call where it came from.

    Args:
        urdf: A file, or the text itself.

    Raises:
        ConfigError: The file cannot be read.
    """
    if urdf.lstrip().startswith('<'):
        return urdf, 'the robot description that the model keeps'
    return read_text(Path(urdf), 'a robot description (URDF)', ConfigError, most=MOST_URDF), urdf


def _pieces(blocks: Sequence[MessageBlock], description: str) -> list[MessageBlock]:
    """Cut blocks so that descriptions stand where they came."""
    cuts = sorted({int(a) for block in blocks if block.topic == description for a in block.arrival})
    pieces = []
    for block in blocks:
        edges = [0, *np.searchsorted(block.arrival, cuts).tolist(), len(block)]
        if block.topic == description:
            edges = list(range(len(block) + 1))
        pieces += [_part(block, lo, hi) for lo, hi in pairwise(edges)]
    return sorted((p for p in pieces if len(p)), key=lambda p: int(p.arrival[0]))


def _part(block: MessageBlock, lo: int, hi: int) -> MessageBlock:
    own = slice(lo, hi)
    return replace(
        block,
        offsets=block.offsets[own],
        lengths=block.lengths[own],
        log_times=block.log_times[own],
        arrival=block.arrival[own],
    )


class KinematicChain:
    """What moves between two links of a robot.

    Attributes:
        urdf: The description.
        joints: The joints between the links, in the order of the description.
    """

    def __init__(self, spec: TopicSpec, urdf: str) -> None:
        """Look the links up.

        Raises:
            ConfigError: It is no URDF, or has no such links; nothing moves between them, or
                something does that has more than one degree of freedom.
        """
        pin = _pinocchio(spec)
        if len(urdf) > MOST_URDF or '<!DOCTYPE' in urdf or '<!ENTITY' in urdf:
            msg = f'{place(spec)}: the description is too long, or has a DOCTYPE; expected a URDF'
            raise ConfigError(msg)
        try:
            self._model = pin.buildModelFromXML(urdf)
        except (ValueError, RuntimeError) as error:
            msg = f'{place(spec)}: the description is no URDF: {excerpt(str(error))}'
            raise ConfigError(msg) from error
        self._pin, self.urdf = pin, urdf
        self._data = self._model.createData()
        self._frames = [self._frame(spec, name) for name in spec.frames]
        supports = [set(self._model.supports[self._joint_of(frame)]) for frame in self._frames]
        moving = sorted(supports[0] ^ supports[1])
        self.joints = tuple(self._model.names[joint] for joint in moving)
        if not moving:
            msg = f'{place(spec)}: nothing moves between {" and ".join(spec.frames)}'
            raise ConfigError(msg)
        self._places = [self._model.joints[joint] for joint in moving]
        for name, joint in zip(self.joints, self._places, strict=True):
            if joint.nv != 1:
                msg = (
                    f'{place(spec)}: joint {name!r} between {" and ".join(spec.frames)} is '
                    f'floating or planar, which no joint state can say; expected joints that turn '
                    'or slide'
                )
                raise ConfigError(msg)

    def poses(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x y z qx qy qz qw of the tool in the base (n, 7), of joint positions (n, J)."""
        found = np.empty((len(positions), 7))
        q = self._pin.neutral(self._model)
        base, tool = self._frames
        for k, row in enumerate(positions):
            for joint, value in zip(self._places, row, strict=True):
                # A continuous joint is given by cosine and sine.
                own = slice(joint.idx_q, joint.idx_q + joint.nq)
                q[own] = [np.cos(value), np.sin(value)] if joint.nq == 2 else value
            if not np.isfinite(q).all():
                found[k] = np.nan
                continue
            self._pin.forwardKinematics(self._model, self._data, q)
            placed = [
                self._pin.updateFramePlacement(self._model, self._data, frame)
                for frame in (base, tool)
            ]
            found[k] = self._pin.SE3ToXYZQUAT(placed[0].actInv(placed[1]))
        return found

    def _frame(self, spec: TopicSpec, name: str) -> int:
        if not self._model.existFrame(name):
            links = [f.name for f in self._model.frames if f.type == self._pin.FrameType.BODY]
            msg = (
                f'{spec.modality}.frames: the description has no link {name!r}; it has '
                f'{listed(links, 20)}'
            )
            raise ConfigError(msg)
        return int(self._model.getFrameId(name))

    def _joint_of(self, frame: int) -> int:
        return int(self._model.frames[frame].parentJoint)


def _pinocchio(spec: TopicSpec) -> Any:  # noqa: ANN401 - a module
    try:
        import pinocchio  # an extra
    except ImportError as error:
        msg = f"{spec.modality}: poses out of joint states need: pip install 'm2r2_ros[kinematics]'"
        raise ConfigError(msg) from error
    return pinocchio
