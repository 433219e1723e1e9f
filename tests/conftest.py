"""What every test may ask for."""

import os
import tempfile

STATE = tempfile.mkdtemp(prefix="llmdash-test-")
os.environ.setdefault("LLMDASH_STATE_DIR", STATE)
os.environ.setdefault("SECRET_KEY", "a key for tests only")
os.environ.setdefault("LLMDASH_ALLOW_LOOPBACK", "1")

from tests.stage import *  # noqa: E402, F403  (fixtures, after the environment is set)
