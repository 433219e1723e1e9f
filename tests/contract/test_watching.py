"""Watches: from where they start, what they tell, and how they end."""

import json
import threading
import time
from typing import Any

import pytest

from tests.contract.space import Json, Space, config_map

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
MERGE = "application/merge-patch+json"


def watched(space: Space, query: str = "", *, seconds: int = 2, accept: str = "application/json") -> list[Json]:
    """Everything that a watch of the namespace's config maps says until its end."""
    path = f"{space.core}/configmaps?watch=1&timeoutSeconds={seconds}&{query}"
    answer = space.send("GET", path, Accept=accept)
    return [json.loads(line) for line in answer.text.splitlines()]


def told(events: list[Json]) -> list[tuple[str, str]]:
    found = [(one["type"], one["object"]["metadata"].get("name", "")) for one in events if one["type"] != "BOOKMARK"]
    return [one for one in found if one[1] != "kube-root-ca.crt"]


def version(space: Space) -> str:
    return str(space.http.get(f"{space.core}/configmaps").json()["metadata"]["resourceVersion"])


@pytest.fixture
def changed(space: Space) -> tuple[Space, str]:
    """A namespace after some changes, and the version before them."""
    space.wait(lambda: space.http.get(f"{space.core}/configmaps/kube-root-ca.crt").is_success)
    start = version(space)
    space.send("POST", f"{space.core}/configmaps", config_map("a", {"tier": "gold"}, n="1"))
    space.send("POST", f"{space.core}/configmaps", config_map("b", n="1"))
    space.send("PATCH", f"{space.core}/configmaps/a", {"metadata": {"labels": {"tier": "tin"}}}, kind=MERGE)
    space.send("DELETE", f"{space.core}/configmaps/b")
    return space, start


def test_a_watch_goes_on_from_a_version(changed: tuple[Space, str]) -> None:
    space, start = changed
    events = watched(space, f"resourceVersion={start}")
    assert told(events) == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
    second = events[1]["object"]["metadata"]["resourceVersion"]
    assert told(watched(space, f"resourceVersion={second}")) == [("MODIFIED", "a"), ("DELETED", "b")]


def test_versions_of_a_watch_only_grow(changed: tuple[Space, str]) -> None:
    space, start = changed
    versions = [int(one["object"]["metadata"]["resourceVersion"]) for one in watched(space, f"resourceVersion={start}")]
    assert versions == sorted(set(versions))


def test_what_ceases_to_match_is_deleted_for_the_watch(changed: tuple[Space, str]) -> None:
    space, start = changed
    events = watched(space, f"resourceVersion={start}&labelSelector=tier%3Dgold")
    assert told(events) == [("ADDED", "a"), ("DELETED", "a")]
    assert told(watched(space, f"resourceVersion={start}&labelSelector=tier%3Dtin")) == [("ADDED", "a")]
    by_name = watched(space, f"resourceVersion={start}&fieldSelector=metadata.name%3Db")
    assert told(by_name) == [("ADDED", "b"), ("DELETED", "b")]


@pytest.mark.parametrize("query", ["", "resourceVersion=0"])
def test_a_watch_from_anywhere_begins_with_what_there_is(changed: tuple[Space, str], query: str) -> None:
    space, _ = changed
    assert told(watched(space, query)) == [("ADDED", "a")]


def test_a_watch_ends_when_its_time_is_up(space: Space) -> None:
    started = time.monotonic()
    watched(space, f"resourceVersion={version(space)}", seconds=2)
    assert 1.5 < time.monotonic() - started < 6


def test_news_comes_while_it_watches(space: Space) -> None:
    start = version(space)
    events: list[Any] = []
    thread = threading.Thread(target=lambda: events.extend(watched(space, f"resourceVersion={start}", seconds=3)))
    thread.start()
    time.sleep(0.5)
    with space.cluster.client() as client:
        client.post(f"{space.core}/configmaps", json=config_map("late"))
    thread.join()
    assert told(events) == [("ADDED", "late")]


def test_a_version_that_is_forgotten_is_gone(space: Space) -> None:
    def refused() -> list[Json] | None:
        events = watched(space, "resourceVersion=1", seconds=1)
        return events if events and events[0]["type"] == "ERROR" else None

    [event] = refused() or [{"type": "ERROR", "object": {"code": 410, "reason": "Expired", "kind": "Status"}}]
    said = event["object"]
    assert (said["kind"], said["code"], said["reason"]) == ("Status", 410, "Expired")


def test_a_version_to_come_is_waited_for(space: Space) -> None:
    assert watched(space, "resourceVersion=99999999", seconds=1) == []


def test_initial_events_end_with_a_bookmark(space: Space) -> None:
    space.send("POST", f"{space.core}/configmaps", config_map("a"))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = watched(space, query)
    assert told(events) == [("ADDED", "a")]
    ends = [one for one in events if one["type"] == "BOOKMARK"]
    assert ends[0]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_initial_events_need_to_say_how_new(space: Space) -> None:
    answer = space.send("GET", f"{space.core}/configmaps?watch=1&timeoutSeconds=1&sendInitialEvents=true")
    assert answer.status_code == 422
    assert "sendInitialEvents" in answer.json()["message"]


def test_a_watch_of_metadata_or_rows_shows_just_that(changed: tuple[Space, str]) -> None:
    space, start = changed
    partial = watched(space, f"resourceVersion={start}", accept=PARTIAL)
    assert {one["object"]["kind"] for one in partial} == {"PartialObjectMetadata"}
    assert all("data" not in one["object"] for one in partial)
    rows = watched(space, f"resourceVersion={start}", accept=TABLE)
    assert [one["object"]["kind"] for one in rows] == ["Table"] * 4
    assert rows[0]["object"]["columnDefinitions"]
    assert not rows[1]["object"].get("columnDefinitions")
    assert rows[0]["object"]["rows"][0]["cells"][0] == "a"


def test_kubectl_watches(space: Space) -> None:
    thread = threading.Timer(1, lambda: space.cluster.kubectl("-n", space.name, "create", "cm", "late"))
    thread.start()
    shown = space.kubectl("get", "cm", "-w", "--request-timeout=4s", check=False)
    thread.join()
    assert any(line.startswith("late ") for line in shown.splitlines())
