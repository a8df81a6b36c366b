# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.readers.definitions import is_known
from m2r2_ros.readers.guessing import MODALITY_TYPES
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec


@pytest.mark.parametrize(
    ('modality', 'type_name'),
    [
        (modality, name)
        for modality, names in MODALITY_TYPES.items()
        for name in names
        if modality == 'sound' or is_known(name)
    ],
)
def test_every_type_has_a_reader(modality: str, type_name: str) -> None:
    reader = make_reader(TopicSpec(modality, '/topic', rate=16000), type_name)
    assert callable(reader.decode)


@pytest.mark.parametrize(
    ('type_name', 'words'),
    [
        ('geometry_msgs/msg/PoseStamped', '.*expected .*WrenchStamped'),
        ('my_msgs/msg/Force', ' is of type my_msgs/msg/Force, which is unknown here and came'),
        ('', ' is of type unknown, which is unknown here'),
        ('tf2_msgs/msg/TFMessage', ' has transforms; name two frames'),
    ],
)
def test_a_type_that_does_not_fit_the_modality_is_refused(type_name: str, words: str) -> None:
    with pytest.raises(M2R2Error, match=f'wrench: topic /ft{words}'):
        make_reader(TopicSpec('wrench', '/ft'), type_name)
