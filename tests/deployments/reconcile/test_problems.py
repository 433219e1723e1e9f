"""What stands in the way is told in the cluster's own words, and tried again as its kind demands."""

import base64
import json
import time
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from deployments import reconcile, services
from deployments.choices import Connection, Outcome, Problem
from deployments.crypto import Keyring, new_key_line
from deployments.models import ClusterStatus, Deployment, Revision, SecretValue
from tests.deployments.kube.servers import Request, answer, free_port
from tests.deployments.reconcile.play import Play, audited, eventually, newest

pytestmark = pytest.mark.plane


def seconds_until(at: datetime | None) -> float:
    assert at is not None
    return (at - timezone.now()).total_seconds()


def test_a_missing_namespace_waits_for_an_edit(play: Play) -> None:
    play.project.namespace = "nobody-made-this"
    play.project.save()
    row = play.create()
    assert (row.problem, row.last_error["message"]) == (Problem.WAIT, 'namespaces "nobody-made-this" not found')
    assert 3500 < seconds_until(row.next_attempt_at) < 3700
    assert newest(row).outcome == Outcome.REFUSED


def test_a_namespace_that_was_made_anew_gets_its_roles_again(play: Play) -> None:
    row = play.create()
    play.plane.kubectl("delete", "namespace", play.namespace, "--timeout=30s")
    row = play.again(row)
    assert (row.problem, row.last_error["message"]) == (Problem.WAIT, f'namespaces "{play.namespace}" not found')
    play.plane.kubectl("create", "namespace", play.namespace)
    row = play.again(row)
    assert row.problem == ""
    assert play.names() == ["deployment/gpt-4", "service/gpt-4"]


def test_a_right_that_somebody_took_away_is_told_and_not_taken_back(play: Play) -> None:
    row = play.create()
    play.kubectl("delete", "rolebinding", "llmdash-operator")
    row = eventually(lambda: found if (found := play.again(row)).problem else None)
    assert (row.problem, row.last_error["reason"]) == (Problem.WAIT, "Forbidden")
    assert f'User "system:serviceaccount:{play.namespace}:llmdash-operator" cannot' in row.last_error["message"]
    assert not play.exists("rolebinding", "llmdash-operator")
    assert row.inventory.count() == 2


def test_a_quota_is_told_verbatim_and_the_rest_keeps_serving(play: Play) -> None:
    play.kubectl("create", "quota", "tight", "--hard=services=0")
    row = eventually(lambda: play.kubectl("get", "quota", "tight", "-o", "jsonpath={.status.hard}")) and play.create()
    assert row.problem == Problem.WAIT
    numbers = "requested: services=1, used: services=0, limited: services=0"
    assert row.last_error["message"] == f'services "gpt-4" is forbidden: exceeded quota: tight, {numbers}'
    assert newest(row).outcome_detail["done"] == ["Deployment/gpt-4"]
    assert newest(row).outcome == Outcome.PARTIAL
    assert play.exists("deployment")


def test_an_admission_denial_is_told_verbatim(play: Play) -> None:
    deny_latest(play)
    row = play.create(image="registry.example/app:latest")
    assert row.problem == Problem.WAIT
    assert "images must not be tagged latest" in row.last_error["message"]
    assert newest(row).outcome == Outcome.REFUSED
    row = play.revise(row, image="registry.example/app:2")
    assert (row.problem, newest(row).outcome) == ("", Outcome.APPLIED)


def deny_latest(play: Play) -> None:
    name = f"no-latest-{play.namespace}"
    api = "admissionregistration.k8s.io/v1"
    match = {"matchLabels": {"kubernetes.io/metadata.name": play.namespace}}
    rules = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]
    ends = "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))"
    policy = {
        "apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": ends, "message": "images must not be tagged latest"}],
        },
    }  # fmt: skip
    binding = {
        "apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": match}},
    }  # fmt: skip
    for manifest in (policy, binding):
        play.plane.kubectl("apply", "-f", "-", input=json.dumps(manifest))
    probe = ("create", "deployment", "probe", "--image=a:latest", "--dry-run=server")
    eventually(lambda: "tagged latest" in play.kubectl(*probe, check=False))


def test_a_refused_connection_is_tried_again_ever_more_slowly(play: Play) -> None:
    row = play.wish()
    play.move(f"https://127.0.0.1:{free_port()}")
    pauses = []
    for _ in range(4):
        row = play.again(row)
        pauses.append(seconds_until(row.next_attempt_at))
        assert (row.problem, row.last_error["message"]) == (Problem.BACK_OFF, "The API server refuses connections.")
    assert row.attempts == 4
    assert pauses[3] > pauses[1] > 0
    assert pauses[3] < 5 * 1.3
    assert newest(row).outcome == Outcome.PENDING
    play.move(play.plane.url)
    assert play.again(row).attempts == 0


def test_a_new_revision_begins_the_back_off_anew(play: Play) -> None:
    row = play.wish()
    play.move(f"https://127.0.0.1:{free_port()}")
    for _ in range(3):
        row = play.again(row)
    services.scale(deployment=row, replicas=2, by=play.maria)
    reconcile.drain()
    assert play.row(row).attempts == 1


