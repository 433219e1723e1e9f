"""Each thing that an API server or the way to it can say becomes the right kind of error, in words."""

import json
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.choices import Connection as Seen
from deployments.choices import Problem
from deployments.kube import ITSELF, Access, Connection, KubeError, errors
from deployments.kube.errors import FieldConflict, Gone, NotKubernetes, NotTrusted, Unreachable
from tests.deployments.kube.servers import Authority, answer, free_port, serving, tls

CONFLICT = {"reason": "FieldManagerConflict", "field": ".spec.replicas"}
QUOTA = 'pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'


def status(code: int, reason: str = "", message: str = "the server's words", **more: Any) -> bytes:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
    return json.dumps(body | {"message": message} | more).encode()


def translated(code: int, reason: str = "", **more: Any) -> KubeError:
    return errors.from_response(code, status(code, reason, **more), {})


WAIT, BACK_OFF, CLUSTER = Problem.WAIT, Problem.BACK_OFF, Problem.CLUSTER


@pytest.mark.parametrize(
    ("code", "reason", "problem"),
    [
        (400, "BadRequest", WAIT), (401, "Unauthorized", CLUSTER), (403, "Forbidden", WAIT), (404, "NotFound", WAIT),
        (405, "MethodNotAllowed", WAIT), (408, "Timeout", BACK_OFF), (409, "Conflict", BACK_OFF),
        (409, "AlreadyExists", BACK_OFF), (410, "Expired", WAIT), (413, "RequestEntityTooLarge", WAIT),
        (415, "UnsupportedMediaType", WAIT), (422, "Invalid", WAIT), (429, "TooManyRequests", BACK_OFF),
        (500, "InternalError", BACK_OFF), (503, "ServiceUnavailable", BACK_OFF), (504, "Timeout", BACK_OFF),
    ],
)  # fmt: skip
def test_each_answer_tells_what_has_to_happen_next(code: int, reason: str, problem: Problem) -> None:
    error = translated(code, reason)
    assert (error.problem, error.status, error.reason) == (problem, code, reason)
    assert error.message == str(error) == "the server's words"


def test_the_servers_own_words_are_kept() -> None:
    assert translated(403, "Forbidden", message=QUOTA).message == QUOTA


def test_an_object_that_is_too_large_is_not_tried_again_although_it_is_a_500() -> None:
    assert translated(500, message="etcdserver: request is too large").problem == WAIT


def test_a_field_conflict_names_each_field_with_its_rival() -> None:
    said = 'conflict with "kubectl-edit" using apps/v1'
    other = 'conflict with "hpa" with subresource "scale" using apps/v1'
    error = translated(
        409, "Conflict", details={"causes": [CONFLICT | {"message": said}, CONFLICT | {"message": other}]}
    )
    assert isinstance(error, FieldConflict)
    assert [(cause.manager, cause.field) for cause in error.causes] == [
        ("kubectl-edit", ".spec.replicas"), ("hpa", ".spec.replicas"),
    ]  # fmt: skip
    assert error.problem == WAIT


@pytest.mark.parametrize("message", ["", "conflict with", 'conflict with "', "conflict with nobody", None])
def test_a_conflict_that_names_no_rival_has_none(message: str | None) -> None:
    error = translated(409, "Conflict", details={"causes": [CONFLICT | {"message": message}]})
    assert error.causes[0].manager == ""


def test_a_refusal_with_causes_of_another_kind_is_no_field_conflict() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "spec.replicas", "message": "must not be negative"}]
    error = translated(422, "Invalid", details={"causes": causes})
    assert type(error) is KubeError
    assert error.causes[0].field == "spec.replicas"


def test_a_resource_version_that_is_too_old_is_gone() -> None:
    assert isinstance(translated(410, "Expired"), Gone)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0", 0.0), ("", None), ("soon", None), ("-1", None), ("1.5", None), ("²", None), ("9" * 40, 3600.0),
     ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)  # fmt: skip
def test_retry_after_is_honoured_within_reason(header: str, seconds: float | None) -> None:
    assert errors.from_response(429, status(429), {"Retry-After": header}).retry_after == seconds


@pytest.mark.parametrize("code", [400, 404, 405, 409, 418, 422])
@pytest.mark.parametrize("body", [b"", b"<html>404 Not Found</html>", b"[]", b'{"kind": "List"}', b"\xff\xfe"])
def test_something_that_is_no_kubernetes_api_is_told_apart(code: int, body: bytes) -> None:
    error = errors.from_response(code, body, {})
    assert isinstance(error, NotKubernetes)
    assert (error.problem, error.connection) == (CLUSTER, Seen.WRONG)


@pytest.mark.parametrize("code", [401, 403, 429, 500, 502, 503, 504])
def test_a_proxys_plain_answer_still_counts_by_its_number(code: int) -> None:
    error = errors.from_response(code, b"<html>Bad Gateway</html>", {})
    assert not isinstance(error, NotKubernetes)
    assert error.message == f"The server answered {code}."


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from(["kind", "details", "causes", "code", "message", "reason"]), inner)
    | st.lists(inner, max_size=2),
).map(lambda made: json.dumps(made).encode()), st.sampled_from([400, 401, 403, 409, 410, 422, 429, 500]))  # fmt: skip
def test_no_body_whatever_breaks_the_translation(body: bytes, code: int) -> None:
    assert isinstance(errors.from_response(code, body, {}), KubeError)


def test_causes_of_a_wrong_type_do_not_break_it() -> None:
    for causes in (5, "x", [1], [None], [{"field": 5}], {"a": "b"}):
        assert isinstance(translated(409, "Conflict", details={"causes": causes}), KubeError)


def test_an_endless_message_is_cut() -> None:
    assert len(translated(403, message="x" * 100_000).message) == errors.MAX_MESSAGE


