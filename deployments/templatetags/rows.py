"""Rows of lists, each drawn once for as long as it shows the same."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import mark_safe

from deployments.lines import Line

KEPT = 4000  # rows of about 2 kB

register = template.Library()


@register.simple_tag
def deployment_row(line: Line, pick: str = "") -> str:
    """A row of a table of deployments. `pick` is the id of a form for which rows can be chosen, "" for none."""
    shown = line if line.stale else line._replace(seen_at=None)  # which moves every few seconds
    return drawn(shown, pick, get_script_prefix())


@lru_cache(maxsize=KEPT)
def drawn(line: Line, pick: str, prefix: str) -> str:
    """The row's HTML, whose addresses begin with `prefix`; without indentation, which a list would send fifty times."""
    text = render_to_string("deployments/_row.html", {"line": line, "pick": pick})
    return mark_safe("\n".join(filter(None, map(str.strip, text.splitlines()))))  # noqa: S308  (the template escaped it)
