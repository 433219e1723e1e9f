"""How often the API may be called, by whom."""

from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from llmdash import environment
from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from llmdash.accounts.models import User
from tests import stage
from tests.deployments.api.caller import problem

pytestmark = pytest.mark.django_db
INDEX = "/api/v1/"


@pytest.fixture
def maria(settings: Any) -> User:
    settings.LLMDASH = settings.LLMDASH | {"THROTTLE_USER": (2, 60), "THROTTLE_ANON": (2, 60)}
    cache.clear()
    return stage.user("maria")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def statuses(client: Client, count: int, **headers: str) -> list[int]:
    return [client.get(INDEX, headers=headers).status_code for _ in range(count)]


def test_a_person_waits_for_the_next_window(maria: User) -> None:
    client = signed_in(maria)
    with time_machine.travel("2026-11-26T12:00:00Z", tick=False) as clock:
        assert statuses(client, 2) == [200, 200]
        clock.shift(40)
        answer = client.get(INDEX)
        assert problem(answer, 429)["code"] == "throttled"
        assert answer["Retry-After"] == "20"
        clock.shift(20)
        assert statuses(client, 3) == [200, 200, 429]


def test_a_clock_that_was_set_back_shuts_nobody_out(maria: User) -> None:
    client = signed_in(maria)
    with time_machine.travel("2026-11-26T12:00:00Z", tick=False) as clock:
        assert statuses(client, 3) == [200, 200, 429]
        clock.shift(-3600)
        assert statuses(client, 1) == [200]


def test_each_token_is_counted_by_itself(maria: User) -> None:
    texts = [services.make_token(user=maria, name="ci", scope=Scope.READ)[1] for _ in range(2)]
    for text in texts:
        assert statuses(Client(), 3, Authorization=f"Bearer {text}") == [200, 200, 429]
    assert statuses(signed_in(maria), 1) == [200]


def test_the_anonymous_are_counted_by_address_and_bad_tokens_with_them(maria: User) -> None:
    assert statuses(Client(), 1) == [401]
    assert statuses(Client(), 2, Authorization="Bearer llmd_a_b") == [401, 429]
    assert statuses(Client(), 1, X_Forwarded_For="10.0.0.1") == [429]  # no proxy stands in front: not believed
    assert Client().get(INDEX, REMOTE_ADDR="10.0.0.1").status_code == 401
    assert statuses(signed_in(maria), 1) == [200]


def test_refused_requests_count(maria: User) -> None:
    _, text = services.make_token(user=maria, name="ci", scope=Scope.READ)
    client, headers = Client(), {"Authorization": f"Bearer {text}"}
    assert [client.post(INDEX, headers=headers).status_code for _ in range(3)] == [403, 403, 429]


def test_a_cache_that_fails_stops_nobody(maria: User, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    assert statuses(signed_in(maria), 3) == [200, 200, 200]


@pytest.mark.parametrize(
    ("text", "rate"), [("600/min", (600, 60)), ("5/s", (5, 1)), ("1/h", (1, 3600)), ("off", None), ("OFF", None)]
)
def test_rates_are_read(text: str, rate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE", text)
    assert environment.rate("RATE", "1/s") == rate


@pytest.mark.parametrize("text", ["", "0/min", "-1/min", "5", "5/day", "5/min/min", "many"])
def test_what_is_no_rate_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE", text)
    with pytest.raises(ImproperlyConfigured, match="RATE"):
        environment.rate("RATE", "1/s")
