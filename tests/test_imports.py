"""The import contracts of pyproject.toml bite: each is broken once in a copy, and `lint-imports` says so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROKEN = {  # the contract's first words: (module, import)
    "The project is on top": ("deployments/audit.py", "import monitoring.objects"),
    "deployments reads downhill": ("deployments/models/audit.py", "import deployments.services"),
    "monitoring reads downhill": ("monitoring/objects.py", "import monitoring.status"),
    "Only deployments.kube": ("monitoring/prometheus.py", "import kubernetes"),
    "Pure modules": ("deployments/manifests/labels.py", "import django"),
    "The request side": ("llmdash/accounts/views.py", "import deployments.kube"),
    "The sandbox": ("llmdash/sandbox/store.py", "import deployments.spec"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("llmdash", "deployments", "monitoring"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize("contract", BROKEN)
def test_a_broken_contract_is_named(copy: Path, contract: str) -> None:
    path, line = BROKEN[contract]
    module = copy / path
    before = module.read_text(encoding="utf-8")
    module.write_text(f"{before}\n{line}  # noqa\n", encoding="utf-8")
    try:
        command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    finally:
        module.write_text(before, encoding="utf-8")
    broken = [row for row in done.stdout.splitlines() if " BROKEN" in row]
    assert done.returncode != 0
    assert any(row.startswith(contract) for row in broken), done.stdout[-2000:]
