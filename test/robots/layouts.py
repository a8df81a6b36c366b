# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the drivers' own message types look like on the wire, and the hashes that prove it.

A type's RIHS01 hash is made of the names and types of its fields, those of nested messages
included, and of nothing else. It is what a driver puts into discovery and into recordings.
`GENUINE` has the hashes of the drivers' definitions; a layout that differs in any field has another
one.
"""

from functools import cache

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

#: Of franka_ros2 1.0 to 3.4 and its jazzy branch, of xarm_ros2, and of ur_msgs 2.
GENUINE = {
    'franka_msgs/msg/FrankaRobotState': (
        'RIHS01_fd225b337bab54d06047858c866442b98e3a882a4717cefc6ddd783fcbf17332'
    ),
    'ur_msgs/msg/ToolDataMsg': (
        'RIHS01_b9fab3f6257c542e53779892ad0e511248ea491ac6327e8a7f0a67cad02090c4'
    ),
    'xarm_msgs/msg/RobotMsg': (
        'RIHS01_fdb17c24941fbbe2773b899604de978780d6c9f72bda695f87bb1dce26b9cd49'
    ),
}

_AXES = ('linear_collision', 'angular_collision', 'linear_contact', 'angular_contact')
_ERRORS = [
    'joint_position_limits_violation',
    'cartesian_position_limits_violation',
    'self_collision_avoidance_violation',
    'joint_velocity_violation',
    'cartesian_velocity_violation',
    'force_control_safety_violation',
    'joint_reflex',
    'cartesian_reflex',
    'max_goal_pose_deviation_violation',
    'max_path_pose_deviation_violation',
    'cartesian_velocity_profile_safety_violation',
    'joint_position_motion_generator_start_pose_invalid',
    'joint_motion_generator_position_limits_violation',
    'joint_motion_generator_velocity_limits_violation',
    'joint_motion_generator_velocity_discontinuity',
    'joint_motion_generator_acceleration_discontinuity',
    'cartesian_position_motion_generator_start_pose_invalid',
    'cartesian_motion_generator_elbow_limit_violation',
    'cartesian_motion_generator_velocity_limits_violation',
    'cartesian_motion_generator_velocity_discontinuity',
    'cartesian_motion_generator_acceleration_discontinuity',
    'cartesian_motion_generator_elbow_sign_inconsistent',
    'cartesian_motion_generator_start_elbow_invalid',
    'cartesian_motion_generator_joint_position_limits_violation',
    'cartesian_motion_generator_joint_velocity_limits_violation',
    'cartesian_motion_generator_joint_velocity_discontinuity',
    'cartesian_motion_generator_joint_acceleration_discontinuity',
    'cartesian_position_motion_generator_invalid_frame',
    'force_controller_desired_force_tolerance_violation',
    'controller_torque_discontinuity',
    'start_elbow_sign_inconsistent',
    'communication_constraints_violation',
    'power_limit_violation',
    'joint_p2p_insufficient_torque_for_planning',
    'tau_j_range_violation',
    'instability_detected',
]

#: Fields by type, in order: the type of a field and the names of those that follow each other.
LAYOUTS: dict[str, list[tuple[str, list[str]]]] = {
    'franka_msgs/msg/CollisionIndicators': [
        ('geometry_msgs/Vector3', [f'is_cartesian_{axes}' for axes in _AXES]),
        ('float64[7]', ['is_joint_collision', 'is_joint_contact']),
    ],
    'franka_msgs/msg/Elbow': [
        ('float64[2]', ['position', 'desired_position', 'commanded_position']),
        ('float64[2]', ['commanded_velocity', 'commanded_acceleration']),
    ],
    'franka_msgs/msg/Errors': [('bool', _ERRORS)],
    'franka_msgs/msg/FrankaRobotState': [
        ('std_msgs/Header', ['header']),
        ('franka_msgs/CollisionIndicators', ['collision_indicators']),
        ('sensor_msgs/JointState', ['measured_joint_state', 'desired_joint_state']),
        ('sensor_msgs/JointState', ['measured_joint_motor_state']),
        ('float64[7]', ['ddq_d', 'dtau_j']),
        ('sensor_msgs/JointState', ['tau_ext_hat_filtered']),
        ('franka_msgs/Elbow', ['elbow']),
        ('geometry_msgs/WrenchStamped', ['k_f_ext_hat_k', 'o_f_ext_hat_k']),
        ('geometry_msgs/InertiaStamped', ['inertia_ee', 'inertia_load', 'inertia_total']),
        ('geometry_msgs/PoseStamped', ['o_t_ee', 'o_t_ee_d', 'o_t_ee_c', 'f_t_ee', 'ee_t_k']),
        ('geometry_msgs/TwistStamped', ['o_dp_ee_d', 'o_dp_ee_c']),
        ('geometry_msgs/AccelStamped', ['o_ddp_ee_c']),
        ('float64', ['time', 'control_command_success_rate']),
        ('uint8', ['robot_mode']),
        ('franka_msgs/Errors', ['current_errors', 'last_motion_errors']),
    ],
    'ur_msgs/msg/ToolDataMsg': [
        ('int8', ['analog_input_range2', 'analog_input_range3']),
        ('float64', ['analog_input2', 'analog_input3']),
        ('float32', ['tool_voltage_48v']),
        ('uint8', ['tool_output_voltage']),
        ('float32', ['tool_current', 'tool_temperature']),
        ('uint8', ['tool_mode']),
    ],
    'xarm_msgs/msg/RobotMsg': [
        ('std_msgs/Header', ['header']),
        ('int16', ['state', 'mode', 'cmdnum', 'mt_brake', 'mt_able', 'err', 'warn']),
        ('float32[]', ['angle']),
        ('float32[6]', ['pose', 'offset']),
    ],
    # Of ros-drivers/audio_common, which has been ported to ROS 2 under the same name.
    'audio_common_msgs/msg/AudioData': [('uint8[]', ['data'])],
}


@cache
def store() -> Typestore:
    """Return the types of ROS 2 Jazzy and of the drivers. Shared: do not register more in it."""
    types = get_typestore(Stores.ROS2_JAZZY)
    for name, fields in LAYOUTS.items():
        lines = [f'{kind} {field}' for kind, names in fields for field in names]
        types.register(get_types_from_msg('\n'.join(lines), name))
    return types


def definition(type_name: str) -> str:
    """Return the full ros2msg text of a type, as a recording has it."""
    return store().generate_msgdef(type_name, ros_version=2)[0]