def asked(url: str, **access: str) -> KubeError:
    with pytest.raises(KubeError) as refused:
        Connection(Access(url, token="t", **access)).call("GET", "/version", identity=ITSELF)
    return refused.value


def test_nobody_listening_is_told_as_refused() -> None:
    error = asked(f"https://127.0.0.1:{free_port()}")
    assert isinstance(error, Unreachable)
    assert error.message == "The API server refuses connections."
    assert (error.problem, error.connection) == (BACK_OFF, Seen.UNREACHABLE)


def test_who_hangs_up_before_showing_a_certificate_shows_no_wrong_one() -> None:
    with serving(lambda request: b"") as server:
        error = asked(server.url.replace("http:", "https:"))
    assert isinstance(error, Unreachable)
    assert error.message == "The API server closed the connection."


def test_an_unknown_host_is_told() -> None:
    error = asked("https://no-such-host.invalid")
    assert isinstance(error, Unreachable)
    assert error.message == "The API server's host name is not known."


def test_a_server_that_says_nothing_is_left_after_the_time_out(settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"REQUEST_SECONDS": 0.3}
    with serving(lambda request: silence()) as server:
        error = asked(server.url)
    assert isinstance(error, Unreachable)
    assert error.message == "The API server did not answer in time."


def silence() -> Iterator[bytes]:
    time.sleep(1)
    yield b""


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"\x00\x01\x02", b"HTTP/1.1 xyz\r\n\r\n"]
)
def test_a_connection_that_breaks_off_is_tried_again(said: bytes) -> None:
    with serving(lambda request: said) as server:
        error = asked(server.url)
    assert (error.problem, error.connection) == (BACK_OFF, Seen.UNREACHABLE)


def certificate_error(folder: Path, context: ssl.SSLContext, authority: Authority, **access: str) -> KubeError:
    with serving(lambda request: answer(200, "{}"), context) as server:
        error = asked(f"https://127.0.0.1:{server.port}", ca_pem=authority.pem, **access)
        assert server.asked == []
    assert isinstance(error, NotTrusted)
    assert (error.problem, error.connection) == (CLUSTER, Seen.CERTIFICATE)
    return error


def test_an_expired_certificate_is_named(tmp_path: Path) -> None:
    authority = Authority.make()
    context = tls(tmp_path, authority.issue("127.0.0.1", lives=timedelta(minutes=59)))
    assert certificate_error(tmp_path, context, authority).message == "The API server's certificate has expired."


def test_a_certificate_of_tomorrow_is_named(tmp_path: Path) -> None:
    authority = Authority.make()
    context = tls(tmp_path, authority.issue("127.0.0.1", start=timedelta(minutes=30)))
    assert "not valid yet" in certificate_error(tmp_path, context, authority).message


@pytest.mark.parametrize("names", [("kube.example.com",), ("10.0.0.1",)])
def test_a_certificate_of_another_host_is_named(tmp_path: Path, names: tuple[str, ...]) -> None:
    authority = Authority.make()
    error = certificate_error(tmp_path, tls(tmp_path, authority.issue(*names)), authority)
    assert error.message == "The API server's certificate belongs to another host name."


@pytest.mark.parametrize("name", ["test CA", "another CA"])
def test_a_certificate_of_another_authority_is_named(tmp_path: Path, name: str) -> None:
    context = tls(tmp_path, Authority.make(name).issue("127.0.0.1"))
    error = certificate_error(tmp_path, context, Authority.make())
    assert error.message == "The API server's certificate was not signed by the given CA."


def test_the_systems_authorities_do_not_know_ours(tmp_path: Path) -> None:
    context = tls(tmp_path, Authority.make().issue("127.0.0.1"))
    with serving(lambda request: answer(200, "{}"), context) as server:
        error = asked(f"https://127.0.0.1:{server.port}")
    assert error.message == "The API server's certificate was not signed by the given CA."


def test_a_port_without_tls_is_named() -> None:
    authority = Authority.make()
    with serving(lambda request: answer(200, "{}")) as server:
        error = asked(f"https://127.0.0.1:{server.port}", ca_pem=authority.pem)
    assert (error.connection, error.message) == (Seen.WRONG, "The API server does not speak TLS on this port.")


def test_the_name_of_the_kubeconfig_is_compared_with_the_certificate(tmp_path: Path) -> None:
    authority = Authority.make()
    context = tls(tmp_path, authority.issue("kube.internal"))
    with serving(lambda request: answer(200, '{"a": 1}'), context) as server:
        access = Access(f"https://127.0.0.1:{server.port}", authority.pem, "kube.internal", token="t")
        assert Connection(access).call("GET", "/version", identity=ITSELF) == {"a": 1}
        other = asked(f"https://127.0.0.1:{server.port}", ca_pem=authority.pem, tls_server_name="kube.external")
    assert other.message == "The API server's certificate belongs to another host name."


@pytest.mark.parametrize("which", ["expired", "host", "authority"])
def test_a_client_certificate_does_not_loosen_the_check(tmp_path: Path, which: str) -> None:
    authority = Authority.make()
    certificate, key = authority.issue("client")
    issuer = Authority.make() if which == "authority" else authority
    lives = timedelta(minutes=59) if which == "expired" else timedelta(hours=2)
    context = tls(tmp_path, issuer.issue("kube.example.com" if which == "host" else "127.0.0.1", lives=lives))
    with serving(lambda request: answer(200, "{}"), context) as server:
        access = Access(
            f"https://127.0.0.1:{server.port}", authority.pem, client_certificate=certificate, client_key=key
        )
        with pytest.raises(NotTrusted):
            Connection(access).call("GET", "/version", identity=ITSELF)
    assert server.asked == []
