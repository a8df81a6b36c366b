# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the physics of the cell yields: everything that a sensor could feel, every millisecond."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Physics steps per second; every column of a trace has this rate.
STEP_RATE: Final = 1000

#: Kinds of contact: rubber finger on part, part on board, part on tray or table, latch on plug.
CONTACTS: Final = ('finger', 'board', 'tray', 'latch')


@dataclass(frozen=True, slots=True)
class Trace:
    """A piece of an episode; the next one follows without a gap.

    Attributes:
        times: (n,), seconds from the start of the episode, one every millisecond.
        wrench: (n, 6), force (N) and torque (N m) on the hand in the sensor's frame, the weight of
            the empty hand compensated.
        pose: (n, 7), x, y, z (m) and quaternion x, y, z, w of the tool centre point in the base.
        twist: (n, 6), its linear (m/s) and angular (rad/s) velocity in the base frame.
        fingers: (n, 2), distance of each finger from the middle, m.
        finger_rates: (n, 2), m/s.
        joint_rates: (n, 7), of the arm, rad/s.
        joints: (n, 7), of the arm, rad.
        efforts: (n, 8), torques of the arm's motors, N m, and the force of the gripper's, N; it
            opens the fingers where it is positive.
        contact_force: (n, 4), sum of normal forces by kind of contact (CONTACTS), N.
        contact_slip: (n, 4), mean tangential speed in these contacts, weighted by force, m/s.
    """

    times: Array
    wrench: Array
    pose: Array
    twist: Array
    fingers: Array
    finger_rates: Array
    joint_rates: Array
    joints: Array
    efforts: Array
    contact_force: Array
    contact_slip: Array

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, part: slice) -> 'Trace':
        return Trace(*(getattr(self, f.name)[part] for f in fields(self)))


def joined(traces: list[Trace]) -> Trace:
    """Return one trace of several that follow each other."""
    return Trace(*(np.concatenate([getattr(t, f.name) for t in traces]) for f in fields(Trace)))
