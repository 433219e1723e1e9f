"""The console script."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth import authenticate
from django.test import Client

from deployments.manifests import access
from deployments.models import AuditEntry
from llmdash import __version__, cli
from tests import stage


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.django_db(transaction=True)  # a command closes the connections at its end
def test_admin_password_sets_prints_and_audits_a_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    admin = stage.user("admin", is_superuser=True)
    assert cli.main(["admin-password"]) == 0
    name, _, password = capsys.readouterr().out.strip().partition(": ")
    assert name == "admin"
    assert authenticate(username="admin", password=password) == admin
    assert authenticate(username="admin", password=stage.PASSWORD) is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_name, entry.actor_name) == ("set password", "admin", "llmdash")
    assert password not in str(entry.detail)


@pytest.mark.django_db(transaction=True)  # a command closes the connections at its end
def test_admin_password_ends_the_open_sessions_of_the_one_named(client: Client) -> None:
    client.force_login(stage.user("robin"))
    assert client.get("/accounts/password/change/").status_code == 200
    assert cli.main(["admin-password", "--user", "robin"]) == 0
    assert client.get("/accounts/password/change/").status_code == 302


@pytest.mark.django_db(transaction=True)  # a command closes the connections at its end
def test_admin_password_of_a_stranger_fails_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["admin-password", "--user", "nobody"])
    assert left.value.code == 1
    assert "There is no user named 'nobody'." in capsys.readouterr().err


def test_manage_passes_options_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["manage", "diffsettings", "--output", "unified"]) == 0
    assert "+ ROOT_URLCONF = 'llmdash.urls'" in capsys.readouterr().out


def test_cluster_access_prints_yaml_and_beside_it_how_to_get_the_token(
    capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.LLMDASH = settings.LLMDASH | {"INSTALLATION": "east-wing"}
    assert cli.main(["cluster-access", "--namespace", "one", "--namespace", "two", "--no-token"]) == 0
    printed = capsys.readouterr()
    assert list(yaml.safe_load_all(printed.out)) == access.build("east-wing", ["one", "two"], with_token=False)
    assert "kubectl -n llmdash create token llmdash" in printed.err
    assert cli.main(["cluster-access"]) == 0
    printed = capsys.readouterr()
    assert list(yaml.safe_load_all(printed.out)) == access.build("east-wing")
    assert "kubectl -n llmdash get secret llmdash-token" in printed.err
    assert not re.search(r"[&*]id\d", printed.out)


def test_cluster_access_prints_nothing_for_what_is_no_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["cluster-access", "--namespace", "One"])
    assert left.value.code == 1
    printed = capsys.readouterr()
    assert "'One' is no name of a namespace" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["admin-password", "--nonsense"]])
def test_what_is_not_understood_ends_with_two(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "llmdash.cli", *arguments], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Usage: llmdash" in done.stderr


def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    shell = os.environ | {"LLMDASH_STATE_DIR": str(tmp_path / "nothing"), "DATABASE_URL": ""}
    command = [sys.executable, "-m", "llmdash.cli", "admin-password"]
    done = subprocess.run(command, env=shell, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "The database cannot be used: " in done.stderr
    assert "LLMDASH_STATE_DIR" in done.stderr
