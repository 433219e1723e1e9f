"""A disk that is full, and a database that is older than the cluster."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmdash.tooling.install import find
from tests.faults.conftest import Fault
from tests.faults.site import Site, eventually

pytestmark = pytest.mark.plane


@pytest.fixture
def small_disk(site: Site) -> Iterator[Path]:
    """The database's tables on a file system of their own, which a test can fill."""
    folder = site.postgres.folder / f"small-{site.namespace}"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)], check=True)
    try:
        site.rest()
        site.postgres.move(site.database_name, folder)
        site.go_on()
        yield folder
        site.rest()
        site.postgres.move_back(site.database_name)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.fault("26", "the disk of the database is full", bound=15)
def test_a_full_disk_makes_read_only_and_heals(site: Site, small_disk: Path, fault: Fault) -> None:
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first), 30)
    fill(small_disk / "filling")
    refused = until_refused(site)
    assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (503, "The database has no room left")
    assert int(refused.headers["Retry-After"]) > 0
    entries = site.rows("select count(*) from deployments_auditentry where target_kind = 'deployment'")
    assert site.send(f"/deployments/{first['id']}/stop", {}).status_code == 503
    assert site.rows("select count(*) from deployments_auditentry where target_kind = 'deployment'") == entries
    assert site.get("/api/v1/deployments").status_code == 200, "what is there can be read"
    (small_disk / "filling").unlink()
    fault.until(lambda: site.send("/deployments", site.wanted("after")).status_code == 202)
    site.acts += 1
    [last] = [row for row in site.get("/api/v1/deployments?search=after").json()["results"] if row["name"] == "after"]
    eventually(lambda: site.is_applied(last), 60)
    eventually(lambda: all(site.is_applied(row) for row in site.get("/api/v1/deployments").json()["results"]), 60)


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def until_refused(site: Site) -> Any:
    """Acts until one is refused: what the pages that are there can hold is still taken."""
    for number in range(400):
        answer = site.send(
            "/deployments", site.wanted(f"full-{number}", files=[{"path": "/etc/a", "content": "a" * 9000}])
        )
        if answer.status_code != 202:
            return answer
        site.acts += 1
    raise AssertionError("400 deployments fit onto a full disk")


@pytest.mark.fault("27", "yesterday's backup restored over today's database", bound=45)
def test_a_restored_backup_deletes_nothing_and_waits_for_a_choice(site: Site, fault: Fault) -> None:
    kept = site.deploy("kept", replicas=1)
    other = site.deploy("other", replicas=1)
    eventually(lambda: site.is_applied(kept) and site.is_applied(other), 30)
    backup, acts = dump(site), site.acts
    for replicas in (2, 3):
        site.act(f"/deployments/{kept['id']}/scale", {"replicas": replicas})
        site.act(f"/deployments/{other['id']}/scale", {"replicas": replicas})
    young = site.deploy("young")
    eventually(lambda: all(site.is_applied(one) for one in (kept, other, young)), 30)
    before = uids(site)

    restore(site, backup)
    site.acts = acts
    fault.until(lambda: problems(site, kept, other) == ["newer", "newer"])
    fault.until(lambda: [row["name"] for row in unknown(site)] == ["young"])
    assert uids(site) == before, "nothing of today is deleted or made anew"
    assert site.send(f"/deployments/{kept['id']}/scale", {"replicas": 9}).json()["code"] == "newer"

    site.act(f"/deployments/{kept['id']}/newer", {"choice": "adopt"})
    site.act(f"/deployments/{other['id']}/newer", {"choice": "apply"})
    site.act(f"/clusters/{cluster(site)}/unknown", {"deployment": young["id"]})
    fault.until(lambda: all(site.is_applied(one) for one in (kept, other, young)))
    live = {item["metadata"]["name"]: item["spec"]["replicas"] for item in site.objects("deployment")}
    assert live == {"kept": 3, "other": 1, "young": 1}
    assert uids(site) == before
    fault.until(lambda: unknown(site) == [])


def dump(site: Site) -> bytes:
    command = [find("pg_dump") or "pg_dump", "-Fc", site.database]
    return subprocess.run(command, capture_output=True, check=True).stdout


def restore(site: Site, backup: bytes) -> None:
    """As the documentation says: stop, load, start."""
    site.rest()
    site.postgres.remove(site.database_name)
    site.postgres.create(site.database_name)
    command = [find("pg_restore") or "pg_restore", "--no-owner", "--exit-on-error", "-d", site.database]
    subprocess.run(command, input=backup, check=True)
    site.go_on()


def problems(site: Site, *made: dict[str, Any]) -> list[str]:
    return [site.status(one).get("problem", "") for one in made]


def uids(site: Site) -> set[str]:
    return {item["metadata"]["uid"] for item in site.objects()}


def cluster(site: Site) -> str:
    found: str = site.get("/api/v1/clusters").json()["results"][0]["id"]
    return found


def unknown(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get(f"/api/v1/clusters/{cluster(site)}/unknown").json()["results"]
    return found
