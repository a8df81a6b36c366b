# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as text of XML."""

import re
from typing import Final

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.text import excerpt
from m2r2_ros.export.labelled import Labelled

#: What XML 1.0 cannot hold, and line ends, which readers of XML change.
_FORBIDDEN: Final = re.compile('[\x00-\x1f\ud800-\udfff\ufffe\uffff]')


def expect_xml(labelled: Labelled) -> None:
    """Refuse labels that XML cannot hold.

    Raises:
        LabelError: There is one.
    """
    for label in labelled.label_set.names:
        if _FORBIDDEN.search(label):
            msg = (
                f"{labelled.source}: label '{excerpt(label)}': expected no control characters, "
                'which XML cannot hold; rename it (m2r2 labels convert)'
            )
            raise LabelError(msg)
