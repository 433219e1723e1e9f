"""Filters that every template may use."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import humanize
from django import template
from django.conf import settings

from deployments import choices, entries
from deployments.difference import as_yaml

register = template.Library()
ENUMS: dict[str, type[choices.Shown]] = {
    "health": choices.Health,
    "outcome": choices.Outcome,
    "role": choices.Role,
    "stage": choices.Stage,
    "connection": choices.Connection,
    "problem": choices.Problem,
    "drift_policy": choices.DriftPolicy,
}


@register.filter
def look(value: str, kind: str) -> choices.Shown | None:
    """The word, colour and icon of a stored value: `{{ row.health|look:"health" }}`."""
    return ENUMS[kind](value) if value else None


@register.filter
def done(action: str) -> str:
    """What was done, in words: "scaled". One that this version does not know is its own word."""
    try:
        return choices.Action(action).label
    except ValueError:
        return action


@register.filter
def kind(name: str) -> str:
    """What an act was done to, in words: "API token"."""
    return entries.KINDS.get(name, name)


@register.filter
def plain(value: Any) -> str:
    """A parameter's value as people write it: yes, not True; nothing, not None; a variable as the form shows it."""
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, dict) and value.keys() == {"name", "value", "secret"}:
        return f"{value['name']} (secret)" if value["secret"] else f"{value['name']}={value['value']}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def moment(at: datetime | str | None) -> datetime | None:
    """A time as observed rows keep it, ISO 8601 text, as a datetime; what is none already stays."""
    return datetime.fromisoformat(at) if isinstance(at, str) and at else at or None


@register.filter
def gibibytes(value: float) -> str:
    """Bytes as binary units: 80.0 GiB."""
    return humanize.naturalsize(value, binary=True).replace(" Bytes", " B").replace(" Byte", " B")


@register.filter
def yaml(value: Any) -> str:
    """A document as YAML."""
    return as_yaml(value)


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """`{{ mapping|get:key }}`."""
    return mapping.get(key)


@register.simple_tag
def stale_seconds() -> float:
    """From which age on what was heard of a cluster is not trusted: LLMDASH_STALE_SECONDS."""
    seconds: float = settings.LLMDASH["STALE_SECONDS"]
    return seconds


@register.simple_tag(takes_context=True)
def query(context: Mapping[str, Any], **changed: Any) -> str:
    """This page's query string with some parameters changed; None or "" takes one away."""
    parameters = context["request"].GET.dict() | changed
    kept = {key: value for key, value in parameters.items() if value not in (None, "")}
    return f"?{urlencode(kept)}" if kept else "?"
