"""Every kind of bad request: refused in the same form, naming the place, with nothing half-saved."""

import json
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, OperationalError

from deployments import services
from tests.deployments.api.caller import PROBLEM, Caller, Team, pointers, problem, rows, team, wish

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


# ---- bodies that cannot be read


def nested(depth: int) -> str:
    return '{"spec":' + "[" * depth + "]" * depth + "}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"", "known"),
        (b"null", "object"),
        (b"[1]", "object"),
        (b'"text"', "object"),
        (b'{"name": NaN}', "NaN"),
        (b'{"name": -Infinity}', "Infinity"),
        (b'{"name": 1e999}', "too large"),
        (b'{"name": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"name": "a", "name": "b"}', "'name' stands twice"),
        (b'{"spec": {"gpus": 1, "gpus": 2}}', "'gpus' stands twice"),
        (b'{"name": "\xff\xfe"}', "not UTF-8"),
        ('{"name": "ä"}'.encode("latin-1"), "not UTF-8"),
        ('{"name": "a"}'.encode("utf-16"), "not UTF-8"),
        (b'\xef\xbb\xbf{"name": "a"}', "not JSON"),
        (b'{"name": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (nested(33), "deep"),
        (nested(100_000), "deep"),
        (b"{'name': 'a'}", "not JSON"),
        (b'{"name": "a"} {"name": "b"}', "not JSON"),
        (b'{"name": "a\nb"}', "not JSON"),
    ],
)
def test_a_body_that_is_not_strict_json_is_refused(team: Team, body: Any, said: str) -> None:
    before = rows()
    answer = team.operator.post("/deployments", body)
    if body == b"":
        assert pointers(answer) == ["/project", "/name", "/spec"]
    else:
        assert said in json.dumps(problem(answer, 400))
    assert rows() == before


def test_a_body_of_five_megabytes_is_too_large(team: Team) -> None:
    before = rows()
    big = json.dumps(wish(team.project, reason="x" * 5 * MIB))
    assert "1024 KiB" in problem(team.operator.post("/deployments", big), 413)["detail"]
    assert rows() == before


@pytest.mark.parametrize("depth", [1, 30])
def test_a_body_within_the_depth_is_read(team: Team, depth: int) -> None:
    answer = team.operator.post("/deployments", nested(depth))
    assert "/spec" in pointers(answer)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "text/yaml"])
def test_only_json_is_taken(team: Team, kind: str) -> None:
    before = rows()
    problem(team.operator.post("/deployments", "name=a", Content_Type=kind), 415)
    assert rows() == before


def test_a_body_in_chunks_is_refused_rather_than_read_as_none(team: Team) -> None:
    before = rows()
    problem(team.operator.post(f"{team.path}/stop", Transfer_Encoding="chunked"), 411)
    assert rows() == before


def test_only_json_is_given(team: Team) -> None:
    problem(team.operator.get("/deployments", Accept="text/html"), 406)


# ---- bodies of another shape


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"extra": 1}, "/extra"),
        ({"owner": "me", "desired": 7}, "/owner"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ({"project": 7}, "/project"),
        ({"project": ""}, "/project"),
        ({"reason": 7}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
        ({"reason": "a\x00b"}, "/reason"),
        ({"spec": "text"}, "/spec"),
        ({"spec": []}, "/spec"),
        ({"drift_policy": "maybe"}, "/drift_policy"),
        ({"drift_policy": 1}, "/drift_policy"),
    ],
)
def test_a_body_of_another_shape_is_refused_at_the_place(team: Team, changed: dict[str, Any], where: str) -> None:
    before = rows()
    answer = team.operator.post("/deployments", wish(team.project) | changed)
    problem(answer, 400)
    assert where in pointers(answer)
    assert rows() == before


@pytest.mark.parametrize(
    "name",
    [
        *("", "-a", "a-", "A", "Qwen", "a_b", "a.b", "a b", "9a", "a" * 51, "ä"),
        *("a\n", "a\x00", "a/../b", "<b>", "${x}", "' OR 1=1"),
    ],
)
def test_an_illegal_name_is_refused(team: Team, name: str) -> None:
    before = rows()
    answer = team.operator.post("/deployments", wish(team.project, name=name))
    problem(answer, 400)
    assert set(pointers(answer)) == {"/name"}
    assert rows() == before