def test_a_server_that_asks_for_patience_gets_it(play: Play) -> None:
    busy = json.dumps({"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "slow down"})
    with play.through(lambda request: answer(429, busy, Retry_After="30")):
        row = play.create()
    assert (row.problem, row.last_error["message"]) == (Problem.BACK_OFF, "slow down")
    assert seconds_until(row.next_attempt_at) > 28


def test_rejected_credentials_are_a_condition_of_the_cluster_and_lose_nothing(play: Play) -> None:
    row = play.create()
    play.move(play.plane.url, token="revoked")
    row = play.revise(row, replicas=2)
    assert (row.problem, row.last_error["message"]) == (Problem.CLUSTER, "Unauthorized")
    assert (newest(row).outcome, row.inventory.count(), row.applied) == (Outcome.PENDING, 2, 1)
    ClusterStatus.objects.create(cluster=play.cluster, connection=Connection.REJECTED)
    assert play.again(row).attempts == row.attempts
    ClusterStatus.objects.update(connection=Connection.CONNECTED)
    play.move(play.plane.url)
    assert (play.again(row).applied, play.live("deployment")["spec"]["replicas"]) == (2, 2)


def test_a_certificate_that_is_not_trusted_is_never_gone_around(play: Play) -> None:
    row = play.wish()
    play.cluster.ca_pem = ""
    play.move(play.plane.url)
    row = play.again(row)
    assert (row.problem, row.last_error["message"]) == (
        Problem.CLUSTER, "The API server's certificate was not signed by the given CA.",
    )  # fmt: skip


def test_a_secret_sealed_with_another_key_says_so(play: Play) -> None:
    secret = play.secret("canary")
    other = Keyring.parse(new_key_line())
    SecretValue.objects.update(sealed=other.seal(b"canary", f"secretvalue:{secret}:value"))
    row = play.create(env=[{"name": "TOKEN", "secret": secret}])
    said = f"cannot open secretvalue:{secret}:value: wrong key or changed record"
    assert (row.problem, row.last_error["message"]) == (Problem.WAIT, said)
    assert play.names() == []


@pytest.mark.parametrize("deleting", [False, True])
def test_credentials_sealed_with_another_key_say_so(play: Play, deleting: bool) -> None:
    row = play.create()
    sealed = Keyring.parse(new_key_line()).seal(b"{}", f"cluster:{play.cluster.pk}:credentials")
    play.cluster.sealed_credentials = sealed
    play.cluster.credentials_changed_at = timezone.now()
    play.cluster.save()
    if deleting:
        services.delete(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, "cannot open cluster:" in row.last_error["message"]) == (Problem.WAIT, True)
    assert row.inventory.count() == 2


def test_a_surprise_with_one_row_does_not_stop_the_others(play: Play) -> None:
    broken, fine = play.wish("broken"), play.wish("fine")
    Revision.objects.filter(deployment=broken).delete()
    assert reconcile.drain() >= 2
    row = play.row(broken)
    assert (row.problem, row.last_error["message"]) == (Problem.BACK_OFF, "DoesNotExist in llmdash; see its log.")
    assert (row.lease_owner, play.row(fine).applied) == ("", 1)


def test_a_failing_object_keeps_what_was_served_before(play: Play) -> None:
    row = play.create()
    play.kubectl("create", "quota", "tight", "--hard=count/configmaps=0")
    row = eventually(lambda: refused(play, row))
    assert play.live("deployment")["metadata"]["generation"] == 1
    assert newest(row).outcome == Outcome.REFUSED


def refused(play: Play, row: Deployment) -> Deployment | None:
    content = base64.b64encode(str(timezone.now()).encode()).decode()
    found = play.revise(row, files=[{"path": "/a", "content": content}])
    return found if found.problem == Problem.WAIT else None


def test_a_slow_api_server_costs_no_lease_and_no_life(play: Play, settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"LEASE_SECONDS": 0.6, "REQUEST_SECONDS": 5}
    rivals: list[int] = []

    def slow(request: Request) -> None:
        time.sleep(0.2)
        rivals.append(Deployment.objects.filter(deaths__gt=0).count())

    with play.through(slow):
        row = play.create()
    assert (row.problem, row.applied, set(rivals)) == ("", 1, {0})
    assert audited(row, "heal") == []


def test_a_refused_row_is_tried_again_when_a_person_asks(play: Play) -> None:
    play.kubectl("create", "quota", "none", "--hard=count/services=0")
    eventually(lambda: "used" in play.live("quota", "none").get("status", {}))
    row = play.create()
    assert row.problem == Problem.WAIT
    play.kubectl("delete", "quota", "none")
    assert reconcile.drain() == 0, "it is tried in an hour"
    services.try_again(deployment=row, by=play.maria)
    eventually(lambda: reconcile.drain() or play.row(row).problem == "")
    assert [entry.action for entry in audited(row)] == ["create", "try again"]
    with pytest.raises(services.NothingChanged):
        services.try_again(deployment=row, by=play.maria)


def test_a_parked_row_is_tried_again_when_a_person_asks(play: Play) -> None:
    row = play.create()
    Deployment.objects.filter(pk=row.pk).update(problem=Problem.POISON, next_attempt_at=None, last_error={})
    assert reconcile.drain() == 0
    services.try_again(deployment=play.row(row), by=play.maria)
    assert reconcile.drain() == 1
    assert play.row(row).problem == ""
