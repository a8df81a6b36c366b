# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cell's robot: seven joints, a wrist sensor and a parallel gripper, of primitive shapes.

Link lengths are those of the Franka Emika Panda, so that its workspace is familiar; everything
else is kept simple. The links do not collide with each other, the hand and the fingers do.
"""

from typing import Any, Final

import mujoco

#: Joint angles above the middle of the table, the tool pointing down, rad.
HOME: Final = (0.0, -0.10, 0.0, -2.30, 0.0, 2.20, 0.785)
#: Largest distance of a finger from the middle, m.
STROKE: Final = 0.025
#: Largest force of the gripper, N.
GRIP_FORCE: Final = 30.0
#: From the flange to the tool centre point between the fingertips, m.
TOOL_LENGTH: Final = 0.135
#: Where the flange is in the last link, the hand's orientation on it (w first), and how far along
#: the hand the fingers begin, m.
FLANGE: Final = (0.0, 0.0, 0.107)
HAND_TURN: Final = (0.9238795, 0.0, 0.0, -0.3826834)
KNUCKLES: Final = 0.06

#: Position and orientation of each link in the one before, its mass, and the end of its capsule.
LINKS: Final = (
    ((0, 0, 0.333), (1, 0, 0, 0), 3.5, (0, -0.08, 0)),
    ((0, 0, 0), (1, -1, 0, 0), 3.5, (0, -0.20, 0)),
    ((0, -0.316, 0), (1, 1, 0, 0), 3.0, (0.0825, 0, 0)),
    ((0.0825, 0, 0), (1, 1, 0, 0), 2.5, (-0.0825, 0.18, 0)),
    ((-0.0825, 0.384, 0), (1, -1, 0, 0), 2.0, (0, 0, -0.18)),
    ((0, 0, 0), (1, 1, 0, 0), 1.5, (0.088, 0, 0)),
    ((0.088, 0, 0), (1, 1, 0, 0), 0.7, (0, 0, 0.09)),
)
#: Of each joint, rad, and its largest torque, N m.
RANGES: Final = (
    (-2.9, 2.9), (-1.76, 1.76), (-2.9, 2.9), (-3.07, -0.07), (-2.9, 2.9), (0.0, 3.75), (-2.9, 2.9)
)  # fmt: skip
TORQUES: Final = (87, 87, 87, 87, 12, 12, 12)
WHITE, GREY, DARK = (0.86, 0.87, 0.88, 1), (0.45, 0.47, 0.50, 1), (0.12, 0.12, 0.13, 1)
#: Numbers in MuJoCo's array of measurements: force, torque and orientation (w first) of the wrist;
#: position, orientation, linear and angular velocity of the tool; fingers, and rates of all joints;
#: joint angles, and what the motors do.
SENSORS: Final = (3, 3, 4, 3, 4, 3, 3, 2, 2, 7, 7, 8)
_UNSEEN: Final = {'contype': 0, 'conaffinity': 0}


def add_arm(spec: Any, friction: float) -> None:  # noqa: ANN401 - mujoco has no types
    """Add the robot to a scene, its base at the origin.

    Args:
        spec: The scene, an MjSpec.
        friction: Coefficient of the finger pads.
    """
    body = spec.worldbody
    _capsule(body, (0, 0, 0.28), 0.07, GREY)
    for k, (position, quaternion, mass, end) in enumerate(LINKS):
        body = body.add_body(name=f'link{k + 1}', pos=position, quat=quaternion)
        body.add_joint(
            name=f'joint{k + 1}', axis=(0, 0, 1), range=RANGES[k], armature=0.1, damping=1.0
        )
        _capsule(body, end, radius_of(k), WHITE if k % 2 == 0 else GREY, mass)
    hand = body.add_body(name='hand', pos=FLANGE, quat=HAND_TURN)
    box = mujoco.mjtGeom.mjGEOM_BOX
    hand.add_geom(type=box, size=(0.030, 0.045, 0.030), pos=(0, 0, 0.03), mass=0.6, rgba=DARK)
    hand.add_site(name='wrist', group=5)
    hand.add_site(name='tool', pos=(0, 0, TOOL_LENGTH), group=5)
    for side, name in ((1, 'finger_left'), (-1, 'finger_right')):
        _add_finger(hand, name, side, friction)
    _add_drives(spec)
    _add_sensors(spec)


def radius_of(link: int) -> float:
    """Return the radius of a link's capsule, m."""
    return 0.058 if link < 4 else 0.045


