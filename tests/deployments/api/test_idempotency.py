"""What is made twice with one Idempotency-Key is made once, whatever it is."""

from typing import Any

import pytest
from django.apps import apps

from deployments.models import IdempotencyKey
from tests import stage
from tests.deployments.api.caller import Caller, Team, problem, team

pytestmark = pytest.mark.django_db
CLUSTER = {"name": "west", "api_url": "https://10.0.0.1", "token": "canary-token"}


@pytest.fixture(name="team")
def a_team() -> Team:
    stage.user("nina")
    return team()


def boss() -> Caller:
    return Caller(stage.user("boss", is_superuser=True))


def requests(of: Team) -> dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """What is made: (model, address, body, another body)."""
    project = {"name": "second", "cluster": "of-team", "namespace": "second"}
    member = {"user": "nina", "role": "viewer"}
    here = f"/projects/{of.project.pk}"
    return {
        "cluster": ("Cluster", "/clusters", CLUSTER, CLUSTER | {"token": "another"}),
        "project": ("Project", "/projects", project, project | {"namespace": "third"}),
        "member": ("Membership", f"{here}/members", member, member | {"role": "admin"}),
        "secret": ("SecretValue", f"{here}/secrets", {"name": "T", "value": "canary"}, {"name": "T", "value": "other"}),
    }


@pytest.mark.parametrize("what", ["cluster", "project", "member", "secret"])
def test_the_second_request_gets_what_the_first_one_made(team: Team, what: str) -> None:
    model, path, body, other = requests(team)[what]
    rows, caller = apps.get_model("deployments", model)._default_manager, boss()
    before = rows.count()
    first, second = (caller.post(path, body, Idempotency_Key="k-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert rows.count() == before + 1
    assert problem(caller.post(path, other, Idempotency_Key="k-1"), 422)["code"] == "key-reused"
    assert "canary" not in str(list(IdempotencyKey.objects.values()))


@pytest.mark.parametrize("what", ["cluster", "project", "member", "secret"])
def test_a_refused_request_leaves_its_key_free(team: Team, what: str) -> None:
    _, path, body, _ = requests(team)[what]
    caller = boss()
    problem(
        caller.post(path, body | {"name" if what != "member" else "user": "No such\x07"}, Idempotency_Key="k-1"), 400
    )
    assert caller.post(path, body, Idempotency_Key="k-1").status_code == 201


def test_what_was_made_and_is_gone_is_not_made_again(team: Team) -> None:
    caller, path = boss(), f"/projects/{team.project.pk}/members"
    made = caller.post(path, {"user": "nina", "role": "viewer"}, Idempotency_Key="k-1")
    caller("DELETE", made["Location"].removeprefix("/api/v1"), If_Match="*")
    again = caller.post(path, {"user": "nina", "role": "viewer"}, Idempotency_Key="k-1")
    assert "is gone" in problem(again, 409)["detail"]
