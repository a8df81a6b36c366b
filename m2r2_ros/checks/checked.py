# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What came of checking a recording."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from m2r2_ros.checks.finding import Finding, NotRun, Severity

#: What findings about all recordings together are listed under.
TOGETHER: Final = 'all recordings'


@dataclass(frozen=True, slots=True)
class Checked:
    """A recording that was checked; or, without a path, what was found in all of them together.

    Attributes:
        recording: Where it is.
        name: What it is called.
        start: Its first log time, nanoseconds.
        end: Its last log time, nanoseconds.
        ran: Ids of the checks that were run, of some of its topics at least.
        findings: What they found, in order of time.
        not_run: Which others were not, and why.
        seconds: What it took.
    """

    recording: Path
    name: str
    start: int
    end: int
    ran: tuple[str, ...]
    findings: tuple[Finding, ...]
    not_run: tuple[NotRun, ...]
    seconds: float = 0.0

    @property
    def together(self) -> bool:
        """It is not one recording, but what was found in all of them together."""
        return self.name == TOGETHER and self.recording == Path()

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(f.severity is severity for f in self.findings)

    def place(self, finding: Finding) -> str:
        """Return where a finding lies, in seconds from the start, such as '12.0-12.5 s'."""
        if finding.start is None or finding.end is None:
            return ''
        first, last = (
            round((t - self.start) / 1e9, 3) + 0.0  # without the sign of -0.0
            for t in (finding.start, finding.end)
        )
        return f'{first:.2f} s' if last - first < 0.01 else f'{first:.2f}-{last:.2f} s'

    def told(self, finding: Finding) -> str:
        """Return a finding as one sentence that says of what and where it is."""
        about = ' '.join(part for part in (finding.topic, self.place(finding)) if part)
        return f'{about}: {finding.message}' if about else finding.message


def told_apart(checked: Sequence[Checked]) -> list[Checked]:
    """Return recordings of which those with one name are called by where they are."""
    names = Counter(one.name for one in checked)
    return [
        replace(one, name=str(one.recording)) if names[one.name] > 1 else one for one in checked
    ]
