"""How names, keys and numbers have to look, in the API server's words: each test gives what is wrong, [] when nothing.

After k8s.io/apimachinery/pkg/api/validate/content and pkg/util/validation.
"""

from __future__ import annotations

import re

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
CONFIG_KEY = "[-._a-zA-Z0-9]+"
HEADER = "[-A-Za-z0-9]+"
PERCENT = "[0-9]+%"
CONSISTS = "consist of alphanumeric characters, '-', '_' or '.'"
ENDS = "and must start and end with an alphanumeric character"
MAX_PORT = 65535
MAX_ID = 2**31 - 1


def _as(sentence: str, pattern: str, *examples: str) -> str:
    shown = ",  or ".join(f"'{one}'" for one in examples)
    return f"{sentence} (e.g. {shown}, regex used for validation is '{pattern}')"


def _too_long(longest: int, unit: str) -> str:
    return f"must be no more than {longest} {unit}"


def _name(value: str, longest: int, pattern: str, sentence: str, *, unit: str) -> list[str]:
    wrong = [_too_long(longest, unit)] if len(value.encode()) > longest else []
    return wrong if re.fullmatch(pattern, value) else [*wrong, sentence]


def label(value: str) -> list[str]:
    """An RFC 1123 label."""
    sentence = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {ENDS}"
    return _name(value, 63, LABEL, _as(sentence, LABEL, "my-name", "123-abc"), unit="characters")


def subdomain(value: str, *, unit: str = "characters") -> list[str]:
    """An RFC 1123 subdomain, as most names are. In keys the real one counts bytes, which are the same."""
    sentence = f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {ENDS}"
    return _name(value, 253, SUBDOMAIN, _as(sentence, SUBDOMAIN, "example.com"), unit=unit)


def service(value: str) -> list[str]:
    """An RFC 1035 label, as names of services are."""
    sentence = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character"
    )
    return _name(value, 63, SERVICE, _as(sentence, SERVICE, "my-name", "abc-123"), unit="characters")


def qualified(value: str) -> list[str]:
    """A key of labels and annotations, or a resource's name: `nvidia.com/gpu`."""
    must = _as(f"must {CONSISTS}, {ENDS}", QUALIFIED, "MyName", "my.name", "123-abc")
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {must} {optional}"]
    wrong = []
    if slash and not prefix:
        wrong.append("prefix part must be non-empty")
    elif slash:
        wrong += [f"prefix part {one}" for one in subdomain(prefix, unit="bytes")]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        wrong.append(f"name part {_too_long(63, 'bytes')}")
    return wrong if re.fullmatch(QUALIFIED, name) else [*wrong, f"name part {must}"]


def label_value(value: str) -> list[str]:
    sentence = f"a valid label must be an empty string or {CONSISTS}, {ENDS}"
    shown = _as(sentence, f"({QUALIFIED})?", "MyValue", "my_value", "12345")
    return _name(value, 63, f"({QUALIFIED})?", shown, unit="bytes")


def port_name(value: str) -> list[str]:
    wrong = [_too_long(15, "characters")] if len(value) > 15 else []
    if not re.fullmatch("[-a-z0-9]+", value):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in value:
        wrong.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        wrong.append("must not begin or end with a hyphen")
    return wrong


def between(value: int, least: int, most: int) -> list[str]:
    return [] if least <= value <= most else [f"must be between {least} and {most}, inclusive"]


def not_negative(value: int) -> list[str]:
    return [] if value >= 0 else ["must be greater than or equal to 0"]


def port_number(value: int) -> list[str]:
    return between(value, 1, MAX_PORT)


def variable(value: str) -> list[str]:
    """The name of an environment variable, or the prefix of some."""
    if all(" " <= one <= "~" and one != "=" for one in value):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    wrong = [_too_long(253, "characters")] if len(value) > 253 else []
    if not re.fullmatch(CONFIG_KEY, value):
        sentence = f"a valid config key must {CONSISTS}"
        wrong.append(_as(sentence, CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value in (".", ".."):
        wrong.append(f"must not be '{value}'")
    elif value.startswith(".."):
        wrong.append("must not start with '..'")
    return wrong


def header(value: str) -> list[str]:
    sentence = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [] if re.fullmatch(HEADER, value) else [_as(sentence, HEADER, "X-Header-Name")]


def percent(value: str) -> list[str]:
    sentence = "a valid percent string must be a numeric string followed by an ending '%'"
    return [] if re.fullmatch(PERCENT, value) else [_as(sentence, PERCENT, "1%", "93%")]


def backsteps(value: str) -> list[str]:
    """A path that leads up."""
    return ["must not contain '..'"] if ".." in value.split("/") else []


def relative(value: str) -> list[str]:
    """A path within a volume."""
    return (["must be a relative path"] if value.startswith("/") else []) + backsteps(value)
