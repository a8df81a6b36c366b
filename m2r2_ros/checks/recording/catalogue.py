# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of recordings."""

from typing import Final

from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.finding import Severity

_WARNING, _ERROR = (Severity.WARNING,), (Severity.ERROR,)
_BOTH: Final = (Severity.WARNING, Severity.ERROR)

RECORDING_CHECKS: Final = (
    CheckFacts('file.cut', 'The file ends too early, or a record in it is too short.', _ERROR),
    CheckFacts('file.chunk', 'Bytes are not what was written, as a checksum says.', _ERROR),
    CheckFacts('time.gap', 'No message came for far longer than usual.', _BOTH, 's'),
    CheckFacts('time.loss', 'Fewer messages came than usual.', _BOTH, 'Hz'),
    CheckFacts('time.order', 'A stamp is before that of the message in front.', _ERROR, 's'),
    CheckFacts(
        'time.header_skew',
        'Log times and stamps are apart, more than for other topics or than otherwise, or drift.',
        _WARNING,
        's',
    ),
    CheckFacts(
        'time.content_offset',
        'Two sensors felt the same at different times by their stamps.',
        _BOTH,
        's',
    ),
    CheckFacts('value.finite', 'A number is NaN or infinite.', _ERROR),
    CheckFacts('value.clip', 'A sensor stays exactly at its limit, again and again.', _WARNING),
    CheckFacts(
        'value.frozen', 'A sensor says exactly the same although it ought to move.', _WARNING, 's'
    ),
)
