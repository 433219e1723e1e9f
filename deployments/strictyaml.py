"""YAML of strangers: what people and other people's readers could understand differently is refused. Pure."""

from typing import Any

import yaml

MAX_DEPTH = 32


class YamlRefused(ValueError):
    """What is wrong with the text, for people."""


def load(text: str) -> list[Any]:
    """The documents of a YAML or JSON text, plain values only. Raises YamlRefused."""
    try:
        look_at_events(text)
        return list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except YamlRefused:
        raise
    except yaml.MarkedYAMLError as error:
        where = f" Look at line {error.problem_mark.line + 1}." if error.problem_mark else ""
        raise YamlRefused(f"This is not YAML.{where}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlRefused("This is not YAML.") from error


def shown(value: object) -> str:
    """A key or name of a document, short enough for a sentence."""
    return repr(value if len(str(value)) <= 60 else f"{str(value)[:60]}…")


def look_at_events(text: str) -> None:
    """Refuse aliases, depth and keys that stand twice. Events only: nothing is built, so nothing can grow.

    Of a key that stands twice readers take different ones, so what a person reads need not be what is used.
    """
    keys: list[set[str] | None] = []  # of each open collection; None for a sequence
    expects_key = [False]
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.events.AliasEvent):
            raise YamlRefused("YAML aliases are not taken.")
        if isinstance(event, yaml.events.CollectionEndEvent):
            keys.pop()
            expects_key.pop()
        elif isinstance(event, yaml.events.NodeEvent):
            if keys and keys[-1] is not None:
                if expects_key[-1]:
                    note_key(keys[-1], event)
                expects_key[-1] = not expects_key[-1]
            if isinstance(event, yaml.events.CollectionStartEvent):
                keys.append(set() if isinstance(event, yaml.events.MappingStartEvent) else None)
                expects_key.append(True)
        if len(keys) > MAX_DEPTH:
            raise YamlRefused("This YAML is nested too deeply.")


def note_key(known: set[str], event: yaml.events.NodeEvent) -> None:
    """Add a mapping's key to those that are known."""
    if not isinstance(event, yaml.events.ScalarEvent):
        raise YamlRefused("YAML keys must be plain text.")
    if event.value == "<<":
        raise YamlRefused("YAML merges are not taken.")
    if event.value in known:
        raise YamlRefused(f"The key {shown(event.value)} stands twice.")
    known.add(event.value)
