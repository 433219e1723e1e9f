"""Kubernetes quantities: parsed to exact numbers, and written canonically as the API server answers them.

After k8s.io/apimachinery/pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_NUMBER = re.compile(r"^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(.*)$")
BINARY = {name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
DECIMAL = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12, "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
}  # fmt: skip
_EXPONENT = re.compile(r"^[eE][+-]?[0-9]+$")


class QuantityError(ValueError):
    """What the API server says of something that is no quantity."""

    def __init__(self) -> None:
        super().__init__(f"quantities must match the regular expression '{PATTERN}'")


@lru_cache(maxsize=4096)
def _split(written: str) -> tuple[Decimal, str]:
    found = _NUMBER.match(written.strip())
    if not found:
        raise QuantityError
    number, suffix = Decimal(found[1]), found[2]
    if suffix in BINARY:
        return number * BINARY[suffix], "binary"
    if suffix in DECIMAL:
        return number * DECIMAL[suffix], "decimal"
    if _EXPONENT.match(suffix):
        return Decimal(found[1] + suffix), "exponent"
    raise QuantityError


def parse(written: Any) -> Decimal:
    """The number that a quantity stands for. Raises QuantityError.

    >>> parse("1.5Gi"), parse("250m")
    (Decimal('1610612736.0'), Decimal('0.250'))
    """
    return _split(str(written))[0]


def canonical(written: Any) -> str:
    """The way in which the API server writes it: no fraction, and as large a suffix as that allows.

    >>> canonical("0.5"), canonical("1024Mi"), canonical(2), canonical("1000m"), canonical("512")
    ('500m', '1Gi', '2', '1', '512')
    """
    value, kind = _split(str(written))
    value = value.quantize(Decimal("1e-9"), rounding=ROUND_CEILING) if value != value.to_integral() else value
    if value == 0:
        return "0"
    if kind == "binary" and abs(value) >= 1024 and value == value.to_integral():
        return _with(value, [("", Decimal(1)), *BINARY.items()])
    if kind == "exponent":
        return _exponent(value)
    return _with(value, list(DECIMAL.items()))


def _with(value: Decimal, suffixes: list[tuple[str, Decimal]]) -> str:
    for name, size in reversed(suffixes):
        if value % size == 0:
            return f"{int(value / size)}{name}"
    return str(value)


def _exponent(value: Decimal) -> str:
    power = 0
    while value % Decimal(1000) == 0:
        value, power = value / 1000, power + 3
    return f"{int(value)}e{power}" if power else _with(value, list(DECIMAL.items()))


def total(*written: Any) -> str:
    """The sum, canonical, in the notation of the first that is not zero.

    >>> total("0", "1Gi", "1Gi"), total("500m", "1")
    ('2Gi', '1500m')
    """
    value = sum((parse(one) for one in written), Decimal(0))
    if value == 0:
        return "0"
    kind = next(_split(str(one))[1] for one in written if parse(one))
    if kind == "binary" and abs(value) >= 1024 and value == value.to_integral():
        return _with(value, [("", Decimal(1)), *BINARY.items()])
    return _exponent(value) if kind == "exponent" else _with(value, list(DECIMAL.items()))
