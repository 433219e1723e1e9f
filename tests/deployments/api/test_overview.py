"""What the first page says, by REST."""

import pytest
from django.utils import timezone

from deployments.choices import Connection, Health
from deployments.models import ClusterStatus, DeploymentStatus
from tests.deployments.api.caller import Team, team

pytestmark = pytest.mark.django_db
GPUS = {"resource": "nvidia.com/gpu", "product": "L4", "total": 8, "used": 3, "free": 5, "largest_free": 2, "nodes": 2}


def heard(of: Team, connection: Connection = Connection.CONNECTED) -> None:
    ClusterStatus.objects.create(
        cluster=of.project.cluster, connection=connection, seen_at=timezone.now(), capacity={"gpus": [GPUS]}
    )


def test_what_needs_a_person_is_told_with_its_cause_and_the_next_step() -> None:
    ours = team()
    heard(ours)
    DeploymentStatus.objects.create(
        deployment=ours.deployment, health=Health.FAILING, health_rank=9, sentence="1 of 1 keeps crashing."
    )
    said = ours.viewer.get("/overview").json()
    [matter] = [one for one in said["matters"] if one["kind"] == "deployment"]
    assert matter["id"] == str(ours.deployment.pk)
    assert (matter["name"], matter["where"], matter["state"]) == ("team-llm", "team, of-team", "failing")
    assert (matter["sentence"], matter["step"]) == ("1 of 1 keeps crashing.", "Look at its pods and their logs.")
    assert said["health"] == dict.fromkeys(Health, 0) | {"failing": 1}
    assert said["gpus"] == [
        {key: GPUS[key] for key in ("resource", "product", "total", "used", "free")}
        | {"cluster": "of-team", "stale": False}
    ]  # fmt: skip


def test_a_cluster_that_rejects_comes_before_all_and_its_gpus_are_not_called_free() -> None:
    ours = team()
    heard(ours, Connection.REJECTED)
    ClusterStatus.objects.update(seen_at=None)
    said = ours.viewer.get("/overview").json()
    assert (said["matters"][0]["kind"], said["matters"][0]["state"]) == ("cluster", "rejected")
    assert (said["gpus"][0]["free"], said["gpus"][0]["stale"]) == (None, True)


def test_a_stranger_learns_nothing_of_it() -> None:
    heard(team())
    said = team("others").viewer.get("/overview").json()
    assert "team" not in str([one["where"] for one in said["matters"]])
    assert said["gpus"] == []
