"""What every test may ask for."""

import tempfile
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

# pytest-django has read the settings already, so the environment would come too late.
STATE = Path(tempfile.mkdtemp(prefix="llmdash-test-"))
settings.STATE_DIR = STATE
settings.SECRET_KEY = "a key for tests only"
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
settings.LLMDASH |= {"THROTTLE_USER": None, "THROTTLE_ANON": None}  # tests call often, and count queries
settings.LLMDASH |= {"ENCRYPTION_KEY_FILE": str(STATE / "encryption_key"), "ALLOW_LOOPBACK": True}
# Nothing is collected for tests: pages name the files of static/ themselves.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STATIC_ROOT = STATE / "staticfiles"
settings.STATIC_ROOT.mkdir()
if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
    # A file: the threads of a database in memory block each other without waiting.
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(STATE / "test.sqlite3")

# How long an example takes says more of the machine than of the program.
hypothesis.settings.register_profile("llmdash", deadline=None)
hypothesis.settings.load_profile("llmdash")

# Files that take minutes come first, so that no core waits for one of them at the end.
LONGEST = ("test_schema_holds.py", "test_story.py", "test_cli.py", "test_start.py", "test_pages.py", "test_forms.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


from tests.stage import *  # noqa: E402, F403  (fixtures, which read the settings)
