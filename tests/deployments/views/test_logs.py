"""The log of a pod; and why there is none."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone

from deployments.choices import Health
from deployments.models import Deployment
from tests.deployments.kube.servers import Request, Server, answer, free_port, serving
from tests.deployments.views.people import Team, text

POD = "qwen-7d9f8b6c54-x2k9p"


def path(row: Deployment, query: str = "", pod: str = POD) -> str:
    return f"/deployments/{row.pk}/pods/{pod}/logs/{query}"


@contextmanager
def cluster(team: Team, script: bytes | Callable[[Request], bytes]) -> Iterator[Server]:
    """A cluster that answers every request so."""
    with serving(script if callable(script) else lambda _: script) as server:
        move(team, server.url)
        yield server


def move(team: Team, url: str) -> None:
    team.project.cluster.api_url = url
    team.project.cluster.credentials_changed_at = timezone.now()
    team.project.cluster.save()


def refusal(code: int, message: str, reason: str = "") -> bytes:
    said = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return answer(code, json.dumps(said))


def test_the_log_is_read_as_the_projects_viewer_in_the_persons_name(team: Team) -> None:
    row = team.make()
    team.seen(row, Health.SERVING, pods=[{"name": POD, "restarts": 2, "stage": "ready"}])
    with cluster(team, answer(200, "INFO started\nINFO ready\n")) as server:
        said = team.viewer.get(path(row))
    assert said.status_code == 200
    assert "INFO started INFO ready" in text(said)
    [request] = server.asked
    assert request.target.startswith(f"/api/v1/namespaces/team/pods/{POD}/log?tailLines=500")
    assert request.headers["impersonate-user"] == "system:serviceaccount:team:llmdash-viewer"
    assert request.headers["impersonate-extra-llmdash.io%2factor"] == "team-viewer"
    assert "The run before" in text(said)


def test_the_run_before_is_asked_for_by_its_address(team: Team) -> None:
    row = team.make()
    with cluster(team, answer(200, "Traceback: no CUDA")) as server:
        said = text(team.viewer.get(path(row, "?previous=1")))
    assert "previous=true" in server.asked[0].target
    assert "no CUDA" in said
    assert "Follow" not in said


def test_a_live_update_is_the_log_alone(team: Team) -> None:
    row = team.make()
    with cluster(team, answer(200, "a line")):
        part = team.viewer.get(path(row), HX_Request="true").content.decode()
    assert "a line" in part
    assert "<html" not in part


def test_a_log_is_text_whatever_it_holds(team: Team) -> None:
    row = team.make()
    hostile = b"\x1b[31mred\x1b[0m <script>alert(1)</script>\r\n\x1b]0;title\x07\x9b2J\x00\x08bell\x07 \xff\xfe \tend\n"
    with cluster(team, answer(200, hostile)):
        body = team.viewer.get(path(row)).content.decode()
    shown = body[body.index('id="log-text">') + 14 :].split("</code>")[0]
    assert shown == "red &lt;script&gt;alert(1)&lt;/script&gt;\n\ufffd2Jbell \ufffd\ufffd \tend\n"


def test_an_empty_log_is_no_error(team: Team) -> None:
    row = team.make()
    with cluster(team, answer(200, "")):
        assert "Nothing written yet" in text(team.viewer.get(path(row)))


ERRORS: list[tuple[bytes, str, str, str]] = [
    (refusal(404, f'pods "{POD}" not found', "NotFound"), "This pod is gone", "not found",
     "Look at the pods that replaced it."),
    (refusal(400, 'container "vllm" in pod "x" is waiting to start: ContainerCreating', "BadRequest"),
     "There is no log yet", "is waiting to start: ContainerCreating", "It appears when the container has started."),
    (refusal(403, 'pods "x" is forbidden: User cannot get resource "pods/log"', "Forbidden"),
     "Not allowed to read logs", "is forbidden", "Ask a platform admin to look at the cluster's roles."),
    (refusal(401, "Unauthorized", "Unauthorized"), "Not allowed to read logs", "Unauthorized", "Ask a platform admin"),
    (refusal(500, "the server has asked for the client to provide credentials"), "The log could not be read",
     "provide credentials", "Try again when the cluster answers."),
    (refusal(429, "too many requests"), "The log could not be read", "too many requests", "Try again"),
    (answer(502, "<html>bad gateway</html>"), "The log could not be read", "The server answered 502.", "Try again"),
    (answer(302, "", Location="http://169.254.169.254/"), "The log could not be read", "redirects are not followed",
     "Try again"),
    (b"garbage", "The log could not be read", "The", "Try again"),
    (b"", "The log could not be read", "The API server closed the connection.", "Try again"),
]  # fmt: skip


@pytest.mark.parametrize("fragment", [True, False])
@pytest.mark.parametrize(("said", "title", "why", "step"), ERRORS)
def test_every_error_says_what_happened_why_and_what_to_do(
    team: Team, said: bytes, title: str, why: str, step: str, fragment: bool
) -> None:
    row = team.make()
    with cluster(team, said):
        found = team.viewer.get(path(row), **{"HX_Request": "true"} if fragment else {})
    assert found.status_code == 200
    words = text(found)
    assert title in words
    assert why in words
    assert step in words
    assert "Nothing written yet" not in words


def test_a_cluster_that_is_not_there_is_told(team: Team) -> None:
    row = team.make()
    move(team, f"https://127.0.0.1:{free_port()}")
    said = text(team.viewer.get(path(row)))
    assert "The log could not be read The API server refuses connections. Try again when the cluster answers." in said


def test_the_page_says_which_stage_the_pod_is_in(team: Team) -> None:
    row = team.make()
    team.seen(row, pods=[{"name": POD, "restarts": 0, "stage": "loading"}])
    with cluster(team, answer(200, "x")):
        said = text(team.viewer.get(path(row)))
    assert "Loading the weights" in said
    assert "The run before" not in said


@pytest.mark.parametrize("pod", ["qwen-2-7d9f8b6c54-x2k9p", "other-7d9f8b6c54-x2k9p", "qwen", "qwen-0", "postgres-0"])
def test_pods_of_others_in_the_namespace_are_not_there(team: Team, pod: str) -> None:
    row = team.make()
    team.seen(row, pods=[{"name": POD, "restarts": 0, "stage": "ready"}])
    with cluster(team, answer(200, "their lines")) as server:
        found = team.admin.get(path(row, pod=pod))
    assert found.status_code == 404
    assert server.asked == []


def test_a_pod_that_the_watcher_listed_may_have_any_name(team: Team) -> None:
    row = team.make()
    team.seen(row, pods=[{"name": "by-hand", "restarts": 0, "stage": "ready"}])
    with cluster(team, answer(200, "a line")):
        assert "a line" in text(team.viewer.get(path(row, pod="by-hand")))


@pytest.mark.parametrize("pod", ["..", "a%2Fb", "a.b", "x" * 300, f"{POD}%0A", "%00", "%E2%80%AE"])
def test_an_odd_name_of_a_pod_reaches_no_other_path(team: Team, pod: str) -> None:
    row = team.make()
    with cluster(team, answer(200, "their lines")) as server:
        found = team.viewer.get(path(row, pod=pod))
    assert found.status_code == 404
    assert server.asked == []


def test_strangers_ask_no_cluster(team: Team) -> None:
    row = team.make()
    stranger = team.viewer
    team.project.memberships.filter(user=stranger.user).delete()
    with cluster(team, answer(200, "secret lines")) as server:
        found = stranger.get(path(row))
    assert found.status_code == 404
    assert server.asked == []
