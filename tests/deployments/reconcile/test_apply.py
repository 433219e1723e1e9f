"""A Revision becomes objects, the same Revision changes nothing, and the next one changes what it names."""

import base64
from functools import partial
from typing import Any

import pytest
from django.db import connections

from deployments import reconcile, services
from deployments.choices import Outcome
from deployments.manifests import labels
from deployments.models import AppliedObject, Deployment
from deployments.reconcile import building, objects, provision
from deployments.reconcile.claim import claim, me, renew
from tests.deployments.kube.servers import Request
from tests.deployments.reconcile.play import Play, audited, eventually, newest

pytestmark = pytest.mark.plane
FILES = [{"path": "/etc/a.json", "content": "{}"}]


def unchanged(live: dict[str, Any]) -> tuple[Any, ...]:
    metadata = live["metadata"]
    ours = [field for field in metadata["managedFields"] if field["manager"] == "llmdash"]
    return metadata["uid"], metadata.get("generation"), ours


def test_a_new_deployment_becomes_its_objects(play: Play) -> None:
    row = play.create(port=5000, service_type="LoadBalancer")
    assert play.names() == ["deployment/gpt-4", "service/gpt-4"]
    assert (row.applied, row.attempted, row.problem, row.last_error, row.lease_owner) == (1, 1, "", {}, "")
    assert row.next_attempt_at is not None
    live = play.live("deployment")
    assert labels.ours(live["metadata"], "llmdash", str(row.pk))
    assert labels.revision(live["metadata"]) == 1
    assert newest(row).outcome == Outcome.APPLIED
    assert newest(row).outcome_detail["done"] == ["Deployment/gpt-4", "Service/gpt-4"]


def test_the_inventory_knows_each_object_by_its_uid(play: Play) -> None:
    row = play.create(files=FILES, env=[{"name": "TOKEN", "secret": play.secret("canary-1")}])
    known = {item.kind: item for item in row.inventory.all()}
    assert sorted(known) == ["ConfigMap", "Deployment", "Secret", "Service"]
    for kind, item in known.items():
        assert item.uid == play.live(kind, item.name)["metadata"]["uid"]
        assert (item.created_by_us, item.revision, item.namespace) == (True, 1, play.namespace)
    assert known["Secret"].manifest["data"] == {"TOKEN": ""}
    assert "canary" not in str(list(AppliedObject.objects.values()))


def test_the_api_server_hears_the_operator_and_the_author(play: Play) -> None:
    play.create(files=FILES)
    writes = eventually(lambda: found if len(found := play.writes()) >= 3 else None)
    assert [write["objectRef"]["resource"] for write in writes] == ["configmaps", "deployments", "services"]
    for write in writes:
        assert write["impersonatedUser"]["username"] == f"system:serviceaccount:{play.namespace}:llmdash-operator"
        assert write["impersonatedUser"]["extra"] == {"llmdash.io/actor": ["maria@example.com"]}
        assert write["user"]["username"] == "admin"


def test_the_same_revision_again_changes_nothing(play: Play) -> None:
    row = play.create(
        gpus=1, files=FILES, env=[{"name": "TOKEN", "secret": play.secret("x")}, {"name": "A", "value": "b"}]
    )
    eventually(lambda: play.live("deployment").get("status", {}).get("observedGeneration") == 1)
    kinds = {item.kind: item.name for item in row.inventory.all()}
    before = {kind: play.live(kind, name) for kind, name in kinds.items()}
    for _ in range(3):
        play.again(row)
    after = {kind: play.live(kind, name) for kind, name in kinds.items()}
    assert {kind: unchanged(live) for kind, live in after.items()} == {k: unchanged(live) for k, live in before.items()}
    for kind in ("ConfigMap", "Secret", "Service"):
        assert after[kind]["metadata"]["resourceVersion"] == before[kind]["metadata"]["resourceVersion"]
    assert play.replica_sets() == 1
    assert [entry.action for entry in audited(row)] == ["create"]


