# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Descriptions of robots (URDF)."""

#: Two links of 1 m and 0.5 m in a plane; the second joint turns without limits.
ARM = """<robot name="arm">
  <link name="base"/><link name="upper"/><link name="lower"/><link name="tool"/><link name="lamp"/>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/>
    <axis xyz="0 0 1"/><limit lower="-3" upper="3" effort="1" velocity="1"/></joint>
  <joint name="elbow" type="continuous"><parent link="upper"/><child link="lower"/>
    <origin xyz="1 0 0"/><axis xyz="0 0 1"/></joint>
  <joint name="flange" type="fixed"><parent link="lower"/><child link="tool"/>
    <origin xyz="0.5 0 0"/></joint>
  <joint name="stand" type="fixed"><parent link="base"/><child link="lamp"/></joint>
</robot>"""
