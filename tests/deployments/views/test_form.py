"""New and edit: what is wrong stands beside its field, what was typed stays, and nothing is half-saved."""

from typing import Any

import pytest

from deployments import services
from deployments.models import AuditEntry, Deployment, Revision, SecretValue
from tests.deployments.views.forms import CANARY, GOOD, NEW, edit, newest, refused
from tests.deployments.views.people import Team, beside, filled, rows, team, text, typed

# ---- what is right


def test_a_good_form_makes_one_deployment_and_keeps_the_reason(team: Team) -> None:
    answer = team.operator.send(NEW, **GOOD, reason="For the demo", env="A=1\r\nB=x=y", args="--x\r\n--y=1")
    row = Deployment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/deployments/{row.pk}/")
    revision = newest(row)
    assert (row.name, revision.number, revision.reason, revision.author) == (
        "qwen",
        1,
        "For the demo",
        team.operator.user,
    )
    assert [(var.name, var.value) for var in revision.spec.env] == [("A", "1"), ("B", "x=y")]
    assert revision.spec.args == ["--x", "--y=1"]
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.detail["reason"]) == ("create", "For the demo")
    page = team.viewer.get(answer["Location"])
    assert "“For the demo”" in text(page)
    assert "qwen is saved and will be applied." in text(team.operator.get(answer["Location"]))


def test_an_edit_changes_only_what_was_typed(team: Team) -> None:
    row = team.make(replicas=3, env=[{"name": "A", "value": "1"}])
    answer = team.operator.send(edit(row), replicas="4", reason="More")
    assert answer.status_code == 302
    before, after = (found.spec for found in Revision.objects.filter(deployment=row).order_by("number"))
    assert after == before.model_copy(update={"replicas": 4})
    assert newest(row).reason == "More"


def test_a_form_that_changes_nothing_makes_nothing_and_says_so(team: Team) -> None:
    row = team.make(env=[{"name": "A", "value": "1"}], args=["--x"], files=[{"path": "/a/b", "content": "c\n"}])
    answer = refused(team.operator, edit(row))
    assert "This changes nothing, so no revision was made." in text(answer)


STRANGE: dict[str, Any] = {
    "args": ["  two spaces", "a\nb", "line\u2028separator"],
    "env": [{"name": "B", "value": "one\ntwo\n"}, {"name": "A", "value": " spaced "}],
    "files": [{"path": "/etc/a", "content": "no end"}, {"path": "/etc/b", "content": "=== /etc/c\n\n"},
              {"path": "/etc/d", "content": ""}],
}  # fmt: skip


def test_what_text_cannot_say_stays_as_it_was_when_it_is_not_touched(team: Team) -> None:
    row = team.make(**STRANGE)
    assert team.operator.send(edit(row), replicas="2").status_code == 302
    after = newest(row).spec
    assert after.replicas == 2
    for name in STRANGE:
        assert getattr(after, name) == getattr(Revision.objects.get(deployment=row, number=1).spec, name), name


def test_one_file_that_is_touched_leaves_the_others(team: Team) -> None:
    files = [{"path": "/etc/a", "content": "no end"}, {"path": "/etc/b", "content": "b\u2028\n"}]
    row = team.make(files=files)
    shown = typed(team.operator.get(edit(row)), "files")
    assert shown == "=== /etc/a\nno end\n=== /etc/b\nb\u2028\n"
    assert team.operator.send(edit(row), files=shown + "more\n").status_code == 302
    after = {file.path: file.content for file in newest(row).spec.files}
    assert after == {"/etc/a": "no end", "/etc/b": "b\u2028\nmore\n"}


# ---- what is wrong


NAMES = ["", "Qwen", "1qwen", "-qwen", "qwen-", "qwen_8b", "qwen.8b", "qw en", "q" * 51, "кwen", "qwen\x00", "../qwen",
         "qwen\n", "<b>"]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NAMES if name != "qwen\n"])
