"""What a form would become, beside it: the difference, and the objects as YAML; nothing is saved by looking."""

from deployments.models import AuditEntry, Deployment, SecretValue
from tests.deployments.views.people import Team, filled, rows, text


def test_a_new_form_shows_its_objects_and_what_is_missing(team: Team) -> None:
    form = filled(team.operator.get("/deployments/new/"))
    before = rows()
    missing = text(team.operator.post("/deployments/preview/", form))
    assert "It is no deployment yet" in missing
    said = text(team.operator.post("/deployments/preview/", form | {"name": "qwen", "llm": "Qwen/Qwen3-8B"}))
    assert "Deployment qwen" in said
    assert "Service qwen" in said
    assert "Qwen/Qwen3-8B" in said
    assert rows() == before


def test_an_edit_shows_the_difference_and_no_value_of_a_secret(team: Team) -> None:
    row = team.make(replicas=2)
    form = filled(team.operator.get(f"/deployments/{row.pk}/edit/"))
    same = text(team.operator.post(f"/deployments/{row.pk}/preview/", form))
    assert "Nothing would change." in same
    typed = form | {"replicas": "5", "secret_env": "TOKEN=canary-of-a-secret"}
    said = text(team.operator.post(f"/deployments/{row.pk}/preview/", typed))
    assert "replicas from 2 to 5" in said
    assert "Secret qwen-env" in said
    assert "canary" not in said
    assert (SecretValue.objects.count(), Deployment.objects.get().desired) == (0, 1)
    assert not AuditEntry.objects.filter(action="revise").exists()


def test_a_viewer_previews_nothing(team: Team) -> None:
    row = team.make()
    assert team.viewer.post(f"/deployments/{row.pk}/preview/", {}).status_code == 403
    assert team.viewer.get(f"/deployments/{row.pk}/preview/").status_code == 405
