# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that lie in object stores, and results that are put there whole and once.

Which module does what:

- `places`: a path or a URL as the user wrote it becomes a Path or, for URLs, a UPath.
- `access`: the file systems behind URLs, with few retries, and their errors made ours.
- `listing`: the files under a prefix, in one listing.
- `ranges`: bytes of one file, as it was when it was opened.
- `file`: the same as a binary file, for the index of a recording.
- `ahead`: chunks that are fetched before they are asked for.
- `content`: both, as the reader of MCAP wants them.
- `local_copy`: formats that cannot be read by ranges, copied for as long as they are needed.
- `opening`: recordings found and opened.
- `stores`, `folder_store`, `object_store`: results of many workers; `layout` and `names` say how
  they lie there and what they may be called.
"""
