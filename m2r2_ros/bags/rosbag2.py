# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What rosbag2, and we, call the files of a bag and what is said of them."""

from typing import Final

#: What makes all files of a folder one recording.
METADATA: Final = 'metadata.yaml'
#: Its one entry.
INFORMATION: Final = 'rosbag2_bagfile_information'
#: The entry of custom_data in it that says what is wrong with a bag that a repair made.
REPAIR: Final = 'm2r2_ros.repair'
#: What ends the name of the folder with the annotation layers of a recording.
ANNOTATIONS: Final = '_annotations'
