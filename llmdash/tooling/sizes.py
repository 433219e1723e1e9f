"""`python -m llmdash.tooling.sizes [FOLDER]`: functions and files that have outgrown what one screen explains."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES = 60
FILE_LINES = 400
KINDS = {".py", ".js", ".css", ".html", ".sh"}
# What nobody reads from top to bottom: data, generated code, other people's files.
EXCEPTED = {"migrations", "vendor", "data", "golden", "fixtures"}


def main(arguments: list[str]) -> int:
    """Print each piece that is too long; 1 when there is any."""
    root = Path(arguments[0] if arguments else ".")
    found = list(too_long(root, tracked(root)))
    for line in found:
        print(line)
    return 1 if found else 0


def tracked(root: Path) -> list[Path]:
    """The files that git knows or would take, seen from the root."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [Path(line) for line in sorted(set(listed.splitlines()))]


def too_long(root: Path, paths: list[Path]) -> Iterator[str]:
    """`path: 412 lines`, and for functions `path:line: name has 63 lines`."""
    for path in paths:
        if path.suffix not in KINDS or EXCEPTED.intersection(path.parts) or not (root / path).is_file():
            continue
        text = (root / path).read_text(encoding="utf-8")
        lines = len(text.splitlines())
        if lines > FILE_LINES:
            yield f"{path}: {lines} lines, at most {FILE_LINES}"
        if path.suffix == ".py":
            yield from long_functions(path, text)


def long_functions(path: Path, text: str) -> Iterator[str]:
    """Functions over the limit, from `def` to their last line."""
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
