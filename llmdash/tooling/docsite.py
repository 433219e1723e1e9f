"""MkDocs' hook: adds the reference pages, which are made from the code when the site is built."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages (https://www.mkdocs.org/user-guide/configuration/#hooks)."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "llmdash.tooling.reference", folder], cwd=ROOT, check=True)
        for page in sorted(Path(folder).glob("*.md")):
            files.append(File.generated(config, f"reference/{page.name}", content=page.read_text(encoding="utf-8")))
    return files
