"""docs/settings.md tells every variable that is read, with its default and bounds, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
READERS = {"text", "secret", "path", "flag", "number", "whole", "words", "rate"}
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \|(?P<default>[^|\n]*)\|(?P<bounds>[^|\n]*)\|", re.MULTILINE)


def documented() -> dict[str, tuple[str, str]]:
    """Default and bounds by name, as the page has them."""
    text = (ROOT / "docs" / "settings.md").read_text()
    return {row["name"]: (row["default"].strip(), row["bounds"].strip()) for row in ROW.finditer(text)}


def read(path: Path) -> list[ast.Call]:
    """The calls that read a variable: `env.text("NAME", …)` or `os.environ.get("NAME", …)`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func) in {"os.environ.get", *(f"env.{reader}" for reader in READERS)}
    ]


def name_of(call: ast.Call) -> str:
    return str(ast.literal_eval(call.args[0]))


def settings_calls() -> list[ast.Call]:
    return read(ROOT / "llmdash" / "settings.py") + read(ROOT / "llmdash" / "asgi.py")


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    assert set(documented()) == {name_of(call) for call in settings_calls()}


def test_numbers_are_documented_with_default_and_bounds() -> None:
    numbers = [call for call in settings_calls() if ast.unparse(call.func) in {"env.number", "env.whole"}]
    assert numbers
    for call in numbers:
        bounds = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        default, between = documented()[name_of(call)]
        assert default == f"`{ast.literal_eval(call.args[1]):g}`", name_of(call)
        assert between == f"{bounds['low']:g} to {bounds['high']:g}", name_of(call)


def test_literal_texts_are_documented_with_their_default() -> None:
    for call in settings_calls():
        if ast.unparse(call.func) in {"env.text", "env.words", "env.rate"} and len(call.args) == 2:
            assert documented()[name_of(call)][0] == f"`{ast.literal_eval(call.args[1])}`"


def test_a_variable_is_read_in_one_place() -> None:
    names = [name_of(call) for call in settings_calls()]
    assert sorted(names) == sorted(set(names))
