# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics the visualizer takes."""

from m2r2_ros.nodes.visualizer.topics import choose_topics
from m2r2_ros.readers.guessing import guess_topics

CAMERA, POSE = 'sensor_msgs/msg/CompressedImage', 'geometry_msgs/msg/PoseStamped'


def test_topics_are_found_in_the_namespace_and_never_our_own() -> None:
    available = {
        '/visualizer/image/compressed': CAMERA,
        '/cameras/front/image_raw/compressed': CAMERA,
        '/robot/pose': POSE,
        '/robot/wrench': 'geometry_msgs/msg/WrenchStamped',
    }
    wanted = {'pose': '', 'image': ''}
    own = {'/visualizer/image/compressed'}
    chosen = choose_topics(available, wanted, '/', own)
    assert {m: s.topic for m, s in chosen.items()} == {
        'pose': '/robot/pose',
        'image': '/cameras/front/image_raw/compressed',
    }
    inside = choose_topics(available, wanted, '/robot', own)
    assert {m: s.topic for m, s in inside.items()} == {'pose': '/robot/pose'}
    given = choose_topics(available, {'pose': '/elsewhere', 'image': ''}, '/robot', own)
    assert (given['pose'].topic, given['pose'].type) == ('/elsewhere', '')
    # Nor does a segmenter take our image for a camera's.
    assert not guess_topics({'/visualizer/image/compressed': CAMERA}, {})
