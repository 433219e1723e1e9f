"""The store: versions, the log, the past, and the file it is kept in."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmdash.sandbox import store as stores
from llmdash.sandbox.snapshot import VERSION_STEP, Snapshot
from llmdash.sandbox.store import Change, Store, TooOld

KEY = "/configmaps"


def thing(name: str, namespace: str = "n", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "uid": name}, "data": data}


def test_each_write_has_a_greater_version() -> None:
    store = Store()
    versions = [int(store.put(KEY, thing(name))["metadata"]["resourceVersion"]) for name in "aba"]
    versions.append(int(store.remove(KEY, "n", "a")["metadata"]["resourceVersion"]))
    assert versions == sorted(set(versions))


def test_what_stood_there_is_never_changed_in_place() -> None:
    store = Store()
    first = store.put(KEY, thing("a", x="1"))
    store.put(KEY, thing("a", x="2"))
    assert first["data"] == {"x": "1"}


def test_listeners_hear_of_their_kind_and_of_all() -> None:
    store = Store()
    some: list[Change] = []
    every: list[Change] = []
    stop = store.listen(KEY, some.append)
    store.listen("", every.append)
    store.put(KEY, thing("a"))
    store.put("/secrets", thing("s"))
    stop()
    store.put(KEY, thing("a"))
    assert [one.type for one in some] == ["ADDED"]
    assert [one.type for one in every] == ["ADDED", "ADDED", "MODIFIED"]


def test_the_past_can_be_read_as_far_as_the_log_goes() -> None:
    store = Store()
    store.put(KEY, thing("a", x="1"))
    store.put(KEY, thing("b"))
    then = store.version
    store.put(KEY, thing("a", x="2"))
    store.remove(KEY, "n", "b")
    store.put(KEY, thing("c"))
    assert {name: one["data"] for (_, name), one in store.at(KEY, then).items()} == {"a": {"x": "1"}, "b": {}}
    store.forget()
    with pytest.raises(TooOld):
        store.at(KEY, then)


def test_the_log_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "KEPT", 3)
    store = Store()
    for number in range(6):
        store.put(KEY, thing(str(number)))
    assert len(store.since(KEY, store.forgotten)) == 3
    with pytest.raises(TooOld):
        store.since(KEY, store.forgotten - 1)


def saved(path: Path, *, clean: bool) -> Store:
    store = Store()
    snapshot = Snapshot(store, path)
    store.put(KEY, thing("a", x="1"))
    snapshot.write(clean=clean)
    return store


def test_a_restart_goes_on_with_the_same_objects(tmp_path: Path) -> None:
    before = saved(tmp_path / "objects.json", clean=True)
    after = Store()
    assert Snapshot(after, tmp_path / "objects.json").load()
    assert after.get(KEY, "n", "a") == before.get(KEY, "n", "a")
    assert after.version == before.version
    assert (tmp_path / "objects.json").stat().st_mode & 0o777 == 0o600


def test_after_a_crash_no_version_is_given_twice(tmp_path: Path) -> None:
    before = saved(tmp_path / "objects.json", clean=False)
    after = Store()
    Snapshot(after, tmp_path / "objects.json").load()
    assert after.version == before.version + VERSION_STEP


def test_a_broken_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "objects.json").write_text(json.dumps({"version": "x"}), encoding="utf-8")
    store = Store()
    assert not Snapshot(store, tmp_path / "objects.json").load()
    assert (tmp_path / "objects.unreadable").exists()
