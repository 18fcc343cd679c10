"""What a process weighs from outside, as the system tells it: processor, memory, files, threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """One look at a process. Linux only."""

    at: float
    cpu_s: float
    rss_mb: float
    files: int
    """Open handles: sockets count as files do."""
    threads: int


def weigh(pid: int | str = "self") -> Weight:
    folder = Path("/proc") / str(pid)
    # The name in the second field may hold anything, blanks too.
    fields = (folder / "stat").read_text().rpartition(") ")[2].split()
    lines = (folder / "status").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    return Weight(
        at=monotonic(),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
        rss_mb=int(facts["VmRSS"].split()[0]) / 1024,
        files=sum(1 for _ in (folder / "fd").iterdir()),
        threads=int(facts["Threads"]),
    )


def share_of_a_core(first: Weight, last: Weight) -> float:
    """CPU seconds per second between two looks."""
    return (last.cpu_s - first.cpu_s) / max(1e-9, last.at - first.at)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def quarters(values: Sequence[float]) -> tuple[float, float, float, float]:
    """The median of each quarter, in order of time: what is flat has four that are alike."""
    size = max(1, len(values) // 4)
    first, second, third = (median(values[i * size : (i + 1) * size]) for i in range(3))
    return first, second, third, median(values[3 * size :] or values[-1:])