def test_scaling_makes_no_new_replica_set_and_a_restart_makes_one(play: Play) -> None:
    row = play.create()
    eventually(lambda: play.replica_sets() == 1)
    services.scale(deployment=row, replicas=3, by=play.maria)
    reconcile.drain()
    eventually(lambda: play.live("deployment").get("status", {}).get("observedGeneration") == 2)
    assert (play.live("deployment")["spec"]["replicas"], play.replica_sets()) == (3, 1)
    services.restart(deployment=play.row(row), by=play.maria)
    reconcile.drain()
    eventually(lambda: play.replica_sets() == 2)
    assert play.row(row).applied == 3


def test_stop_and_start_keep_the_replicas(play: Play) -> None:
    row = play.create(replicas=2)
    services.stop(deployment=row, by=play.maria)
    reconcile.drain()
    assert play.live("deployment")["spec"]["replicas"] == 0
    services.start(deployment=play.row(row), by=play.maria)
    reconcile.drain()
    assert play.live("deployment")["spec"]["replicas"] == 2
    assert play.replica_sets() == 1


def test_a_changed_file_or_secret_replaces_the_pods(play: Play) -> None:
    row = play.create(files=FILES, env=[{"name": "TOKEN", "secret": play.secret("one")}])
    eventually(lambda: play.replica_sets() == 1)
    play.revise(row, files=[{"path": "/etc/a.json", "content": "[]"}])
    eventually(lambda: play.replica_sets() == 2)
    play.revise(row, env=[{"name": "TOKEN", "secret": play.secret("two")}])
    eventually(lambda: play.replica_sets() == 3)
    assert base64.b64decode(play.live("secret", "gpt-4-env")["data"]["TOKEN"]) == b"two"


def test_a_removed_secret_variable_is_gone_from_the_live_secret(play: Play) -> None:
    one, two = play.secret("1"), play.secret("2", "OTHER")
    row = play.create(env=[{"name": "TOKEN", "secret": one}, {"name": "OTHER", "secret": two}])
    assert sorted(play.live("secret", "gpt-4-env")["data"]) == ["OTHER", "TOKEN"]
    play.revise(row, env=[{"name": "TOKEN", "secret": one}])
    assert sorted(play.live("secret", "gpt-4-env")["data"]) == ["TOKEN"]


def test_a_variable_may_turn_from_plain_to_secret_and_back(play: Play) -> None:
    row = play.create(env=[{"name": "TOKEN", "value": "plain"}])
    secret = play.secret("x")
    for env in ([{"name": "TOKEN", "secret": secret}], [{"name": "TOKEN", "value": "plain"}]):
        assert play.revise(row, env=env).problem == ""


def test_the_service_may_change_its_type_and_ports(play: Play) -> None:
    row = play.create(service_type="LoadBalancer")
    for fields in ({"service_type": "ClusterIP"}, {"service_type": "NodePort", "service_port": 81, "port": 9}):
        assert play.revise(row, **fields).problem == ""
    spec = play.live("service")["spec"]
    assert (spec["type"], [(port["port"], port["targetPort"]) for port in spec["ports"]]) == ("NodePort", [(81, 9)])


