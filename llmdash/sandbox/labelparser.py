"""The text of a label selector to its requirements, and the API server's words for what it cannot read.

After k8s.io/apimachinery/pkg/labels/selector.go, function by function: which word is blamed depends on the order in
which it reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from llmdash.sandbox import errors, formats

TOKEN = re.compile(r"[ \t\r\n]*(!=|==|[=!(),><]|[^\s!=(),<>]+)")
SYMBOLS = frozenset({"=", "==", "!=", "!", "(", ")", ",", "<", ">"})
OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")
END = ""


@dataclass(frozen=True)
class Requirement:
    """`exists` and `!` have no values, the rest at least one."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()


def parse(written: str) -> list[Requirement]:
    """All requirements. Raises a 400."""
    return _Parser([*TOKEN.findall(written), END]).requirements()


class _Parser:
    """Reads from left to right, one word ahead. END is the word after the last, any number of times."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0

    def next(self) -> str:
        word = self.ahead
        self.at += 1
        return word

    @property
    def ahead(self) -> str:
        return self.words[min(self.at, len(self.words) - 1)]

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self.ahead != END:
            if self.ahead != "!" and not _is_name(self.ahead):
                raise errors.bad_request(f"found '{self.ahead}', expected: !, identifier, or 'end of string'")
            found.append(self.requirement())
            after = self.next()
            if after == END:
                break
            if after != ",":
                raise errors.bad_request(f"found '{after}', expected: ',' or 'end of string'")
            if self.ahead != "!" and not _is_name(self.ahead):
                raise errors.bad_request(f"found '{self.ahead}', expected: identifier after ','")
        return found

    def requirement(self) -> Requirement:
        absent = self.ahead == "!"
        if absent:
            self.next()
        key = self.next()
        if not _is_name(key):
            raise _unparsable(f"found '{key}', expected: identifier")
        if wrong := formats.qualified(key):
            raise _invalid("<nil>", key, "; ".join(wrong))
        if absent or self.ahead in (END, ","):
            return Requirement(key, "!" if absent else "exists")
        operator = self.next()
        if operator not in OPERATORS:
            raise _unparsable(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        values = self.set_of_values() if operator in ("in", "notin") else {self.value()}
        _check(key, operator, sorted(values))
        return Requirement(key, operator, frozenset(values))

    def set_of_values(self) -> set[str]:
        opening = self.next()
        if opening != "(":
            raise _unparsable(f"found '{opening}' expected: '('")
        if self.ahead == ")":
            self.next()
            return {""}
        if self.ahead != "," and not _is_name(self.ahead):
            raise _unparsable(f"found '{self.ahead}', expected: ',', ')' or identifier")
        values = self.listed()
        self.next()
        return values

    def listed(self) -> set[str]:
        """Values up to the closing bracket; nothing before, between or after commas is an empty one."""
        values: set[str] = set()
        while True:
            word = self.next()
            if _is_name(word):
                values.add(word)
                if self.ahead == ")":
                    return values
                if self.ahead != ",":
                    raise _unparsable(f"found '{self.ahead}', expected: ',' or ')'")
            elif word == ",":
                if not values or self.ahead in (",", ")"):
                    values.add("")
                if self.ahead == ")":
                    return values
            else:
                raise _unparsable(f"found '{word}', expected: ',', or identifier")

    def value(self) -> str:
        if self.ahead in (END, ","):
            return ""
        word = self.next()
        if not _is_name(word):
            raise _unparsable(f"found '{word}', expected: identifier")
        return word


def _is_name(word: str) -> bool:
    return word != END and word not in SYMBOLS


def _check(key: str, operator: str, values: list[str]) -> None:
    """Raises for values that no label can have, or that cannot be compared."""
    wrong = []
    for index, value in enumerate(values):
        if operator in (">", "<") and not re.fullmatch("[+-]?[0-9]+", value):
            wrong.append((f"values[{index}]", value, "for 'Gt', 'Lt' operators, the value must be an integer"))
    for index, value in enumerate(values):
        if told := formats.label_value(value):
            wrong.append((f"values[{index}][{key}]", value, "; ".join(told)))
    if wrong:
        told = [_told(*one) for one in wrong]
        raise _unparsable(told[0] if len(told) == 1 else f"[{', '.join(told)}]")


def _told(field: str, value: str, why: str) -> str:
    return f"{field}: Invalid value: {json.dumps(value, ensure_ascii=False)}: {why}"


def _invalid(field: str, value: str, why: str) -> errors.Refusal:
    return _unparsable(_told(field, value, why))


def _unparsable(why: str) -> errors.Refusal:
    return errors.bad_request(f"unable to parse requirement: {why}")
