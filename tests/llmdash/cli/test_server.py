"""What a server's answers become, and how `--wait` judges them."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmdash import cli
from llmdash.cli import kept, output, waiting
from llmdash.cli.server import Failed, Server, refusal
from tests.deployments.kube.servers import answer, serving

PROBLEM = {"detail": "No.", "request_id": "r"}


def refused(status: int, body: Any) -> Failed:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(httpx.Response(status, content=content))


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, PROBLEM, 1), (401, PROBLEM, 1), (403, PROBLEM, 1), (404, PROBLEM, 3), (409, PROBLEM, 1),
        (409, PROBLEM | {"code": "conflict"}, 4), (412, PROBLEM, 4), (429, PROBLEM, 1), (500, PROBLEM, 1),
        (503, PROBLEM, 7), (200, b"<html>", 7), (502, b"<html>", 7), (400, [], 7), (400, {"detail": None}, 1),
    ],
)  # fmt: skip
def test_every_refusal_has_its_exit_code(status: int, body: Any, code: int) -> None:
    assert refused(status, body).exit_code == code


def test_faults_and_the_request_of_a_failure_are_told() -> None:
    faults = PROBLEM | {"errors": [{"pointer": "/spec/gpus", "detail": "Too many."}, {"pointer": "", "detail": "Odd."}]}
    assert refused(400, faults).message == "No.\n  /spec/gpus: Too many.\n  /: Odd."
    assert refused(500, PROBLEM).message == "No.\n  request r"
    changed = PROBLEM | {"changes": [{"field": "replicas", "before": 1, "after": 2}]}
    assert refused(412, changed).message == "No.\n  replicas: 1 became 2"


@pytest.mark.parametrize(
    "url", ["llmdash.example.org", "ftp://x", "https://", "http://llmdash.example.org", "http://10.0.0.1"]
)
def test_an_address_to_which_no_token_may_go_is_refused(url: str) -> None:
    with pytest.raises(Failed):
        Server(url, "token")


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with serving(lambda _: answer(302, b"", Location="http://127.0.0.1:1/")) as server, pytest.raises(Failed) as failed:
        Server(server.url, "token")("GET", "/projects")
    assert failed.value.exit_code == 7
    assert len(server.asked) == 1


def test_lists_are_read_to_their_last_page() -> None:
    def pages(request: Any) -> bytes:
        number = 1 if "page=1" in request.target else 2
        more = "http://elsewhere.example.org/?page=2" if number == 1 else None
        return answer(200, json.dumps({"results": [{"n": number}], "next": more}))

    with serving(pages) as server:
        assert [row["n"] for row in Server(server.url, "token").every("/projects", search="a")] == [1, 2]
        assert [request.target for request in server.asked] == [
            f"/api/v1/projects?search=a&page={page}&page_size=200" for page in (1, 2)
        ]
        assert server.asked[0].headers["authorization"] == "Bearer token"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's configuration folder, and an environment that says nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("LLMDASH_SERVER", "LLMDASH_TOKEN", "LLMDASH_TOKEN_FILE", "LLMDASH_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_remembered_token_goes_to_its_own_server_only(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.write({"server": "http://127.0.0.1:1", "token": "secret"})
    assert cli.main(["get", "projects"]) == 7
    assert cli.main(["--server", "http://127.0.0.1:2", "get", "projects"]) == 1
    assert "There is no token for http://127.0.0.1:2" in capsys.readouterr().err
    (home / "token").write_text("another\n")
    assert cli.main(["--server", "http://127.0.0.1:2", "--token-file", str(home / "token"), "get", "projects"]) == 7
    assert cli.main(["--token-file", str(home / "nothing"), "get", "projects"]) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_broken_file_is_as_none(home: Path, content: str) -> None:
    kept.place().parent.mkdir(parents=True)
    kept.place().write_text(content)
    assert kept.read() == {}
    assert cli.main(["get", "projects"]) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    assert "_LLMDASH_COMPLETE" in capsys.readouterr().out


# ---- waiting

APPLIED: dict[str, Any] = {
    "revision": 2,
    "outcome": "applied",
    "spec": {"running": True, "replicas": 2},
    "outcome_detail": {},
}
UP: dict[str, Any] = {
    "revision": 2, "observed_revision": 2, "health": "serving", "rollout": "complete", "ready": 2, "wanted": 2,
    "stale": False, "sentence": "Serving.", "deleted_at": None,
}  # fmt: skip


def test_only_the_whole_new_revision_is_up() -> None:
    assert waiting.is_up(APPLIED, UP)
    for status in (
        {"stale": True},
        {"observed_revision": 1},
        {"rollout": "progressing"},
        {"ready": 1},
        {"health": "degraded"},
    ):
        assert not waiting.is_up(APPLIED, UP | status)
    assert not waiting.is_up(APPLIED | {"outcome": "pending"}, UP)
    stopped = UP | {"health": "stopped", "ready": 0, "wanted": 0}
    assert not waiting.is_up(APPLIED, stopped)
    assert waiting.is_up(APPLIED | {"spec": {"running": False, "replicas": 2}}, stopped)
    assert waiting.is_up(APPLIED | {"spec": {"running": True, "replicas": 0}}, stopped)


@pytest.mark.parametrize(
    ("revision", "status", "said"),
    [
        ({"outcome": "refused", "outcome_detail": {"message": "quota"}}, {}, "was refused: quota"),
        ({"outcome": "superseded"}, {}, "was made meanwhile"),
        ({}, {"revision": 3}, "Revision 3 was made meanwhile"),
        ({}, {"deleted_at": "now"}, "being deleted"),
        ({}, {"rollout": "stuck"}, "The rollout is stuck. Serving."),
    ],
)
def test_what_comes_to_nothing_is_not_waited_for(revision: dict[str, Any], status: dict[str, Any], said: str) -> None:
    assert said in waiting.hopeless(APPLIED | revision, UP | status)
    assert not waiting.hopeless(APPLIED, UP | {"rollout": "stuck", "observed_revision": 1})


def test_cells_hold_nothing_that_moves_a_terminal() -> None:
    assert output.text("a\x1b[2Jb\nc") == "a?[2Jb?c"
    assert (output.text(None), output.text(0)) == ("-", "0")
