# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From when on something about labels is found wrong."""

from dataclasses import dataclass

from m2r2_ros.core.options import above, between, check_options


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """Thresholds of the checks of labels; times in seconds.

    Attributes:
        unlabelled: Share of a recording without a label that is still good.
        shortest: Duration under which a segment is too short, whatever others are like.
        duration_tail: Share of the reference's durations, at each end, that is unusual.
        duration_slack: Factor beyond these that is still good: rare things happen.
        least_durations: Segments of a class in the reference before durations are judged.
        rare_transition: How likely a transition that the reference never has may be and still be
            wrong, as a share of the chance that any label has.
        frame: Period of a camera where the recording has none.
        drift_warning: Distance of edges from events, beyond the usual one, that is a warning.
        drift_error: One that is an error.
        least_edges: Edges of a class before their distance is judged.
        drift_margin: How much better events have to fit at the distance found than elsewhere, in
            natural logarithms of likelihood.
        expected: Share of a class's segments that have an event, by the reference, from which on
            one without it is wrong.
        unexpected: Share up to which one with it is wrong.
        least_events: Segments of a class in the reference before events are expected.
        reach: An event so long before or after a segment is still one of it.
        kappa: Agreement of frames with another layer, under which the two differ.
        boundary: Median distance of edges from those of another layer, over which they differ.
        confident: Confidence from which on a model is sure.
        blind_seconds: For how long a model may be sure without a sensor.
        least_segments: Segments of a class over all recordings, under which it is rare.
    """

    unlabelled: float = between(0.01, 0, 1)
    shortest: float = between(0.3, 0, 3600)
    duration_tail: float = between(0.01, 0, 0.4)
    duration_slack: float = between(1.5, 1, 100)
    least_durations: int = between(20, 2, 10**6)
    rare_transition: float = between(0.03, 0, 1)
    frame: float = above(1 / 30, 0, 10)
    drift_warning: float = above(0.2, 0, 2)
    drift_error: float = above(0.5, 0, 2)
    least_edges: int = between(5, 1, 10**6)
    drift_margin: float = between(15.0, 0, 1e6)
    expected: float = above(0.98, 0.5, 1)
    unexpected: float = between(0.05, 0, 0.5)
    least_events: int = between(20, 1, 10**6)
    reach: float = between(0.3, 0, 10)
    kappa: float = between(0.8, -1, 1)
    boundary: float = between(0.3, 0, 3600)
    confident: float = between(0.8, 0, 1)
    blind_seconds: float = between(1.0, 0, 3600)
    least_segments: int = between(5, 1, 10**6)

    def __post_init__(self) -> None:
        check_options(self, 'labels')
