"""Kubernetes quantities such as 500m, 16Gi or 1e3. Pure.

The official client's parser is not used: pure modules may not import `kubernetes`, and it refuses the exponent
form that the API server accepts.
"""

import re
from decimal import Decimal

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
QUANTITY = re.compile(
    r"(?P<number>\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,2})?",
    re.ASCII,
)
BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
SI = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal("1e3")} | {
    letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)
}
MULTIPLES = BINARY | SI | {"": Decimal(1)}


def parse(text: str) -> Decimal:
    """The value in cores or bytes. Raises ValueError with a sentence for people."""
    found = QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a quantity such as 500m, 2 or 16Gi")
    number, suffix = Decimal(found["number"]), found["suffix"] or ""
    if suffix in MULTIPLES:
        return number * MULTIPLES[suffix]
    return number * Decimal(10) ** int(suffix[1:])
