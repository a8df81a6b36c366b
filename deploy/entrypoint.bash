#!/bin/bash
# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Enters the workspace of the container, and becomes the command.

source /ws/venv/bin/activate
source /ws/install/setup.bash
exec "$@"
