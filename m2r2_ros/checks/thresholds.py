# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From when on something is found wrong, as people write it down."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.recording.options import FileOptions, OffsetOptions, TimeOptions, ValueOptions
from m2r2_ros.checks.recording.watch import RecordingOptions
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import Section, read_options
from m2r2_ros.core.reading import naming

_SECTIONS: Final = {
    'file': FileOptions,
    'time': TimeOptions,
    'offset': OffsetOptions,
    'value': ValueOptions,
    'label': LabelOptions,
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds of all checks.

    Attributes:
        file: Of checks of files.
        time: Of checks of times.
        offset: Of time.content_offset.
        value: Of checks of values.
        label: Of checks of labels, those of all recordings together included.
    """

    file: FileOptions = field(default_factory=FileOptions)
    time: TimeOptions = field(default_factory=TimeOptions)
    offset: OffsetOptions = field(default_factory=OffsetOptions)
    value: ValueOptions = field(default_factory=ValueOptions)
    label: LabelOptions = field(default_factory=LabelOptions)

    @property
    def recording(self) -> RecordingOptions:
        """Those of the checks that look at messages."""
        return RecordingOptions(self.time, self.offset, self.value)


def read_thresholds(path: Path) -> Thresholds:
    """Read a YAML file with some of the sections and entries of Thresholds; others keep theirs.

    Raises:
        ConfigError: It cannot be read, or holds something else.
    """
    root = Section.read(path, f'thresholds in sections, of {", ".join(_SECTIONS)}')
    found: dict[str, Any] = {}
    for name, kind in _SECTIONS.items():
        entries = root.section(name, {}).entries
        with naming(path, ConfigError):
            found[name] = read_options(kind, entries, name)
    root.close()
    return Thresholds(**found)
