"""A benchmark's rows: ratios of one run, with what they must reach."""

import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.world import World

ROUNDS = 7


@dataclass
class Row:
    """One measurement: `ratios` of A to B in turn, and `said`, the medians behind them in words. `least` rows are
    better when they are greater. `limit` says what holds it back now."""

    key: str
    what: str
    must: float
    aim: float
    measure: "Callable[[Row, World], None]"
    least: bool = False
    ratios: list[float] = field(default_factory=list)
    said: str = ""
    limit: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """Whether it reaches what it must, and what it aims at."""

        def reaches(bound: float) -> bool:
            return self.median >= bound if self.least else self.median <= bound

        return "aim" if reaches(self.aim) else "must" if reaches(self.must) else "MISSED"

    def cells(self) -> list[str]:
        """What, must, aim, median with range, verdict, and the absolute numbers."""
        spread = f"{figure(self.median)} ({figure(min(self.ratios))} to {figure(max(self.ratios))})"
        sign = "≥ " if self.least else "≤ "
        return [self.what, sign + figure(self.must), sign + figure(self.aim), spread, self.verdict, self.said, self.key]


ROWS: list[Row] = []


def row(
    key: str, what: str, *, must: float, aim: float, least: bool = False, limit: str = ""
) -> "Callable[[Callable[[Row, World], None]], Callable[[Row, World], None]]":
    """Register a measurement, which fills in the row's `ratios` and `said`."""

    def register(measure: "Callable[[Row, World], None]") -> "Callable[[Row, World], None]":
        ROWS.append(Row(key, what, must, aim, measure, least, limit=limit))
        return measure

    return register


def figure(value: float) -> str:
    """A number as people write it: a small ratio as a fraction."""
    if (value == int(value) and abs(value) >= 1) or value == 0:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.0f}"
    return f"1/{1 / value:.0f}" if 0 < value < 0.15 else f"{value:.2f}"


def page(rows: list[Row]) -> str:
    """docs/benchmarks.md."""
    head = ["What", "Must", "Aim", "Measured", "Reaches", "In figures", "Alone: `make bench ROWS=…`"]
    lines = [" | ".join(head), " | ".join(["---"] * len(head)), *(" | ".join(one.cells()) for one in rows)]
    table = "\n".join(f"| {line} |" for line in lines)
    limits = "\n".join(f"- **{one.what}**: {one.limit}" for one in rows if one.limit)
    return TEXT.format(machine=machine(), date=time.strftime("%Y-%m-%d"), rounds=ROUNDS, table=table, limits=limits)


def machine() -> str:
    """Where this was measured."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{cores} cores of {cpu}, Python {platform.python_version()}"


TEXT = """# Benchmarks

Measured on {date} by `make bench` on {machine}: a real kube-apiserver with etcd, 1,000 deployments and 10,000 pods
without nodes, PostgreSQL, Redis, one web process, two workers and a watcher, all on the same cores. A row compares two
things that were measured in turn, {rounds} times unless it says otherwise; the median counts, with the range behind it.
Absolute figures say more of the machine than of llmdash.

{table}

## What limits them now

{limits}
"""
