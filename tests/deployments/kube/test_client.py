"""One request at a time, as whom we say, to where we say, of bounded size and time."""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deployments.choices import Role
from deployments.kube import ITSELF, Access, Connection, Identity, KubeError, connect, logs, metadata
from deployments.kube.client import MAX_ANSWER_BYTES, client_files
from deployments.kube.errors import NotKubernetes, Unreachable
from tests import stage
from tests.controlplane.fixtures import namespace, plane
from tests.controlplane.plane import ControlPlane
from tests.deployments.kube.servers import Authority, Server, answer, serving

__all__ = ["namespace", "plane"]  # fixtures


def connection(server: Server) -> Connection:
    return Connection(Access(server.url, token="a-token"))


def call(server: Server, **more: Any) -> dict[str, Any]:
    return connection(server).call("GET", "/version", **{"identity": ITSELF} | more)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_gets_no_token(status: int) -> None:
    with serving(lambda request: answer(200, "{}")) as elsewhere:
        script = partial(answer, status, b"", Location=elsewhere.url)
        with serving(lambda request: script()) as server, pytest.raises(NotKubernetes, match="are not followed"):
            call(server)
        assert elsewhere.asked == []
    assert len(server.asked) == 1


def test_nothing_is_tried_again_by_itself() -> None:
    with serving(lambda request: answer(503, "")) as server, pytest.raises(KubeError):
        call(server)
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", ["", "<html>", "[1]", "null", "5", '"text"', '{"a": ', "[" * 200_000, b"\xff\xfe\x00"])
def test_garbage_is_told_as_no_kubernetes_api(body: str | bytes) -> None:
    with serving(lambda request: answer(200, body)) as server, pytest.raises(NotKubernetes):
        call(server)


def endless(length: int, chunk: bytes = b" " * 1_000_000) -> Iterator[bytes]:
    yield f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
    for _ in range(0, length, len(chunk)):
        yield chunk


def test_a_huge_body_is_left_at_the_bound() -> None:
    script = endless(10 * MAX_ANSWER_BYTES)
    with serving(lambda request: script) as server, pytest.raises(NotKubernetes, match="longer than 16 MiB"):
        call(server)


def drip() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    for _ in range(100):
        time.sleep(0.1)
        yield b" "


def test_a_body_that_drips_is_stopped_by_the_clock(settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"REQUEST_SECONDS": 0.5}
    began = time.monotonic()
    with serving(lambda request: drip()) as server, pytest.raises(Unreachable, match="did not answer in time"):
        call(server)
    assert time.monotonic() - began < 3


def test_a_huge_error_is_not_read_to_its_end() -> None:
    said = [b"HTTP/1.1 500 No\r\n\r\n", b"x" * 50_000_000]
    with serving(lambda request: said) as server, pytest.raises(KubeError) as refused:
        call(server)
    assert len(refused.value.message) < 100


def test_a_role_and_the_person_behind_it_travel_in_headers() -> None:
    with serving(lambda request: answer(200, "{}")) as server:
        call(server, identity=Identity("team", Role.OPERATOR, "maria@example.com"))
    headers = server.asked[0].headers
    assert headers["impersonate-user"] == "system:serviceaccount:team:llmdash-operator"
    assert headers["impersonate-extra-llmdash.io%2factor"] == "maria@example.com"
    assert headers["authorization"] == "Bearer a-token"
    assert not [name for name in headers if name.startswith(("impersonate-group", "impersonate-uid"))]


def test_llmdash_itself_impersonates_nobody() -> None:
    with serving(lambda request: answer(200, "{}")) as server:
        call(server)
    assert not [name for name in server.asked[0].headers if name.startswith("impersonate")]


@pytest.mark.parametrize("actor", ["a\r\nImpersonate-Group: system:masters", "müller", "模型", "a b", "100%", "\x00"])
def test_no_name_of_a_person_adds_a_header(actor: str) -> None:
    with serving(lambda request: answer(200, "{}")) as server:
        call(server, identity=Identity("team", Role.VIEWER, actor))
    headers = server.asked[0].headers
    assert "impersonate-group" not in headers
    assert headers["impersonate-extra-llmdash.io%2factor"].isascii()


@pytest.mark.parametrize("name", ["../../secrets/a", "a/b", "..", ".", "", "a%2fb", "a/../../../version"])
def test_no_name_leads_to_another_path(name: str) -> None:
    with serving(lambda request: answer(200, '{"metadata": {}}')) as server:
        with pytest.raises(KubeError) as refused:
            logs(connection(server), "team", name, identity=ITSELF)
        assert metadata(connection(server), "Pod", "team", name, identity=ITSELF) is None
    assert refused.value.status == 404
    assert server.asked == []


@pytest.mark.parametrize("name", ["a?b=c", "a#b", "a b", "ä"])
def test_odd_characters_of_a_name_stay_in_the_path(name: str) -> None:
    with serving(lambda request: answer(200, "text")) as server:
        logs(connection(server), "team", name, identity=ITSELF)
    [asked] = server.asked
    assert asked.target.count("?") == 1
    assert asked.target.startswith("/api/v1/namespaces/team/pods/a") or "%C3%A4" in asked.target


def test_metadata_of_what_is_not_there_is_none_and_of_a_wrong_path_an_error() -> None:
    missing = json.dumps({"kind": "Status", "reason": "NotFound", "message": "no", "code": 404})
    with serving(lambda request: answer(404, missing)) as server:
        assert metadata(connection(server), "Secret", "team", "a", identity=ITSELF) is None
        assert "PartialObjectMetadata" in server.asked[0].headers["accept"]
    with serving(lambda request: answer(404, "404 page not found")) as server, pytest.raises(NotKubernetes):
        metadata(connection(server), "Secret", "team", "a", identity=ITSELF)


def test_the_files_of_a_client_certificate_are_private_and_go_away() -> None:
    certificate, key = Authority.make().issue("client")
    with client_files(Access("https://a", client_certificate=certificate, client_key=key)) as (crt, pem):
        assert crt is not None
        assert pem is not None
        assert [Path(path).stat().st_mode & 0o777 for path in (crt, pem)] == [0o600, 0o600]
        assert Path(crt).parent.stat().st_mode & 0o777 == 0o700
    assert not Path(crt).parent.exists()


@pytest.mark.plane
def test_a_client_certificate_is_enough_for_the_real_api_server(plane: ControlPlane) -> None:
    pair = plane.client_certificate
    access = Access(
        plane.url, plane.ca_pem, client_certificate=pair.certificate.read_text(), client_key=pair.key.read_text()
    )
    for _ in range(2):
        answered = Connection(access).call(
            "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", identity=ITSELF,
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        )  # fmt: skip
        assert "system:masters" in answered["status"]["userInfo"]["groups"]


@pytest.mark.plane
def test_the_real_api_server_knows_role_and_person(plane: ControlPlane, namespace: str) -> None:
    who = Identity(namespace, Role.VIEWER, "maria+1@example.com")
    with pytest.raises(KubeError) as refused:
        real(plane).call("GET", f"/api/v1/namespaces/{namespace}/pods", identity=who)
    assert refused.value.status == 403
    entries = [json.loads(line) for line in plane.audit_log.read_text().splitlines() if namespace in line]
    acted = [entry["impersonatedUser"] for entry in entries if "impersonatedUser" in entry][-1]
    assert acted["username"] == f"system:serviceaccount:{namespace}:llmdash-viewer"
    assert acted["extra"]["llmdash.io/actor"] == ["maria+1@example.com"]


def real(plane: ControlPlane) -> Connection:
    return Connection(Access(plane.url, plane.ca_pem, token=plane.token))


@pytest.mark.plane
def test_a_wrong_token_is_rejected_by_the_real_api_server(plane: ControlPlane) -> None:
    with pytest.raises(KubeError) as refused:
        Connection(Access(plane.url, plane.ca_pem, token="wrong")).call("GET", "/api/v1/nodes", identity=ITSELF)
    assert (refused.value.status, refused.value.message) == (401, "Unauthorized")


@pytest.mark.django_db
def test_one_connection_serves_a_cluster_until_its_credentials_change() -> None:
    cluster = stage.cluster()
    first = connect(cluster)
    assert connect(cluster) is first
    cluster.credentials_changed_at = cluster.created_at
    assert connect(cluster) is not first