def test_an_illegal_name_is_told_beside_it(team: Team, name: str) -> None:
    answer = refused(team.operator, NEW, **GOOD | {"name": name})
    assert beside(answer, "name")
    assert typed(answer, "llm") == "Qwen/Qwen3-8B"


def test_a_name_that_stands_there_already_is_told_beside_it(team: Team) -> None:
    team.make("qwen")
    answer = refused(team.operator, NEW, **GOOD)
    assert beside(answer, "name") == "A deployment of this name stands in the project already."
    assert typed(answer, "name") == "qwen"


WRONG = [
    ("replicas", "-1", "greater than or equal to 0"),
    ("replicas", "999999999999", "Must be 200 or less here."),
    ("replicas", "9" * 5000, "Must be a whole number."),
    ("replicas", "201", "Must be 200 or less here."),
    ("replicas", "two", "Must be a whole number."),
    ("replicas", "1.5", "Must be a whole number."),
    ("replicas", "٣", None),
    ("replicas", "1e3", "Must be a whole number."),
    ("gpus", "-8", "greater than or equal to 0"),
    ("gpus", "17", "Must be 16 or less here."),
    ("context_length", "0", "greater than or equal to 1"),
    ("startup_seconds", "29", "greater than or equal to 30"),
    ("port", "0", "greater than or equal to 1"),
    ("port", "65536", "less than or equal to 65535"),
    ("port", "-1", "greater than or equal to 1"),
    ("service_port", "99999", "less than or equal to 65535"),
    ("cpu_request", "four", "is not a quantity such as 500m, 2 or 16Gi"),
    ("cpu_request", "-1", "Must be more than zero."),
    ("cpu_request", "1n", "Is less than 1m"),
    ("memory_limit", "1m", "Is less than 1Mi; without a suffix it is a number of bytes."),
    ("image", "1.2.3.4:99999/x:1", "99999 is no port."),
    ("replicas", "9" * 24, "Must be 200 or less here."),
    ("name", "q" * 51, "at most 50 of them."),
    ("reason", "a\x07b", "Contains the control character U+0007."),
    ("secret_env", "=x", "A value has no name; write NAME=value."),
    ("secret_env", f"TOKEN={'x' * 65_537}", "The value of TOKEN has more than 65,536 characters."),
    ("secret_env", "\n".join(f"T{number}={'x' * 65_000}" for number in range(14)), "Together have at most 900,000"),
    ("args", "--ok\n" + "x" * 2001, "Line 2: Must have at most 2,000 characters."),
    ("cpu_request", "0", "Must be more than zero."),
    ("memory_limit", "16GiB", "is not a quantity"),
    ("memory_limit", "1e", "is not a quantity"),
    ("memory_limit", "NaN", "is not a quantity"),
    ("shared_memory", "Infinity", "is not a quantity"),
    ("llm", "no slash", "Must be owner/name as on the hub"),
    ("llm", "a/b/c", "such as Qwen/Qwen3-8B."),
    ("llm", "a/b\x00", "Null characters are not allowed."),
    ("llm", "", "needs an LLM to serve"),
    ("image", "UPPER CASE", "Must be an image as container tools write it"),
    ("gpu_resource", "gpu", "Must be domain/resource"),
    ("gpu_type", "H 100", "such as NVIDIA-H100-80GB-HBM3."),
    ("health_path", "health", "Must begin with a slash"),
    ("runtime", "ollama", "Select a valid choice."),
    ("service_type", "Gateway", "Select a valid choice."),
    ("drift_policy", "fight", "Select a valid choice."),
    ("project", "00000000-0000-4000-8000-000000000000", "Select a valid choice."),
    ("project", "'; --", "is not a valid"),
    ("reason", "x" * 501, "at most 500 characters"),
    ("reason", "a\x00b", "Null characters are not allowed."),
    ("env", "NO VALUE", "Line 1: expected NAME=value."),
    ("env", "A=1\n\nB", "Line 3: expected NAME=value."),
    ("env", "1A=x", "Line 1: A variable's name has"),
    ("env", "A-B=x", "Line 1: A variable's name has"),
    ("env", "OK=1\nÄ=x", "Line 2: A variable's name has"),
    ("env", "=x", "Line 1: A variable's name has"),
    ("env", "A=1\nA=2", "A stands twice."),
    ("env", "A=bell\x07", "Line 1: Contains the control character U+0007."),
    ("env", f"A={'x' * 8193}", "8,192 characters"),
    ("secret_env", "TOKEN", "Line 1 has no stored value; write NAME=value, all in one line."),
    ("secret_env", "TOKEN=", "TOKEN has no value; write NAME=value, all in one line."),
    ("secret_env", "token=", "Line 1 has no value; write NAME=value, all in one line."),
    ("secret_env", "B-AD=x", "A variable's name has"),
    ("args", "--x\x1b[31m", "Contains the control character U+001B."),
    ("command", "\x7f", "Contains the control character U+007F."),
    ("node_selector", "nolabel", "Line 1: expected key=value."),
    ("node_selector", "a=1\na=2", "Line 2: a stands twice."),
    ("node_selector", "bad key=1", "bad key: A label's key is"),
    ("node_selector", "a=b c", "a: A label's value is"),
    ("files", "no header", "Begin with a line === /path/in/the/container."),
    ("files", "=== relative\nx", "File 1: A file's path begins with a slash"),
    ("files", "=== /../etc/passwd\nx", "A path may not contain . or .."),
    ("files", "=== /a\nx\n=== /a\ny", "/a stands twice."),
    ("files", "=== /a\n\x01", "Contains the control character U+0001."),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_every_mistake_stands_beside_its_field_and_what_was_typed_stays(
    team: Team, name: str, value: str, says: str | None
) -> None:
    if name == "replicas" and says is None:
        assert team.operator.send(NEW, **GOOD | {name: value}).status_code in (302, 422)
        return
    answer = refused(team.operator, NEW, **GOOD | {"env": "KEEP=me", "reason": "why"} | {name: value})
    assert says is not None
    assert says in beside(answer, name)
    assert "Nothing was saved." in text(answer)
    if name not in ("env", "secret_env", "runtime", "service_type", "drift_policy", "project"):
        assert typed(answer, name) == value
    for other, kept in {"env": "KEEP=me", "reason": "why", "name": "qwen"}.items():
        if other != name:
            assert typed(answer, other) == kept, other


def test_several_mistakes_are_told_at_once(team: Team) -> None:
    answer = refused(team.operator, NEW, **GOOD | {"name": "Q", "replicas": "x", "env": "bad", "files": "bad"})
    for name in ("name", "replicas", "env", "files"):
        assert beside(answer, name)


def test_a_request_above_its_limit_is_told_beside_the_request(team: Team) -> None:
    answer = refused(team.operator, NEW, **GOOD | {"cpu_request": "4", "cpu_limit": "2"})
    assert beside(answer, "cpu_request") == "Is more than the limit of 2."


def test_fields_that_nobody_knows_change_nothing(team: Team) -> None:
    extra = {"running": "false", "version": "9", "restarted_at": "2026-01-01", "desired": "7", "applied": "7",
             "deleted_at": "x", "is_superuser": "1", "secret_values": "x", "spec": "{}"}  # fmt: skip
    assert team.operator.send(NEW, **GOOD, **extra).status_code == 302
    row = Deployment.objects.get()
    assert (row.desired, row.applied, row.deleted_at, newest(row).spec.running) == (1, 0, None, True)
    others = {"name": "other", "project": "x", "runtime": "custom", "drift_policy": "leave", "replicas": "2"}
    assert team.operator.send(edit(row), **others, **extra).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.drift_policy, row.desired) == ("qwen", "heal", 2)
    assert newest(row).spec.runtime == "vllm"


