"""System checks: what is wrong with the installation, each named by its variable. `manage.py check` runs them."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from deployments.crypto import Keyring

LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1", "testserver", ".localhost"}


@register()
def secret_key(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Sessions and forms are signed with it."""
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:
        pass
    hint = f"Set SECRET_KEY or SECRET_KEY_FILE, or write 50 random characters to {settings.STATE_DIR}/secret_key."
    return [Error("SECRET_KEY is not set.", hint=hint, id="llmdash.E001")]


@register()
def encryption_key(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Secrets and clusters' credentials are sealed with it."""
    path = Path(settings.LLMDASH["ENCRYPTION_KEY_FILE"])
    wrong = _wrong_with_key_file(path)
    if not wrong:
        return []
    hint = "One key a line, the first one seals: `printf 'k1:%s\\n' \"$(openssl rand -base64 32)\"` makes one."
    return [Error(f"LLMDASH_ENCRYPTION_KEY_FILE: {path} {wrong}.", hint=hint, id="llmdash.E002")]


def _wrong_with_key_file(path: Path) -> str:
    """What is wrong, in words that hold nothing of the file."""
    try:
        Keyring.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError:
        return "is not made of lines id:base64 of 32 bytes"
    return ""


@register()
def state_dir(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Needed where the embedded database or the embedded queue lives in it."""
    folder = Path(settings.STATE_DIR)
    if not _lives_there(folder) or _is_writable(folder):
        return []
    hint = "Make the folder and let this user write there; or set DATABASE_URL and REDIS_URL."
    return [Error(f"LLMDASH_STATE_DIR: {folder} cannot be written to.", hint=hint, id="llmdash.E003")]


def _lives_there(folder: Path) -> bool:
    database = settings.DATABASES["default"]
    embedded = "sqlite3" in database["ENGINE"] and folder in Path(database["NAME"]).parents
    return embedded or not settings.REDIS_URL


def _is_writable(folder: Path) -> bool:
    """By doing it: the permission bits say nothing of a read-only file system, and nothing to root."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@register()
def broker_folder(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Without Redis, messages to the workers are files."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    folders = set() if settings.REDIS_URL else {str(options[name]) for name in ("data_folder_in", "control_folder")}
    return [
        Error(
            f"LLMDASH_STATE_DIR: the folder of the embedded queue, {folder}, does not exist.",
            hint="Make it, or set REDIS_URL.",
            id="llmdash.E004",
        )
        for folder in sorted(folders)
        if not os.path.isdir(folder)
    ]


@register()
def https(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Passwords must not cross a network in clear."""
    others = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
    if settings.HTTPS or not others:
        return []
    hint = "Put a proxy with TLS in front and set LLMDASH_HTTPS=1."
    text = f"LLMDASH_HTTPS is off although ALLOWED_HOSTS names {', '.join(others)}: passwords would travel in clear."
    return [checks.Warning(text, hint=hint, id="llmdash.W001")]
