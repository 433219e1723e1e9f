"""Live tables that many ask for at once are drawn once, never older than a request, only for those who may see them.

The application behind is a stand-in that says when it was asked; what the real view says of itself is tested below.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from deployments.choices import Role
from deployments.http.sight import ALONE, HEADER, QUESTION
from deployments.models import Membership
from llmdash import crowd
from llmdash.accounts.models import User
from tests import stage

Said = list[dict[str, Any]]
SIGHT, ASKED = HEADER.lower().encode(), QUESTION.lower().encode()


class View:
    """Draws for as long as one lets it; everybody's sight is what stands in their cookie, or in `rights`."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        self.rights: dict[str, str] = {}
        self.fails = False
        self.status = 200
        self.sent: list[list[bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope["headers"])
        self.sent.append(list(given))
        who = given.get(b"cookie", b"").decode()
        headers = [(SIGHT, self.rights.get(who, who).encode()), (b"X-Request-ID", who.encode())]
        if ASKED in given:
            self.asked.append(who)
            return await answer(send, ALONE, headers, b"")
        self.drawn.append(who)
        number = len(self.drawn)
        await self.go_on.wait()
        if self.fails:
            raise ValueError("it fails")
        await answer(send, self.status, headers, f"drawing {number}".encode())


async def answer(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def ask(app: crowd.Crowd, who: str, *more: tuple[bytes, bytes], path: str = "/deployments/") -> Said:
    """What a live update of somebody gets."""
    said: Said = []
    headers = [(b"cookie", who.encode()), (b"hx-request", b"true"), *more]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}

    async def take(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, take)
    return said


async def receive() -> Any:
    raise AssertionError("nothing is read of a GET")


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def played(play: Callable[[View, crowd.Crowd], Any]) -> None:
    async def act() -> None:
        view = View()
        await play(view, crowd.Crowd(view))

    asyncio.run(act())


def body(said: Said) -> bytes:
    return bytes(said[1]["body"])


def test_a_crowd_costs_one_drawing_for_the_first_and_one_for_all_who_come_meanwhile() -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        first = asyncio.create_task(ask(app, "all"))
        await settled()
        rest = [asyncio.create_task(ask(app, "all")) for _ in range(50)]
        await settled()
        view.go_on.set()
        assert body(await first) == b"drawing 1"
        assert [body(said) for said in await asyncio.gather(*rest)] == [b"drawing 2"] * 50
        assert len(view.drawn) == 2
        assert body(await ask(app, "all")) == b"drawing 3", "what came before is no answer to who comes now"
        assert app.asking == {}

    played(play)


def test_who_sees_other_things_shares_nothing() -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        tasks = [asyncio.create_task(ask(app, who)) for who in ("maria", "jun", "maria", "jun")]
        await settled()
        view.go_on.set()
        await asyncio.gather(*tasks)
        assert sorted(view.drawn) == ["jun", "jun", "maria", "maria"]

    played(play)


def test_an_answer_for_other_rights_than_one_was_known_to_have_is_not_taken() -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        view.rights = {"maria": "both", "jun": "both"}
        view.go_on.set()
        await asyncio.gather(ask(app, "maria"), ask(app, "jun"))
        view.go_on.clear()
        first = asyncio.create_task(ask(app, "maria"))
        await settled()
        waiting = [asyncio.create_task(ask(app, who)) for who in ("maria", "jun")]
        await settled()
        view.rights["maria"] = "less"
        drawn = len(view.drawn)
        view.go_on.set()
        await first
        await asyncio.gather(*waiting)
        assert view.drawn[drawn:] == ["maria", "jun"], "the second was drawn for jun alone"

    played(play)


def test_rights_are_asked_for_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        view.go_on.set()
        await ask(app, "maria")
        await ask(app, "maria")
        assert view.asked == ["maria"]
        monkeypatch.setattr(crowd, "TRUST_SECONDS", 0.0)
        await ask(app, "maria")
        assert view.asked == ["maria", "maria"]

    played(play)


def test_what_is_the_askers_own_is_not_given_to_others_and_the_header_to_nobody() -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        view.rights = {"maria": "both", "jun": "both"}
        first = asyncio.create_task(ask(app, "maria"))
        await settled()
        others = [asyncio.create_task(ask(app, who)) for who in ("maria", "jun")]
        await settled()
        view.go_on.set()
        names = [{name.lower() for name, _ in said[0]["headers"]} for said in [await first, *[await o for o in others]]]
        assert names == [{b"x-request-id"}, {b"x-request-id"}, set()]

    played(play)


def test_when_the_one_who_asks_fails_the_others_ask_for_themselves() -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        first = asyncio.create_task(ask(app, "all"))
        await settled()
        others = [asyncio.create_task(ask(app, "all")) for _ in range(3)]
        await settled()
        view.fails = True
        view.go_on.set()
        outcomes = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(one) for one in outcomes] == [ValueError] * 4
        view.fails = False
        assert body(await ask(app, "all")).startswith(b"drawing")
        assert app.asking == {}

    played(play)


@pytest.mark.parametrize("name", [b"Llmdash-Sight-Only", b"llmdash_sight_only", b"llmdash-sight_only"])
def test_nobody_outside_can_ask_the_question(name: bytes) -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        view.go_on.set()
        said = await ask(app, "maria", (name, b"1"))
        assert said[0]["status"] == 200
        assert view.sent[-1] == [b"cookie", b"hx-request"]

    played(play)


def test_what_is_no_whole_answer_is_not_given_to_others() -> None:
    async def play(view: View, app: crowd.Crowd) -> None:
        first = asyncio.create_task(ask(app, "all"))
        await settled()
        rest = [asyncio.create_task(ask(app, "all")) for _ in range(3)]
        await settled()
        view.status = 304
        view.go_on.set()
        await asyncio.gather(first, *rest)
        assert len(view.drawn) == 4

    played(play)


def test_of_the_people_it_knows_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "REMEMBERED", 3)

    async def play(view: View, app: crowd.Crowd) -> None:
        view.go_on.set()
        for number in range(10):
            await ask(app, f"person {number}")
        assert len(app.sights) == 3

    played(play)


@pytest.mark.django_db
def test_the_list_says_for_whom_its_table_is_the_same() -> None:
    project, other = stage.project("team"), stage.project("other", cluster=stage.cluster("west"))
    maria, jun = (stage.member(project, name, Role.VIEWER) for name in ("maria", "jun"))
    stage.deployment(project, by=maria)
    assert sight_of(maria) == sight_of(jun)
    before = sight_of(jun)
    Membership.objects.create(project=other, user=jun, role=Role.VIEWER)
    assert sight_of(jun) not in (before, sight_of(maria))
    Membership.objects.filter(user=jun).update(role=Role.OPERATOR)
    assert sight_of(jun) != sight_of(maria)
    assert sight_of(stage.user("boss", is_superuser=True)) not in (sight_of(jun), sight_of(maria))


def sight_of(person: User) -> str:
    """What the view answers to the question alone."""
    client = Client()
    client.force_login(person)
    asked = client.get("/deployments/", headers={"HX-Request": "true", QUESTION: "1"})
    drawn = client.get("/deployments/", headers={"HX-Request": "true"})
    assert (asked.status_code, asked.content, drawn.status_code) == (ALONE, b"", 200)
    assert asked[HEADER] == drawn[HEADER]
    return str(asked[HEADER])
