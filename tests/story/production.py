"""The demo on PostgreSQL and Redis: `python -m tests.story.production`, addresses in STORY_DATABASE_URL and
STORY_REDIS_URL. The demo itself takes neither from the shell."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmdash.demo.place import Place
from llmdash.demo.run import Demo


@dataclass(frozen=True)
class ProductionPlace(Place):
    """A place whose processes use the servers that production uses."""

    def environment(self, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The demo's environment, with the two addresses."""
        servers = {"DATABASE_URL": shell["STORY_DATABASE_URL"], "REDIS_URL": shell["STORY_REDIS_URL"]}
        return super().environment(shell) | servers


if __name__ == "__main__":
    folder = Path(os.environ["LLMDASH_STATE_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    sys.exit(Demo(ProductionPlace(folder, int(os.environ["PORT"]), "real")).run())