def test_a_name_that_is_taken_is_a_conflict(team: Team) -> None:
    before = rows()
    answer = team.operator.post("/deployments", wish(team.project, name="team-llm"))
    assert problem(answer, 409)["code"] == "name-taken"
    assert pointers(answer) == ["/name"]
    assert rows() == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_the_installations_limits_are_told_with_all_other_mistakes_at_once(team: Team, method: str) -> None:
    spec = {"llm": "no slash", "replicas": 10**6, "gpus": 17, "port": 0}
    body = {"spec": spec} if method != "POST" else wish(team.project) | {"spec": spec}
    path = "/deployments" if method == "POST" else team.path
    answer = team.operator(method, path, body, If_Match="*")
    problem(answer, 400)
    assert sorted(pointers(answer)) == ["/spec/gpus", "/spec/llm", "/spec/port", "/spec/replicas"]
    assert "Must be 200 or less here." in answer.content.decode()


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"replicas": -1}, "/spec/replicas"),
        ({"replicas": 1e6}, "/spec/replicas"),
        ({"replicas": 10**400}, "/spec/replicas"),
        ({"replicas": 201}, "/spec/replicas"),
        ({"replicas": "2"}, "/spec/replicas"),
        ({"replicas": 1.5}, "/spec/replicas"),
        ({"replicas": True}, "/spec/replicas"),
        ({"replicas": None}, "/spec/replicas"),
        ({"gpus": -1}, "/spec/gpus"),
        ({"gpus": 17}, "/spec/gpus"),
        ({"context_length": 0}, "/spec/context_length"),
        ({"startup_seconds": 10**9}, "/spec/startup_seconds"),
        ({"port": 65_536}, "/spec/port"),
        ({"port": 0}, "/spec/port"),
        ({"service_port": -80}, "/spec/service_port"),
        ({"cpu_request": "lots"}, "/spec/cpu_request"),
        ({"memory_limit": "16 GB"}, "/spec/memory_limit"),
        ({"memory_limit": "-1Gi"}, "/spec/memory_limit"),
        ({"memory_request": "0"}, "/spec/memory_request"),
        ({"memory_request": "2Gi", "memory_limit": "1Gi"}, "/spec/memory_request"),
        ({"llm": "no slash"}, "/spec/llm"),
        ({"llm": "a/b\x1b[31m"}, "/spec/llm"),
        ({"llm": ""}, "/spec/llm"),
        ({"image": "not an image!"}, "/spec/image"),
        ({"runtime": "telepathy"}, "/spec/runtime"),
        ({"gpu_type": "a b"}, "/spec/gpu_type"),
        ({"args": ["--ok", "a\x00b"]}, "/spec/args/1"),
        ({"args": ["\u0085"]}, "/spec/args/0"),
        ({"node_selector": {"bad key": "v"}}, "/spec/node_selector/bad key"),
        ({"node_selector": {"a.b/c~d": "v"}}, "/spec/node_selector/a.b~1c~0d"),
        ({"env": [{"name": "1BAD", "value": "v"}]}, "/spec/env/0/name"),
        ({"env": [{"name": "BAD-NAME", "value": "v"}]}, "/spec/env/0/name"),
        ({"env": [{"name": "GOOD", "value": "v"}, {"name": "", "value": "v"}]}, "/spec/env/1/name"),
        ({"env": [{"name": "GOOD", "value": "a\x00b"}]}, "/spec/env/0/value"),
        ({"env": [{"name": "GOOD"}]}, "/spec/env/0"),
        ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "/spec/env"),
        ({"env": [{"name": "A", "secret": "not-an-id"}]}, "/spec/env/0/secret"),
        ({"env": [{"name": "A", "secret": "00000000-0000-0000-0000-000000000000"}]}, "/spec/env/0/secret"),
        ({"files": [{"path": "/../etc/passwd", "content": "x"}]}, "/spec/files/0"),
        ({"files": [{"path": "relative", "content": "x"}]}, "/spec/files/0/path"),
        ({"version": 2}, "/spec/version"),
        ({"nose": 1}, "/spec/nose"),
        ({"env": [{"name": "A", "value": "1", "nose": 1}]}, "/spec/env/0/nose"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_bad_spec_is_refused_at_the_parameter(team: Team, method: str, spec: dict[str, Any], where: str) -> None:
    before = rows()
    if method == "POST":
        body = wish(team.project) | {"spec": {"llm": "Qwen/Qwen3-8B"} | spec}
        answer = team.operator.post("/deployments", body)
    else:
        given = spec if method == "PATCH" else {"llm": "Qwen/Qwen3-8B"} | spec
        answer = team.operator(method, team.path, {"spec": given}, If_Match='"1"')
    problem(answer, 400)
    assert pointers(answer) == [where]
    assert rows() == before


def test_every_fault_is_named_at_once(team: Team) -> None:
    body = wish(team.project, nose=1, spec={"llm": "Qwen/Qwen3-8B", "gpus": -1, "env": [{"name": "1", "value": "v"}]})
    assert pointers(team.operator.post("/deployments", body)) == ["/nose", "/spec/gpus", "/spec/env/0/name"]


def test_a_refusal_does_not_repeat_a_value(team: Team) -> None:
    spec = {"llm": "Qwen/Qwen3-8B", "env": [{"name": "TOKEN", "value": "hunter2\x00"}]}
    answer = team.operator.post("/deployments", wish(team.project, spec=spec))
    problem(answer, 400)
    assert b"hunter2" not in answer.content


def test_a_flood_of_faults_is_cut(team: Team) -> None:
    spec = {"llm": "Qwen/Qwen3-8B"} | {f"nose{number}": 1 for number in range(5000)}
    assert len(pointers(team.operator.post("/deployments", wish(team.project, spec=spec)))) == 100


# ---- addresses, methods and headers


@pytest.mark.parametrize("path", ["/nothing", "/deployments/7", "/deployments/x/stop", "/deployments//", "/../admin"])
def test_an_unknown_address_is_a_problem_too(team: Team, path: str) -> None:
    problem(team.operator.get(path), 404)


def test_an_unknown_revision_is_not_found(team: Team) -> None:
    problem(team.operator.get(f"{team.path}/revisions/9"), 404)
    problem(team.operator.get(f"{team.path}/revisions/{10**30}"), 404)


def test_an_address_may_end_with_a_slash(team: Team) -> None:
    assert team.operator.get("/deployments/").json() == team.operator.get("/deployments").json()
    assert team.operator.post(f"{team.path}/stop/").status_code == 202


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/deployments"), ("PUT", "/projects"), ("PATCH", "/clusters")])
def test_a_method_that_is_not_there_is_refused(team: Team, method: str, path: str) -> None:
    answer = team.operator(method, path, {})
    problem(answer, 405)
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("key", ["x" * 201, "a\tb", "schlüssel"])
def test_a_key_that_cannot_be_kept_is_refused(team: Team, key: str) -> None:
    before = rows()
    problem(team.operator.post("/deployments", wish(team.project), Idempotency_Key=key), 400)
    assert rows() == before


# ---- failures of ours


def failing(error: Exception) -> Any:
    return mock.patch.object(services, "create", side_effect=error)


def test_an_unforeseen_failure_says_nothing_of_itself(team: Team) -> None:
    with failing(RuntimeError("password=hunter2")):
        answer = team.operator.post("/deployments", wish(team.project))
    said = problem(answer, 500)
    assert said["code"] == "internal"
    assert b"hunter2" not in answer.content
    assert b"Traceback" not in answer.content


def test_a_database_that_is_away_is_said_with_a_time_to_come_back(team: Team) -> None:
    with failing(OperationalError("server closed the connection")):
        answer = team.operator.post("/deployments", wish(team.project))
    problem(answer, 503)
    assert answer["Retry-After"] == "2"


def test_a_race_that_the_database_decides_is_a_conflict(team: Team) -> None:
    with failing(IntegrityError("unique")):
        problem(team.operator.post("/deployments", wish(team.project)), 409)


def test_a_refused_caller_gets_problem_details_with_the_id_they_sent(team: Team) -> None:
    answer = Caller(None).get("/deployments", X_Request_ID="my-request-1")
    assert answer.json()["request_id"] == "my-request-1"
    assert answer["Content-Type"] == PROBLEM
