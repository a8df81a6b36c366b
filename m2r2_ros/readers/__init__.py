# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One small reader for each message type: from CDR bytes or message objects to samples."""
