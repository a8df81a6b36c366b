# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What looks at a recording while it is read, which happens once for all checks."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.finding import Result
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples


class Observer:
    """Sees every message of a recording, in the order of their log times, and then judges."""

    #: Ids of the checks whose results it gives.
    checks: tuple[str, ...] = ()

    def messages(self, block: MessageBlock, stamps: NDArray[np.int64] | None) -> None:
        """Take the next messages of a topic.

        Args:
            block: The messages.
            stamps: int64 (n,), what they say themselves of their time, nanoseconds; None where
                their type has no stamp.
        """

    def samples(self, name: str, samples: Samples) -> None:
        """Take the next samples of a sensor.

        Args:
            name: Name of the modality or the sensor, such as 'wrench'.
            samples: Its samples; pixels are not decoded.
        """

    def finish(self) -> Iterable[Result]:
        """Return what was found, once everything was seen."""
        return ()
