"""Fields as the API server names them in a conflict: `.spec.template.spec.containers[name="a"].image`. Pure.

https://github.com/kubernetes-sigs/structured-merge-diff/tree/master/fieldpath (PathElement.String)
"""

import json
import re
from typing import Any

from deployments.comparison import leaves

ABSENT = object()
ENTRY = re.compile(r'\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\]')
PAIR = re.compile(r'([\w-]+)=("(?:[^"\\]|\\.)*"|[^,]+)')


def value(found: Any, field: str) -> Any:
    """What stands at a field of an object, ABSENT where nothing does. Keys may hold dots, as those of labels do."""
    if not field:
        return found
    if field.startswith("["):
        entry = ENTRY.match(field)
        return value(chosen(found, entry[1]), field[entry.end() :]) if entry else ABSENT
    rest = field.removeprefix(".")
    known = found if isinstance(found, dict) else {}
    keys = [key for key in known if rest == key or rest.startswith((f"{key}.", f"{key}["))]
    if not keys:
        return ABSENT
    key = max(keys, key=len)
    return value(found[key], rest[len(key) :])


def chosen(entries: Any, text: str) -> Any:
    """The entry of a list with these keys, as `name="a"` or `containerPort=80,protocol="TCP"`."""
    keys = {name: json.loads(said) for name, said in PAIR.findall(text)}
    if not keys or not isinstance(entries, list):
        return ABSENT
    fitting = (one for one in entries if isinstance(one, dict) and all(one.get(name) == keys[name] for name in keys))
    return next(fitting, ABSENT)


def same(one: Any, other: Any, field: str) -> bool:
    """Whether a field of the one stands in the other as it does there; not when the one has none."""
    wanted, live = value(one, field), value(other, field)
    if wanted is ABSENT or live is ABSENT:
        return False
    return not list(leaves(wanted, live, tuple(re.split(r"[.\[\]]+", field))))