def test_a_deployment_may_gain_and_lose_gpus(play: Play) -> None:
    row = play.create(gpus=2)
    assert play.live("deployment")["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert play.revise(row, gpus=0).problem == ""
    live = play.live("deployment")["spec"]
    assert live["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert "volumes" not in live["template"]["spec"]


def test_objects_that_a_revision_no_longer_has_are_removed(play: Play) -> None:
    row = play.create(files=FILES, env=[{"name": "TOKEN", "secret": play.secret("x")}])
    row = play.revise(row, files=[], env=[])
    assert row.problem == ""
    assert play.names() == ["deployment/gpt-4", "service/gpt-4"]
    assert sorted(item.kind for item in row.inventory.all()) == ["Deployment", "Service"]


def test_a_half_applied_revision_still_prunes_what_its_predecessor_made(play: Play) -> None:
    row = play.create(files=FILES)
    # Revision 2 has no files and is refused at its Deployment, so it never comes to prune.
    play.kubectl("create", "quota", "none", "--hard=count/secrets=0")
    row = play.revise(row, files=[], env=[{"name": "TOKEN", "secret": play.secret("x")}])
    assert row.problem == "wait"
    assert play.exists("configmap", "gpt-4-files")
    row = play.revise(row, env=[])
    eventually(lambda: play.again(row).problem == "")
    assert play.names() == ["deployment/gpt-4", "service/gpt-4"]
    assert newest(row).outcome == Outcome.APPLIED


def test_another_worker_goes_on_where_one_died_and_leaves_what_was_done_alone(play: Play) -> None:
    row = play.wish(files=FILES, env=[{"name": "TOKEN", "secret": play.secret("x")}])
    dying = me()
    mine = claim(dying)
    assert mine is not None
    # As after a SIGKILL between the second and the third object: two are there, the lease runs out.
    provision.ensure(mine.project, play.api(), partial(renew, mine, dying))
    for manifest in building.build(mine, newest(row))[:2]:
        objects.put(play.api(), mine, newest(row), manifest, None, owner=dying)
    before = {name: play.live(*name.split("/"))["metadata"]["resourceVersion"] for name in play.names()}
    assert sorted(before) == ["configmap/gpt-4-files", "secret/gpt-4-env"]
    Deployment.objects.filter(pk=row.pk).update(lease_expires_at=row.created_at)
    assert reconcile.drain() == 1
    assert (play.row(row).applied, play.row(row).deaths) == (1, 0)
    after = {name: play.live(*name.split("/"))["metadata"]["resourceVersion"] for name in before}
    assert after == before


def test_revisions_that_were_overtaken_are_skipped_and_say_so(play: Play) -> None:
    row = play.wish()
    for replicas in (2, 3):
        services.scale(deployment=play.row(row), replicas=replicas, by=play.maria)
    reconcile.drain()
    outcomes = list(row.revisions.order_by("number").values_list("outcome", flat=True))
    assert outcomes == [Outcome.SUPERSEDED, Outcome.SUPERSEDED, Outcome.APPLIED]
    assert play.live("deployment")["metadata"]["generation"] == 1


def test_a_revision_made_during_the_work_is_applied_in_the_same_go(play: Play) -> None:
    row = play.wish()
    late = iter([True])

    def scale(request: Request) -> None:
        if request.method == "PATCH" and "/deployments/" in request.target and next(late, False):
            services.scale(deployment=play.row(row), replicas=4, by=play.maria)
            connections.close_all()

    with play.through(scale):
        assert reconcile.drain() == 1
    assert (play.row(row).applied, play.live("deployment")["spec"]["replicas"]) == (2, 4)


def test_every_script_arrives_as_it_was_written(play: Play) -> None:
    text = "模型 🚀 \u2028 end"
    play.create(args=[text], files=[{"path": "/a", "content": text}])
    assert play.live("configmap", "gpt-4-files")["data"] == {"0-a": text}
    assert play.live("deployment")["spec"]["template"]["spec"]["containers"][0]["args"] == [text]


@pytest.mark.parametrize("creates", [True, False])
def test_the_namespace_gets_its_roles_before_the_first_object(play: Play, creates: bool) -> None:
    if creates:
        play.project.namespace = play.namespace = f"{play.namespace}-made"
        play.project.create_namespace = True
        play.project.save()
    play.create()
    accounts = {f"serviceaccount/llmdash-{role}" for role in ("viewer", "operator", "admin")}
    assert accounts <= set(play.kubectl("get", "serviceaccount", "-o", "name").split())
    if creates:
        play.plane.kubectl("delete", "namespace", play.namespace, "--wait=false")
