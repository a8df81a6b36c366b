# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which texts can be the path of a file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.checks import file_path


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('a' * 256, 'name of more than 255 bytes'),
        ('ä' * 128, 'name of more than 255 bytes'),
        ('/a' * 3000, 'more than 4095 bytes'),
        ('a\0b', 'zero byte'),
        ('~nobody_is_called_that', 'user who is not known'),
        ('\ud800', 'is not text'),
    ],
)
def test_what_cannot_be_a_file_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f'^model: .* {why}.*; expected the path') as refused:
        file_path(text, 'model')
    assert len(str(refused.value)) < 300


@given(st.text())
def test_whatever_is_accepted_can_be_looked_for(text: str) -> None:
    try:
        path = file_path(text, 'path')
    except ConfigError:
        return
    path.exists()
    assert file_path('~', 'path') == Path.home()
