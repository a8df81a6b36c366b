# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of simulated episodes."""

from dataclasses import asdict, dataclass
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.simulation.faults import Fault
from m2r2_ros.simulation.label_faults import LabelFault
from m2r2_ros.simulation.microphone import RATES
from m2r2_ros.simulation.parts import PARTS

#: What an episode can go without: a part that nobody touches, a verb that is not done.
OPTIONAL = (*(part.name for part in PARTS), 'insert', 'remove')

_WIDEST, _NARROWEST = 640, 64


@dataclass(frozen=True, slots=True)
class EpisodeConfig:
    """How episodes are recorded.

    Attributes:
        seconds: Length of an episode; the action under way is finished.
        cameras: Whether there are images.
        image_rate: Images of each camera per second.
        image_size: Pixels on each side.
        audio_rate: Samples per second.
        motion_rate: Poses and twists per second.
        gripper_rate: Joint states of the gripper per second.
        drift: How fast the wrench sensor drifts, N/min.
        faults: What goes wrong.
        label_faults: What goes wrong with the ground truth, except for coarse labels and phases.
        without: Parts that are left alone and verbs that are not done, see OPTIONAL.
    """

    seconds: float = 60.0
    cameras: bool = True
    image_rate: float = 15.0
    image_size: int = 224
    audio_rate: int = 16_000
    motion_rate: float = 580.0
    gripper_rate: float = 15.0
    drift: float = 0.0
    faults: tuple[Fault, ...] = ()
    label_faults: tuple[LabelFault, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ranges = {
            'seconds': (1.0, 3600.0),
            'image_rate': (1.0, 60.0),
            'image_size': (_NARROWEST, _WIDEST),
            'motion_rate': (10.0, 1000.0),
            'gripper_rate': (1.0, 1000.0),
            'drift': (-100.0, 100.0),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                msg = f'{name}: {value} cannot be simulated; expected {low:g} to {high:g}'
                raise ConfigError(msg)
        if self.audio_rate not in RATES:
            msg = f'audio_rate: {self.audio_rate} is not one of {", ".join(map(str, RATES))}'
            raise ConfigError(msg)
        if unknown := set(self.without) - set(OPTIONAL):
            msg = f'without: {sorted(unknown)[0]!r} is not one of {", ".join(OPTIONAL)}'
            raise ConfigError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return the options by name, faults as text."""
        return {
            **asdict(self),
            'faults': [str(fault) for fault in self.faults],
            'label_faults': [str(fault) for fault in self.label_faults],
            'without': list(self.without),
        }


def episode_name(seed: int) -> str:
    """Return the name of the bag of a seed."""
    return f'cell_{seed:04d}'
