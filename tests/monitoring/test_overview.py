"""The first page: what needs a person, where is room, what was done."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments.choices import DriftPolicy, Health, Problem
from deployments.models import ClusterStatus, Deployment
from monitoring.overview import MOST
from tests import stage
from tests.deployments.views.people import Person, Team, heard, team, text

pytestmark = pytest.mark.django_db
H100 = {
    "resource": "nvidia.com/gpu",
    "product": "H100",
    "total": 8,
    "used": 3,
    "free": 5,
    "largest_free": 4,
    "nodes": 2,
}


@pytest.fixture(name="team")
def a_team(db: None, settings: Any) -> Team:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return team()


def problem(row: Deployment, kind: Problem, message: str) -> None:
    Deployment.objects.filter(pk=row.pk).update(problem=kind, last_error={"message": message})


def names(person: Person) -> list[str]:
    return [matter.name for matter in person.get("/").context["matters"]]


def test_what_is_well_needs_nobody(team: Team) -> None:
    team.seen(team.make(), Health.SERVING, sentence="Serving on 1 replica.")
    team.seen(team.make("still"), Health.STOPPED)
    team.seen(team.make("soon"), Health.STARTING)
    said = text(team.viewer.get("/"))
    assert names(team.viewer) == []
    assert "Nothing needs you now." in said
    assert "Serving 1" in said


def test_what_needs_a_person_comes_worst_first_with_cause_and_next_step(team: Team) -> None:
    team.seen(team.make("waits"), Health.WAITING, sentence="The replica waits: no node has 8 free H100.")
    team.seen(team.make("half"), Health.DEGRADED, sentence="Serving on 1 of 2 replicas.")
    team.seen(team.make("broken"), Health.FAILING, sentence="The replica fails: the image cannot be pulled.")
    refused = team.make("refused")
    team.seen(refused, Health.SERVING)
    problem(refused, Problem.WAIT, "exceeded quota")
    contested = team.make("contested")
    team.seen(contested, Health.SERVING)
    problem(contested, Problem.CONTESTED, "rival keeps changing it.")
    assert names(team.viewer) == ["broken", "contested", "refused", "half", "waits"]
    said = text(team.viewer.get("/"))
    assert "The replica fails: the image cannot be pulled. Look at its pods and their logs." in said
    assert "exceeded quota Edit the deployment" in said
    assert "no node has 8 free H100. Free GPUs, choose another GPU type" in said


def test_the_next_step_follows_from_the_reason_of_the_pod(team: Team) -> None:
    pods = [{"stage": "failed", "reason": "ErrImagePull", "current": True}]
    made = team.make("broken")
    team.seen(made, Health.FAILING, sentence="The replica fails: the image cannot be pulled.", pods=pods)
    assert "cannot be pulled. Correct the image's name or tag" in text(team.viewer.get("/"))


def test_a_silent_cluster_comes_first_and_stands_for_its_deployments(team: Team) -> None:
    team.seen(team.make(), Health.FAILING)
    heard(team.project, seconds_ago=300, connection="unreachable", message="The API server refuses connections.")
    assert names(team.viewer) == ["of-team"]
    said = text(team.viewer.get("/"))
    assert "The API server refuses connections. Look at the network" in said
    assert "Unknown 1" in said


def test_others_see_nothing_of_it(team: Team) -> None:
    other = globals()["team"]("other")
    team.seen(team.make("secret-llm"), Health.FAILING, sentence="x")
    ClusterStatus.objects.filter(cluster=team.project.cluster).update(capacity={"gpus": [H100]})
    said = text(other.admin.get("/"))
    assert "secret-llm" not in said
    assert "of-team" not in said
    assert "H100" not in said


def test_the_page_says_how_many_more_there_are(team: Team) -> None:
    for number in range(MOST + 3):
        team.seen(team.make(f"row-{number:02}"), Health.FAILING)
    answer = team.viewer.get("/")
    assert (len(answer.context["matters"]), answer.context["more"]) == (MOST, 3)
    assert "and 3 more: see the deployments and the clusters" in text(answer)


def test_gpus_are_told_by_type_and_cluster_and_never_better_than_known(team: Team) -> None:
    status = ClusterStatus.objects.filter(cluster=team.project.cluster)
    status.update(capacity={"gpus": [H100]})
    assert "H100 of-team 3 of 8 5 4" in text(team.viewer.get("/"))
    assert "3 of 8 held, 5 free" in text(team.viewer.get("/"))
    status.update(capacity={"gpus": [H100 | {"free": None, "largest_free": None}]})
    said = text(team.viewer.get("/"))
    assert "H100 of-team 3 of 8 unknown unknown" in said
    assert "5 free" not in said
    status.update(capacity={"gpus": [H100]})
    heard(team.project, seconds_ago=300)
    assert "H100 of-team last known 3 of 8 unknown unknown" in text(team.viewer.get("/"))


def test_what_is_left_to_differ_is_counted(team: Team) -> None:
    row = team.make()
    team.seen(row, Health.SERVING, drift=[{"object": "Service/qwen", "field": "spec.type"}])
    assert "differ" not in text(team.viewer.get("/"))
    Deployment.objects.filter(pk=row.pk).update(drift_policy="leave")
    assert "1 deployment differs from what was applied and is left so by policy." in text(team.viewer.get("/"))


def test_the_number_of_queries_is_fixed(team: Team, django_assert_num_queries: Any) -> None:
    def few() -> None:
        with django_assert_num_queries(8):
            team.viewer.get("/")

    team.seen(team.make(), Health.FAILING)
    few()
    for number in range(20):
        team.seen(team.make(f"row-{number}"), Health.FAILING)
    few()


def test_newcomers_learn_what_to_do(db: None) -> None:
    assert "You belong to no project yet" in text(Person(stage.user("new")).get("/"))
    boss = Person(stage.user("boss", is_superuser=True))
    first = boss.get("/")
    assert "Add the first cluster" in text(first)
    assert 'href="/clusters/new/"' in first.content.decode()
    east = stage.cluster("east")
    ClusterStatus.objects.create(cluster=east, connection="connected", seen_at=timezone.now())
    east.seal_credentials({"token": "t"})
    east.save()
    second = boss.get("/")
    assert "Make the first project" in text(second)
    assert 'href="/projects/new/"' in second.content.decode()
    stage.project("team", cluster=east)
    assert "Deploy the first LLM" in text(boss.get("/"))


def test_what_will_end_a_connection_or_hinders_its_use_is_told_before_it_does(team: Team) -> None:
    cluster = team.project.cluster
    assert names(team.viewer) == []
    cluster.credentials_expire_at = timezone.now() + timedelta(days=3, hours=1)
    cluster.save()
    assert "Credentials: They end in 3 days" in text(team.viewer.get("/"))
    cluster.credentials_expire_at = timezone.now() + timedelta(days=60)
    cluster.prometheus_url = "http://prometheus.example"
    cluster.tested = {"at": timezone.now().isoformat(), "prometheus": {"ok": False, "message": "It refuses us."}}
    cluster.save()
    said = text(team.viewer.get("/"))
    assert "They end" not in said
    assert "Prometheus: It refuses us." in said


def test_what_is_left_as_others_changed_it_needs_nobody(team: Team) -> None:
    row = team.make("left")
    team.seen(row, Health.SERVING, sentence="Serving on 3 replicas. The cluster was set to 3; 1 is wanted.")
    error = {"message": "Apply failed with 1 conflict", "reason": "FieldConflict"}
    Deployment.objects.filter(pk=row.pk).update(
        problem=Problem.WAIT, last_error=error, applied=1, drift_policy=DriftPolicy.LEAVE
    )
    assert names(team.viewer) == []
    said = text(team.operator.get(f"/deployments/{row.pk}/"))
    assert "Apply failed" not in said
    Deployment.objects.filter(pk=row.pk).update(drift_policy=DriftPolicy.HEAL)
    assert names(team.viewer) == ["left"]
    assert "Take over" in text(team.operator.get(f"/deployments/{row.pk}/"))
