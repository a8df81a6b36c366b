# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pages that show a recording and its labels in a browser: what is in them, and their files.

`overview` reads a recording once, `lanes` its labels; both go into one `container`, which the
modules in `web` draw. One page serves to read (m2r2 report) and to correct (m2r2 review).
"""
