"""What nobody may ask for any more, though a spec may hold it: more than this installation allows, amounts that no node
has, and whatever rule came after the first revisions. Pure.

They hold when somebody asks for something. A revision that was made before stays readable: `spec.py` reads it.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from deployments import quantity
from deployments.spec import Problem

MOST_CORES, LEAST_CORES = "10k", "1m"  # a thousandth of a core is the least that Kubernetes takes
# With fewer bytes nothing starts: it is a mistaken suffix, such as the m of thousandths.
MOST_BYTES, LEAST_BYTES = "64Ti", "1Mi"
LEAST_CONTEXT = 128  # tokens: with fewer there is no room for a question and its answer
QUANTITIES = {
    **dict.fromkeys(("cpu_request", "cpu_limit"), (LEAST_CORES, MOST_CORES, "cores")),
    **dict.fromkeys(("memory_request", "memory_limit", "shared_memory"), (LEAST_BYTES, MOST_BYTES, "bytes")),
}


def problems(given: Mapping[str, Any], limits: Mapping[str, int], kept: Mapping[str, Any]) -> list[Problem]:
    """What is out of bounds, in the shape of `spec.problems`. `given` may be no spec yet; `limits` are those of whole
    numbers; what `kept` has, too, may stay as it is."""
    new = {name: value for name, value in given.items() if kept.get(name) != value}
    found = [*numbers(new, limits), *quantities(new), *context(new), *ports(new)]
    if new.keys() & {"shared_memory", "memory_limit"}:
        found += together(given)
    return [((name,), text) for name, text in found]


def numbers(given: Mapping[str, Any], limits: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Whole numbers beyond what this installation sets."""
    for name, most in limits.items():
        value = given.get(name)
        if type(value) is int and value > most:
            yield name, f"Must be {most} or less here."


def quantities(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """CPU and memory."""
    for name, (least, most, unit) in QUANTITIES.items():
        value = amount(given.get(name))
        if value and value < quantity.parse(least):
            yield name, f"Is less than {least}; without a suffix it is a number of {unit}."
        elif value and value > quantity.parse(most):
            yield name, f"Is more than {most}, which no node has."


def context(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How many tokens one request may hold."""
    value = given.get("context_length")
    if type(value) is int and 0 < value < LEAST_CONTEXT:
        yield "context_length", f"Must be {LEAST_CONTEXT} or more."


def together(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Shared memory counts as memory of the container."""
    shared, most = amount(given.get("shared_memory")), amount(given.get("memory_limit"))
    if shared and most and shared > most:
        yield "shared_memory", f"Is more than the memory limit of {given['memory_limit']}, which includes it."


def ports(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """That of an image's registry."""
    image = given.get("image")
    named = re.match(r"[^/]*:([0-9]{1,5})/", image) if isinstance(image, str) else None
    if named and not 0 < int(named[1]) < 65_536:
        yield "image", f"{named[1]} is no port."


def amount(text: Any) -> Decimal | None:
    """A quantity; None for what is none, which the spec tells."""
    try:
        return quantity.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
