"""The watcher's memory of events: bounded for each object, and the newest are those that stay."""

from typing import Any

import pytest

from monitoring.objects import Event
from monitoring.watcher.store import EVENTS_PER_OBJECT, Events, made
from tests.monitoring.samples import event

ABOUT = "uid-qwen-1"


def numbered(number: int, **more: Any) -> Event:
    """The event that happened in this second."""
    return event(f"R{number}", f"2026-07-01T10:00:{number:02d}Z", **more)


def reasons(events: Events) -> list[str]:
    return [found.reason for found in events.of([ABOUT]).get(ABOUT, [])]


def filled(*events: Event) -> Events:
    made = Events(lambda uid: None)
    for one in events:
        made.change("ADDED", one)
    return made


def test_the_oldest_event_goes_whatever_the_order_in_which_they_came() -> None:
    newest_first = [numbered(number) for number in range(EVENTS_PER_OBJECT, -1, -1)]
    kept = [f"R{number}" for number in range(1, EVENTS_PER_OBJECT + 1)]
    assert reasons(filled(*newest_first)) == kept
    assert reasons(filled(*reversed(newest_first))) == kept


def test_an_event_that_is_counted_up_is_new_again() -> None:
    events = filled(*(numbered(number) for number in range(EVENTS_PER_OBJECT)))
    events.change("MODIFIED", numbered(0, lastTimestamp="2026-07-01T11:00:00Z", count=2))
    events.change("ADDED", numbered(EVENTS_PER_OBJECT))
    assert reasons(events) == [*(f"R{number}" for number in range(2, EVENTS_PER_OBJECT + 1)), "R0"]


def test_an_event_without_a_time_goes_first() -> None:
    timeless = numbered(0, firstTimestamp=None, lastTimestamp=None)
    assert timeless.at is None
    events = filled(*(numbered(number) for number in range(1, EVENTS_PER_OBJECT + 1)), timeless)
    assert "R0" not in reasons(events)
    assert len(reasons(events)) == EVENTS_PER_OBJECT


def test_a_time_without_a_zone_breaks_no_comparison() -> None:
    odd = numbered(2, lastTimestamp="2026-07-01T10:00:02")
    assert reasons(filled(numbered(3), odd, numbered(1))) == ["R1", "R2", "R3"]


def test_a_list_of_a_namespace_takes_the_place_of_what_was_known() -> None:
    events = filled(numbered(1), numbered(2))
    events.replace([numbered(3)], "team")
    assert reasons(events) == ["R3"]
    events.change("DELETED", numbered(3))
    assert reasons(events) == []


LONG = f"{'a' * 50}-7d9f8b6c54"


@pytest.mark.parametrize(("replica_set", "stem"), [("qwen-7d9f8b6c54", "qwen-7d9f8b6c54-"), (LONG, LONG[:58])])
def test_events_of_pods_that_are_gone_are_found_by_who_made_them(replica_set: str, stem: str) -> None:
    about = {"kind": "Pod", "name": f"{stem}x2k9p", "uid": ABOUT}
    events = filled(numbered(1, involvedObject=about), numbered(2, involvedObject=about | {"uid": "other"}))
    ours = made("team", replica_set)
    assert set(events.of([], [ours])) == {ABOUT, "other"}
    assert events.of([], [made("team", replica_set[1:]), made("other", replica_set)]) == {}
    events.change("DELETED", numbered(1, involvedObject=about))
    assert set(events.of([], [ours])) == {"other"}
    events.replace([], "team")
    assert events.of(["other"], [ours]) == {}
