# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one error family: what users can fix, with the way to do it."""

from typing import Final

from m2r2_ros.core.text import excerpt

#: Characters of a line: names in files may be of any length.
_LONGEST: Final = 2000


class M2R2Error(Exception):
    """Something in the input or the configuration is wrong.

    The message names the file, topic, type or field, what was expected and the way out. The
    command line prints it without a traceback and ends with exit code 2. Arguments after the first
    are lines of their own, for errors about one of many. Names in it come from files and messages:
    what a terminal would act on is escaped.
    """

    def __str__(self) -> str:
        return '\n  '.join(excerpt(str(line), _LONGEST) for line in self.args)


class BagError(M2R2Error):
    """A recording cannot be opened, read or written."""


class OutputError(M2R2Error):
    """An output cannot be written, or another run is writing it."""


class MessageError(M2R2Error):
    """A message type has no reader, or a message does not hold what its type promises."""


class ConfigError(M2R2Error):
    """A YAML file, an import specification or an option is wrong."""


class BundleError(M2R2Error):
    """A model bundle is missing, incomplete, edited or does not fit."""


class LabelError(M2R2Error):
    """Labels or ground truth are missing, or do not fit each other."""


class NoTruthError(LabelError):
    """A recording has no ground truth, so that nothing can be learnt from it or scored by it."""


class DiscoveryError(M2R2Error):
    """Recordings do not hold what it takes to segment or to cluster them without labels."""


class SimulationError(M2R2Error):
    """An episode of the simulated cell cannot be finished."""
