"""`python -m tests.bench [ROW …]`: measure, print, and write docs/benchmarks.md when every row was measured."""

import sys
import time
from pathlib import Path

from tests.bench import live, pages, reads, rest, starts, work
from tests.bench.table import ROWS, page
from tests.bench.world import begun

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
MODULES = [starts, work, reads, pages, rest, live]  # in this order: work makes the deployments that others look at


def main(wanted: list[str]) -> int:
    """0 when every row reaches what it must."""
    order = [module.__name__ for module in MODULES]
    ROWS.sort(key=lambda one: (one.key == "recheck", order.index(one.measure.__module__)))
    known = [one.key for one in ROWS]
    if unknown := set(wanted) - set(known):
        print(f"no such row: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    rows = [one for one in ROWS if not wanted or one.key in wanted]
    with begun() as world:
        for one in rows:
            began = time.monotonic()
            one.measure(one, world)
            print(f"{time.monotonic() - began:6.0f} s  ", " | ".join(one.cells()[:-1]), flush=True)
    if not wanted:
        PAGE.write_text(page(rows), encoding="utf-8")
    return int(any(one.verdict == "MISSED" for one in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
