# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of clusters: one file, whatever names, numbers and images come in."""

import re
from pathlib import Path

import numpy as np

from m2r2_ros.views.clusters import ClusterView, Member, write_clusters

PROFILE = np.column_stack([np.linspace(0, 1, 32), np.full(32, np.nan)]).astype(np.float32)


def test_page_shows_each_cluster(tmp_path: Path) -> None:
    image = np.full((60, 80, 3), (200, 30, 30), np.uint8)
    members = [Member('one', 1.5, 2.0, PROFILE, [image, image]), Member('two', 3.0, 4.0, PROFILE)]
    views = [ClusterView('cluster_01', members, 'heuristics say: grasp 80 %')]
    write_clusters(tmp_path / 'page.html', views, ['speed (m/s)', 'force (N)'], ['2 segments'])
    page = (tmp_path / 'page.html').read_text()
    assert '2 segments in 2 recordings, 3.0 s' in page
    assert 'one at 1.5 s, two at 3.0 s' in page
    assert 'grasp 80 %' in page
    assert page.count('<svg') == 2
    assert page.count('data:image/jpeg;base64,') == 2
    # One line for each segment and the median of the signal that there is; none of the other.
    assert page.count('<polyline') == 3
    assert 'nan' not in page.lower().replace('names', '')
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script>'
    views = [ClusterView(evil, [Member(evil, 0.0, 1.0, PROFILE)], evil)]
    write_clusters(tmp_path / 'page.html', views, [evil, evil], [evil])
    page = (tmp_path / 'page.html').read_text()
    assert '<script>alert' not in page
    assert page.count('<script>') == 1