def _add_finger(hand: Any, name: str, side: int, friction: float) -> None:  # noqa: ANN401
    finger = hand.add_body(name=name, pos=(0, 0, KNUCKLES))
    finger.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=(0, side, 0),
        range=(0.0, STROKE),
        armature=0.05,
        damping=8.0,
    )
    box = mujoco.mjtGeom.mjGEOM_BOX
    finger.add_geom(
        type=box, size=(0.010, 0.004, 0.028), pos=(0, side * 0.0065, 0.030), mass=0.05, rgba=GREY
    )
    # The pad's inner face is where the joint is at zero.
    finger.add_geom(
        name=f'{name}_pad',
        type=box,
        size=(0.009, 0.004, 0.011),
        pos=(0, side * 0.004, TOOL_LENGTH - KNUCKLES),
        mass=0.02,
        rgba=DARK,
        friction=(friction, 0.02, 0.0002),
    )


def _add_drives(spec: Any) -> None:  # noqa: ANN401
    for k, limit in enumerate(TORQUES):
        drive = spec.add_actuator(
            name=f'joint{k + 1}',
            target=f'joint{k + 1}',
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            ctrllimited=True,
            ctrlrange=(-limit, limit),
        )
        drive.set_to_motor()
    grip = spec.add_actuator(
        name='gripper',
        target='finger_left',
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        ctrllimited=True,
        ctrlrange=(-2 * GRIP_FORCE, 2 * GRIP_FORCE),
    )
    grip.set_to_motor()
    # One motor moves both fingers.
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_JOINT,
        name1='finger_left',
        name2='finger_right',
        data=(0, 1, *10 * (0,)),
        solref=(0.004, 1),
    )


def _add_sensors(spec: Any) -> None:  # noqa: ANN401
    """Add sensors in the order of SENSORS, so that one array holds everything that is measured."""
    sensor, site = mujoco.mjtSensor, mujoco.mjtObj.mjOBJ_SITE
    of_site = (
        (sensor.mjSENS_FORCE, 'wrist'),
        (sensor.mjSENS_TORQUE, 'wrist'),
        (sensor.mjSENS_FRAMEQUAT, 'wrist'),
        (sensor.mjSENS_FRAMEPOS, 'tool'),
        (sensor.mjSENS_FRAMEQUAT, 'tool'),
        (sensor.mjSENS_FRAMELINVEL, 'tool'),
        (sensor.mjSENS_FRAMEANGVEL, 'tool'),
    )
    for kind, name in of_site:
        spec.add_sensor(type=kind, objtype=site, objname=name)
    fingers, joints = ('finger_left', 'finger_right'), [f'joint{k}' for k in range(1, 8)]
    of_joints = (
        (sensor.mjSENS_JOINTPOS, fingers),
        (sensor.mjSENS_JOINTVEL, (*fingers, *joints)),
        (sensor.mjSENS_JOINTPOS, joints),
    )
    for kind, names in of_joints:
        for name in names:
            spec.add_sensor(type=kind, objtype=mujoco.mjtObj.mjOBJ_JOINT, objname=name)
    for name in (*joints, 'gripper'):
        spec.add_sensor(
            type=sensor.mjSENS_ACTUATORFRC, objtype=mujoco.mjtObj.mjOBJ_ACTUATOR, objname=name
        )


def _capsule(
    body: Any,  # noqa: ANN401
    end: tuple[float, float, float],
    radius: float,
    colour: tuple[float, float, float, float],
    mass: float = 0.0,
) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=(0, 0, 0, *end),
        size=(radius, 0, 0),
        rgba=colour,
        mass=mass,
        **_UNSEEN,
    )
