"""Where one demo keeps its things, and the environment that its processes get."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What programs need of the machine. The rest is left out, so that a DATABASE_URL of the shell does not reach the demo.
FROM_SHELL = {"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER"}
OURS = ("LLMDASH_", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS")


@dataclass(frozen=True)
class Place:
    """One demo: a state folder, the port of its pages, and which cluster it has ("sandbox", "real", or "own")."""

    state: Path
    port: int
    cluster: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def ports_file(self) -> Path:
        return self.state / "ports.json"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def lock(self) -> Path:
        return self.state / "demo.lock"

    @property
    def kubeconfig(self) -> Path:
        """Of the cluster that the demo starts; written when that is ready."""
        return self.state / self.cluster / "kubeconfig"

    @property
    def nodes(self) -> Path:
        """The hollow nodes' state; their ports are in `ports.json`."""
        return self.state / "sandbox" if self.cluster == "sandbox" else self.state / self.cluster / "nodes"

    @property
    def prometheus(self) -> Path:
        """Its configuration and data."""
        return self.state / "prometheus"

    def environment(self, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
        """All that a process of the demo gets: nothing else of the shell reaches it."""
        taken = {name: value for name, value in shell.items() if name in FROM_SHELL or name.startswith(OURS)}
        programs = Path(sys.executable).parent
        return taken | {
            "PATH": os.pathsep.join([str(programs), taken.get("PATH", os.defpath)]),
            "DJANGO_SETTINGS_MODULE": "llmdash.settings",
            "LLMDASH_STATE_DIR": str(self.state),
            "LLMDASH_ENCRYPTION_KEY_FILE": str(self.state / "encryption_key"),
            "LLMDASH_ALLOW_LOOPBACK": "1",
            "LLMDASH_HTTPS": "0",
            "PYTHONUNBUFFERED": "1",
        }
