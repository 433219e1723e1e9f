"""A spec as people type it into a form, and back. What no line can hold stands there by its name, or as JSON."""

import json
import re
from contextlib import suppress
from typing import Any, get_args

from deployments.spec import EnvVar, Spec

END = "\n"
FILE_HEADER = re.compile(r"^=== *(\S.*?) *$")


def as_typed(value: Any) -> str:
    """A value of `as_text` as a field's text."""
    return "" if value is None else str(value)


def words(value: Any) -> str:
    """A value of `as_text` as a field's text, without white space around it."""
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def read_scalar(text: str, name: str) -> Any:
    """Text, or a whole number where the spec wants one; empty is the default."""
    info = Spec.model_fields[name]
    text = text.strip()
    if not text:
        return None
    if int in (info.annotation, *get_args(info.annotation)):
        if not re.fullmatch(r"[+-]?[0-9]{1,100}", text):
            raise ValueError("Must be a whole number.")
        return int(text)
    return text


def lines_of(text: str) -> list[str]:
    """The lines, which only a line feed ends: str.splitlines would cut at characters that may stand in a value."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def read_lines(text: str, name: str) -> list[str]:
    """One entry a line; one that holds line ends, or white space at its own, is a JSON string."""
    return [unquoted(line.strip()) for line in lines_of(text) if line.strip()]


def unquoted(line: str) -> str:
    """The text of a line that is a JSON string; any other is itself."""
    with suppress(ValueError):
        found = json.loads(line) if line.startswith('"') else None
        return found if isinstance(found, str) else line
    return line


def quoted(text: str) -> str:
    """A text as one line, which `unquoted` reads as the same."""
    plain = text == text.strip() and "\n" not in text and text and not text.startswith('"')
    return text if plain else json.dumps(text, ensure_ascii=False)


def read_pairs(text: str, name: str) -> dict[str, str]:
    """key=value lines. Raises ValueError naming the line."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(lines_of(text), 1):
        key, found, value = line.strip().partition("=")
        if not key and not found:
            continue
        if not found:
            raise ValueError(f"Line {number}: expected key=value.")
        if key in pairs:
            raise ValueError(f"Line {number}: {key} stands twice.")
        pairs[key] = value
    return pairs


def read_env(text: str, name: str) -> list[dict[str, str | None]]:
    """NAME=value lines; the value of a NAME alone is None. Doubles are left to the spec."""
    parts = [line.partition("=") for line in lines_of(text) if line.strip()]
    return [{"name": key.strip(), "value": value if found else None} for key, found, value in parts]


def read_files(text: str, name: str) -> list[dict[str, str]]:
    """Files, each after a header line."""
    files: list[dict[str, str]] = []
    for line in lines_of(text):
        if header := FILE_HEADER.match(line):
            files.append({"path": header[1], "content": ""})
        elif files:
            files[-1]["content"] += line + "\n"
        elif line.strip():
            raise ValueError("Begin with a line === /path/in/the/container.")
    return files


READERS: dict[str, Any] = {
    "args": read_lines,
    "command": read_lines,
    "node_selector": read_pairs,
    "env": read_env,
    "files": read_files,
}


def has_lines(var: EnvVar) -> bool:
    """Whether a variable has a plain value of several lines, which no line of a form can hold."""
    return var.value is not None and "\n" in var.value


def as_text(spec: Spec | None) -> dict[str, Any]:
    """The initial values of the form: a spec as people type it."""
    if spec is None:
        defaults = {name: info.default for name, info in Spec.model_fields.items() if name != "version"}
        # People who open the form mostly want an LLM, and that on a GPU.
        return {name: value for name, value in defaults.items() if value not in (None, [], {})} | {"gpus": 1}
    values = {name: getattr(spec, name) for name in Spec.model_fields}
    plain = [var for var in spec.env if var.secret is None]
    return values | {
        "args": "\n".join(map(quoted, spec.args)),
        "command": "\n".join(map(quoted, spec.command)),
        "node_selector": "\n".join(f"{key}={value}" for key, value in spec.node_selector.items()),
        "env": "\n".join(var.name if has_lines(var) else f"{var.name}={var.value}" for var in plain),
        "secret_env": "\n".join(var.name for var in spec.env if var.secret),
        "files": "".join(f"=== {file.path}\n{file.content.removesuffix(END)}{END}" for file in spec.files),
    }
