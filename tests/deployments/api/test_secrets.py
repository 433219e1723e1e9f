"""A project's secrets are removed, unless something needs them."""

import pytest
from django.utils import timezone

from deployments import services
from deployments.models import AppliedObject, AuditEntry, SecretValue
from tests import stage
from tests.deployments.api.caller import Team, problem, rows, team

pytestmark = pytest.mark.django_db


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


def stored(of: Team, name: str = "hf_token") -> SecretValue:
    person = of.operator.person
    assert person
    return services.store_secret(project=of.project, name=name, value="canary", by=person)


def test_all_versions_of_a_secret_go_and_the_audit_tells_it(team: Team) -> None:
    stored(team), stored(team), stored(team, "other")
    path = f"/projects/{team.project.pk}/secrets"
    assert team.operator("DELETE", f"{path}/hf_token").status_code == 204
    assert [row["name"] for row in team.viewer.get(path).json()["results"]] == ["other"]
    entry = AuditEntry.objects.first()
    assert entry
    assert (entry.action, entry.target_kind, entry.detail) == ("remove", "secretvalue", {"versions": 2})
    problem(team.operator("DELETE", f"{path}/hf_token"), 404)
    problem(team.viewer("DELETE", f"{path}/other"), 403)


def test_a_secret_that_a_deployment_needs_stays(team: Team) -> None:
    person = team.operator.person
    assert person
    secret = stored(team)
    env = [{"name": "HF_TOKEN", "secret": str(secret.pk)}]
    made = stage.deployment(team.project, person, "user-of-it", env=env)
    stored(team)  # a newer version that nothing uses yet
    path, before = f"/projects/{team.project.pk}/secrets/hf_token", rows()
    said = problem(team.operator("DELETE", path), 409)
    assert said["detail"] == "hf_token is used by user-of-it; take it out of there first."
    assert rows() == before
    services.change(deployment=made, action="revise", by=person, fields={"env": []})  # type: ignore[arg-type]
    assert team.operator("DELETE", path).status_code == 204
    refused = team.operator.post(f"/deployments/{made.pk}/rollback", {"revision": 1})
    assert "The secret of HF_TOKEN is none of this project, or was removed." in refused.content.decode()


def test_a_secret_that_stands_in_the_cluster_in_part_stays(team: Team) -> None:
    person = team.operator.person
    assert person
    env = [{"name": "HF_TOKEN", "secret": str(stored(team).pk)}]
    made = stage.deployment(team.project, person, "half", env=env)
    services.change(deployment=made, action="revise", by=person, fields={"env": []})  # type: ignore[arg-type]
    AppliedObject.objects.create(
        deployment=made, api_version="v1", kind="Secret", namespace="team", name="half-env", uid="u", revision=1,
        resource_version="1", applied_at=timezone.now(),
    )  # fmt: skip
    said = problem(team.operator("DELETE", f"/projects/{team.project.pk}/secrets/hf_token"), 409)
    assert "is used by half" in said["detail"]
