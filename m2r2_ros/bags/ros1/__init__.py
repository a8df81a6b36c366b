# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags, opened as recordings: their messages become CDR as they are read.

`index` finds connections and chunks, `chunks` unpacks one, `types` converts messages.
"""