def test_nobody_deploys_into_a_project_of_others(team: Team) -> None:
    other = anothers()
    answer = refused(team.operator, NEW, **GOOD | {"project": str(other.project.pk)})
    assert "Select a valid choice." in beside(answer, "project")
    assert str(other.project.pk) not in team.operator.get(NEW).content.decode()


def anothers() -> Team:
    return team("others")


# ---- bodies


def test_a_body_of_five_megabytes_is_refused_before_it_is_read(team: Team) -> None:
    before = rows()
    answer = team.operator.raw(NEW, b"name=" + b"q" * 5 * 2**20)
    assert answer.status_code == 413
    assert "1" in text(answer)
    assert "qqqq" not in text(answer)
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"name=\xff\xfe&llm=Qwen%FF/x", "application/x-www-form-urlencoded"),
        (b"name=%FF%FE&replicas=%00", "application/x-www-form-urlencoded"),
        (b"name=qwen", "application/x-www-form-urlencoded; charset=utf-16"),
        (b'{"name": "qwen"}', "application/json"),
        (b"\x00" * 1000, "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=name\r\n\r\n\xff\r\n--x--", "multipart/form-data; boundary=x"),
        (b"", "application/x-www-form-urlencoded"),
        (b"&".join(b"k%d=v" % n for n in range(2000)), "application/x-www-form-urlencoded"),
        (b"name=a&name=b&name=c", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_form_of_ours_is_refused_and_saves_nothing(
    team: Team, body: bytes, content_type: str
) -> None:
    row = team.make("there")
    before = rows()
    for path in (NEW, edit(row), f"/deployments/{row.pk}/scale/", f"/deployments/{row.pk}/delete/"):
        team.operator.client.raise_request_exception = False
        answer = team.operator.raw(path, body, content_type)
        assert answer.status_code in (400, 422), (path, answer.status_code)
        assert "Traceback" not in answer.content.decode()
    assert rows() == before


# ---- twice, and two people


@pytest.mark.parametrize("secret", ["", f"HF_TOKEN={CANARY}"])
def test_a_form_that_is_sent_twice_makes_one_row(team: Team, secret: str) -> None:
    form = filled(team.operator.get(NEW)) | GOOD | {"secret_env": secret}
    first, second = team.operator.post(NEW, form), team.operator.post(NEW, form)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert (Deployment.objects.count(), Revision.objects.count()) == (1, 1)
    assert SecretValue.objects.count() == bool(secret)
    row = Deployment.objects.get()
    again = filled(team.operator.get(edit(row))) | {"replicas": "2", "secret_env": secret}
    assert [team.operator.post(edit(row), again).status_code for _ in range(3)] == [302] * 3
    assert newest(row).number == 2


def test_another_wish_under_the_same_key_is_refused_once_and_saved_when_meant(team: Team) -> None:
    form = filled(team.operator.get(NEW)) | GOOD
    team.operator.post(NEW, form)
    other = team.operator.post(NEW, form | {"name": "other"})
    assert other.status_code == 422
    assert "This form was sent before with other values, which are saved." in text(other)
    key = typed(other, "idempotency_key")
    assert key != form["idempotency_key"]
    assert team.operator.post(NEW, form | {"name": "other", "idempotency_key": key}).status_code == 302
    assert Deployment.objects.count() == 2


def test_the_second_of_two_editors_sees_what_the_first_changed_and_keeps_what_they_typed(team: Team) -> None:
    row = team.make()
    mine = filled(team.operator.get(edit(row))) | {"replicas": "5", "env": "MINE=1", "reason": "mine"}
    team.admin.send(edit(row), replicas="3", args="--theirs")
    answer = team.operator.post(edit(row), mine | {"secret_env": f"T={CANARY}"})
    assert answer.status_code == 409
    said = text(answer)
    assert "Not saved: while you were editing, team-admin saved revision 2" in said
    assert "replicas from 1 to 3" in said
    assert "--theirs" in said
    assert [typed(answer, name) for name in ("replicas", "env", "reason")] == ["5", "MINE=1", "mine"]
    assert typed(answer, "if_revision") == "2"
    assert CANARY not in answer.content.decode()
    assert newest(row).number == 2
    assert SecretValue.objects.count() == 0
    assert team.operator.post(edit(row), mine | {"if_revision": "2"}).status_code == 302
    assert (newest(row).number, newest(row).spec.replicas) == (3, 5)


@pytest.mark.parametrize("seen", ["", "abc", "0", "-1", "1.5"])
def test_an_edit_that_does_not_say_what_it_began_with_is_refused(team: Team, seen: str) -> None:
    row = team.make()
    answer = refused(team.operator, edit(row), replicas="2", if_revision=seen)
    assert "This form has lost track of what it began with." in text(answer)


@pytest.mark.parametrize("seen", ["2", "99999999999999999999", "4294967296"])
def test_an_edit_of_a_revision_that_is_not_the_newest_is_a_conflict(team: Team, seen: str) -> None:
    row = team.make()
    assert team.operator.send(edit(row), replicas="2", if_revision=seen).status_code == 409
    assert newest(row).number == 1


def test_a_key_that_is_too_long_is_told_above_the_form(team: Team) -> None:
    answer = refused(team.operator, NEW, **GOOD, idempotency_key="k" * 201)
    assert "This form has lost track of what it began with." in text(answer)


def test_an_edit_of_what_is_being_deleted_is_refused_with_the_reason(team: Team) -> None:
    row = team.make()
    services.delete(deployment=row, by=team.admin.user)
    assert "This deployment is being deleted." in text(refused(team.operator, edit(row), replicas="2"))


def folds(answer: Any) -> list[str]:
    """The sections whose seldom settings stand open."""
    return [section["key"] for section in answer.context["form"].sections if section["open"]]


def test_only_what_is_wrong_or_unusual_stands_open(team: Team) -> None:
    assert folds(team.operator.get(NEW)) == []
    answer = refused(team.operator, NEW, **GOOD, health_path="no-slash")
    assert folds(answer) == ["exposure"]
    assert answer.content.decode().count('<details class="fold" open') == 1
    row = team.make(shared_memory="4Gi")
    assert folds(team.operator.get(edit(row))) == ["hardware"]


def test_an_edit_shows_the_runtime_that_it_cannot_change(team: Team) -> None:
    page = text(team.operator.get(edit(team.make())))
    assert "Runtime vLLM Chosen for good" in page
    assert "name, project and runtime excepted" in text(team.operator.get(NEW))


LINES: dict[str, Any] = {
    "env": [{"name": "PEM", "value": "x\nB=1"}, {"name": "C", "value": "c"}],
    "args": ["--template", "a\nb", " spaced ", '"quoted"'],
    "command": ["sh", "-c", "echo 1\necho 2"],
}


def test_what_a_line_cannot_hold_stays_whole_when_the_field_is_edited(team: Team) -> None:
    row = team.make(**LINES)
    shown = team.operator.get(edit(row))
    assert typed(shown, "env") == "PEM\nC=c"
    assert typed(shown, "args") == '--template\n"a\\nb"\n" spaced "\n"\\"quoted\\""'
    fields = {name: typed(shown, name) for name in LINES}
    answer = team.operator.send(edit(row), env=f"{fields['env']}\nD=1", args=f"{fields['args']}\n--last",
                                command=f"{fields['command']}\nlast")  # fmt: skip
    assert answer.status_code == 302
    spec = newest(row).spec_json
    assert [(var["name"], var["value"]) for var in spec["env"]] == [("PEM", "x\nB=1"), ("C", "c"), ("D", "1")]
    assert spec["args"] == [*LINES["args"], "--last"]
    assert spec["command"] == [*LINES["command"], "last"]


def test_a_line_that_is_no_json_string_is_the_argument_itself(team: Team) -> None:
    assert team.operator.send(NEW, **GOOD, args='"unfinished\n"a" b\n{"json": 1}').status_code == 302
    assert newest(Deployment.objects.get()).spec_json["args"] == ['"unfinished', '"a" b', '{"json": 1}']
