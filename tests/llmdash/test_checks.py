"""System checks name the variable that is wrong."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from deployments.crypto import new_key_line
from llmdash import checks


def told(found: list[CheckMessage]) -> list[tuple[str | None, str]]:
    return [(message.id, message.msg) for message in found]


def key_file(settings: Any, path: Path) -> None:
    settings.LLMDASH = settings.LLMDASH | {"ENCRYPTION_KEY_FILE": str(path)}


def test_a_whole_installation_is_passed(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path), "control_folder": str(tmp_path)}
    assert [message for message in run_checks() if str(message.id).startswith("llmdash.")] == []


def test_a_missing_secret_key_is_named(settings: Any) -> None:
    settings.SECRET_KEY = ""
    (found,) = checks.secret_key(None)
    assert (found.id, found.msg) == ("llmdash.E001", "SECRET_KEY is not set.")


def test_a_missing_encryption_key_is_named(settings: Any, tmp_path: Path) -> None:
    key_file(settings, tmp_path / "gone")
    assert told(checks.encryption_key(None)) == [
        ("llmdash.E002", f"LLMDASH_ENCRYPTION_KEY_FILE: {tmp_path / 'gone'} does not exist.")
    ]


def test_an_encryption_key_that_cannot_be_read_is_named(settings: Any, tmp_path: Path) -> None:
    key_file(settings, tmp_path)
    (found,) = checks.encryption_key(None)
    assert "LLMDASH_ENCRYPTION_KEY_FILE" in found.msg
    assert "cannot be read: Is a directory" in found.msg


@pytest.mark.parametrize("text", ["", "nonsense", "k1:c2hvcnQ=", "k1:not base64", ":" + "A" * 43 + "="])
def test_an_ill_formed_encryption_key_is_named_and_not_shown(settings: Any, tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    key_file(settings, file)
    (found,) = checks.encryption_key(None)
    assert found.msg == f"LLMDASH_ENCRYPTION_KEY_FILE: {file} is not made of lines id:base64 of 32 bytes."


def test_a_good_encryption_key_is_passed(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(new_key_line())
    key_file(settings, tmp_path / "key")
    assert checks.encryption_key(None) == []


def test_a_state_folder_that_cannot_be_written_is_named(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path / "gone"
    (found,) = checks.state_dir(None)
    assert (found.id, found.msg) == ("llmdash.E003", f"LLMDASH_STATE_DIR: {tmp_path / 'gone'} cannot be written to.")


def test_the_state_folder_is_not_needed_with_a_database_and_a_broker_of_their_own(settings: Any) -> None:
    settings.STATE_DIR = Path("/proc/nowhere")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert checks.state_dir(None) == []


def test_each_missing_folder_of_the_embedded_queue_is_named(settings: Any, tmp_path: Path) -> None:
    folders = {"data_folder_in": str(tmp_path / "queue"), "control_folder": str(tmp_path)}
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = folders
    (found,) = checks.broker_folder(None)
    assert found.id == "llmdash.E004"
    assert str(tmp_path / "queue") in found.msg
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert checks.broker_folder(None) == []


@pytest.mark.parametrize("hosts", [["llmdash.example.org"], ["localhost", "10.0.0.7"], ["*"]])
def test_hosts_beyond_this_machine_without_tls_are_warned_of(settings: Any, hosts: list[str]) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS = hosts, False
    (found,) = checks.https(None)
    assert found.id == "llmdash.W001"
    assert f"ALLOWED_HOSTS names {hosts[-1]}" in found.msg
    settings.HTTPS = True
    assert checks.https(None) == []


def test_loopback_needs_no_tls(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS = ["localhost", "127.0.0.1", "[::1]"], False
    assert checks.https(None) == []
