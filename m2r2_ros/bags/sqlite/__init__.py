# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in sqlite3, the older storage of rosbag2.

`source` reads pages of messages in order of time, from a database opened read-only.
"""
