"""Secrets in the form: stored, kept, and never sent back."""

from deployments import services
from deployments.models import AuditEntry, Deployment, Revision, SecretValue
from tests.deployments.views.forms import CANARY, GOOD, NEW, edit, newest, refused
from tests.deployments.views.people import Team, beside, typed


def test_a_secret_is_stored_and_never_shown_again(team: Team) -> None:
    answer = team.operator.send(NEW, **GOOD, secret_env=f"HF_TOKEN={CANARY}\r\n")
    row = Deployment.objects.get()
    [secret] = SecretValue.objects.all()
    assert secret.open() == CANARY.encode()
    pages = [answer["Location"], edit(row), f"/deployments/{row.pk}/revisions/1/", "/deployments/", "/admin/"]
    assert typed(team.operator.get(edit(row)), "secret_env") == "HF_TOKEN"
    for path in pages:
        assert CANARY not in team.operator.get(path).content.decode()
    assert CANARY not in str(list(AuditEntry.objects.values())) + str(list(Revision.objects.values()))


def test_a_typed_secret_is_not_sent_back_beside_a_mistake(team: Team) -> None:
    answer = refused(team.operator, NEW, **GOOD | {"replicas": "x"}, secret_env=f"HF_TOKEN={CANARY}\nB=={CANARY}")
    assert CANARY not in answer.content.decode()
    assert typed(answer, "secret_env") == "HF_TOKEN=\nB="
    assert beside(answer, "secret_env") == "Type the value of HF_TOKEN, B again: values are never sent back."


def test_sending_the_form_again_without_the_value_saves_no_empty_secret(team: Team) -> None:
    first = refused(team.operator, NEW, **GOOD | {"replicas": "x"}, secret_env=f"HF_TOKEN={CANARY}")
    again = team.operator.send(NEW, **GOOD, secret_env=typed(first, "secret_env"))
    assert beside(again, "secret_env") == "HF_TOKEN has no value; write NAME=value, all in one line."
    assert SecretValue.objects.count() == 0


def test_a_name_alone_keeps_the_stored_value_and_a_new_value_makes_a_version(team: Team) -> None:
    team.operator.send(NEW, **GOOD, secret_env=f"HF_TOKEN={CANARY}")
    row = Deployment.objects.get()
    first = newest(row).spec.env
    assert team.operator.send(edit(row), replicas="2").status_code == 302
    assert newest(row).spec.env == first
    assert team.operator.send(edit(row), secret_env="HF_TOKEN= with spaces ").status_code == 302
    assert newest(row).spec.env != first
    assert SecretValue.objects.get(version=2).open() == b" with spaces "
    assert team.operator.send(edit(row), secret_env="").status_code == 302
    assert newest(row).spec.env == []


def test_a_refused_spec_leaves_no_secret_behind(team: Team) -> None:
    refused(team.operator, NEW, **GOOD | {"replicas": "201"}, secret_env=f"T={CANARY}")
    team.make("there")
    refused(team.operator, NEW, **GOOD | {"name": "there"}, secret_env=f"T={CANARY}")


PEM = f"""KEY=-----BEGIN PRIVATE KEY-----
MIIE{CANARY.replace("-", "")}
{CANARY.replace("-", "")}ab==
{CANARY.replace("-", "")}cd=
-----END PRIVATE KEY-----
"""


def test_a_secret_that_is_pasted_over_several_lines_is_refused_and_no_piece_of_it_comes_back(team: Team) -> None:
    answer = refused(team.operator, NEW, **GOOD, secret_env=PEM)
    assert typed(answer, "secret_env") == "KEY="
    assert CANARY.replace("-", "") not in answer.content.decode()
    said = beside(answer, "secret_env")
    assert "Line 2 has no stored value; write NAME=value, all in one line." in said
    assert "Line 3 has no value" in said


def test_a_stored_name_behind_a_piece_of_a_value_is_not_repeated_either(team: Team) -> None:
    team.operator.send(NEW, **GOOD, secret_env=f"HF_TOKEN={CANARY}")
    row = Deployment.objects.get()
    answer = team.operator.send(edit(row), secret_env="HF_TOKEN\nA=1\nodd piece\nB=2")
    assert typed(answer, "secret_env") == "HF_TOKEN\nA="


def test_a_line_takes_the_newest_version_of_a_secret_of_the_project(team: Team) -> None:
    def written(value: str) -> SecretValue:
        return services.store_secret(project=team.project, name="hf_token", value=value, by=team.operator.user)

    first = written("one")
    assert team.operator.send(NEW, **GOOD, secret_env="HF_TOKEN <- hf_token").status_code == 302
    row = Deployment.objects.get()
    assert [var.secret for var in newest(row).spec.env] == [first.pk]
    assert typed(team.operator.get(edit(row)), "secret_env") == "HF_TOKEN"
    second = written("two")
    assert team.operator.send(edit(row), replicas="2").status_code == 302
    assert [var.secret for var in newest(row).spec.env] == [first.pk]
    assert team.operator.send(edit(row), secret_env="HF_TOKEN<-hf_token").status_code == 302
    assert [var.secret for var in newest(row).spec.env] == [second.pk]
    answer = team.operator.send(edit(row), secret_env="HF_TOKEN <- nothing")
    assert beside(answer, "secret_env") == "The project has no secret nothing."
    assert typed(answer, "secret_env") == "HF_TOKEN <- nothing"


def test_a_name_alone_takes_the_projects_secret_of_that_name(team: Team) -> None:
    stored = services.store_secret(project=team.project, name="HF_TOKEN", value="one", by=team.operator.user)
    assert team.operator.send(NEW, **GOOD, secret_env="HF_TOKEN").status_code == 302
    assert [var.secret for var in newest(Deployment.objects.get()).spec.env] == [stored.pk]
