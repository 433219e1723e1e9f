"""What happens in a real cluster appears in the rows."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings

from deployments import glance, tasks
from deployments.choices import DriftPolicy, Problem
from deployments.doorbell import LOOK_AGAIN
from deployments.manifests import labels
from deployments.models import Deployment, NodeStatus, Signal
from llmdash import celery_app
from monitoring.watcher.deployments import RING_SECONDS, DeploymentRows
from tests.deployments.reconcile import policies
from tests.deployments.reconcile.play import Play
from tests.llmdash.sandbox.hollow.fixtures import pod, vllm_container
from tests.monitoring.watcher.watching import LLM, Watching, cluster_status, connected, eventually, status, until

pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes", "watched")]


def deployed(play: Play, name: str = "qwen", *, policy: DriftPolicy = DriftPolicy.HEAL, **spec: Any) -> Deployment:
    return play.create(name, policy=policy, **LLM | spec)


def gpus(play: Play) -> dict[str, Any]:
    """The cluster's H100s."""
    rows = cluster_status(play).capacity.get("gpus", [])
    return next((row for row in rows if "H100" in row["product"]), {})


def test_a_deployment_is_followed_from_its_start_until_it_serves(play: Play) -> None:
    row = deployed(play)
    seen = until(row, "serving")
    assert seen.sentence == "Serving on 1 replica."
    assert (seen.ready, seen.wanted, seen.gpus, seen.observed_revision) == (1, 1, 1, 1)
    assert seen.drift == []
    assert seen.endpoint["cluster_ip"].startswith("10.96.")
    [found] = seen.pods
    assert (found["stage"], found["current"], found["gpus"]) == ("ready", True, 1)
    assert [step["at"] is not None for step in found["stages"]] == [True] * 4
    assert Signal.objects.filter(topic="deployment", key=str(row.pk)).count() >= 3
    assert list(row.served.values_list("number", flat=True)) == [1]
    play.revise(row, image="registry.example/llm:crash")
    until(row, "failing")
    assert list(row.served.values_list("number", flat=True)) == [1]


def test_a_rollout_is_told_as_kubectl_tells_it(play: Play) -> None:
    def kubectl(name: str) -> str:
        return play.kubectl("rollout", "status", f"deployment/{name}", "--watch=false")

    up, waits = deployed(play, "up"), deployed(play, "waits", gpus=16)
    until(up, "serving")
    until(waits, "waiting")
    eventually(lambda: status(up).rollout == "complete", "it is up")
    assert "successfully rolled out" in kubectl("up")
    assert status(waits).rollout == "progressing"
    assert "Waiting for deployment" in kubectl("waits")


def test_an_event_of_a_pod_and_a_refusal_of_the_quota_reach_the_row(play: Play) -> None:
    row = deployed(play, "eventful")
    eventually(lambda: any(event["object"].startswith("Pod/eventful-") for event in status(row).events), "an event")
    play.kubectl("create", "quota", "gpus", "--hard=requests.nvidia.com/gpu=1")
    until(row, "serving")
    used = ("get", "quota", "gpus", "-o", "jsonpath={.status.used.requests\\.nvidia\\.com/gpu}")
    eventually(lambda: play.kubectl(*used) == "1", "the quota counts the pod that was there before it")
    second = deployed(play, "refused")
    seen = until(second, "waiting")
    assert seen.sentence.startswith("The replica cannot be created: pods ")
    assert "exceeded quota: gpus, requested: requests.nvidia.com/gpu=1" in seen.sentence
    reasons = eventually(lambda: [event["reason"] for event in status(second).events], "the ReplicaSet's event")
    assert "FailedCreate" in reasons


def test_capacity_counts_everybodys_gpus(play: Play) -> None:
    eventually(lambda: gpus(play).get("total") == 8, "the node with eight GPUs")
    play.put(pod("theirs", vllm_container(gpus=3)))
    owner = eventually(lambda: owner_of(play, "theirs"), "it holds GPUs")
    assert (owner["namespace"], owner["count"], owner["deployment"]) == (play.namespace, 3, "")
    eventually(lambda: gpus(play)["used"] >= 3 and gpus(play)["used"] == held(), "they are used")
    play.kubectl("delete", "pod", "theirs", "--force", "--grace-period=0")
    eventually(lambda: not owner_of(play, "theirs") and gpus(play)["used"] == held(), "they are free again")


def held() -> int:
    """The GPUs that pods hold on the node with eight."""
    kinds = NodeStatus.objects.get(name="hollow-h100-0").gpus
    return sum(owner["count"] for kind in kinds for owner in kind["owners"])


def test_a_pod_that_no_node_takes_waits_with_the_schedulers_words(play: Play) -> None:
    row = deployed(play, "greedy", gpus=16)
    seen = until(row, "waiting")
    assert seen.sentence == "The replica waits: no node has 16 nvidia.com/gpu."
    assert "Insufficient nvidia.com/gpu" in seen.pods[0]["message"]
    pending = eventually(
        lambda: [one for one in cluster_status(play).pending if one["gpus"] == 16 and one["deployment"]],
        "it is pending",
    )
    assert pending[0]["deployment"] == str(row.pk)


def test_drift_is_shown_at_once_and_put_back_by_a_worker_that_was_told(play: Play) -> None:
    row = deployed(play, "drifting", policy=DriftPolicy.LEAVE)
    until(row, "serving")
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "drifting", "image": "rival:1"}]}}}}
    begun = time.monotonic()
    play.kubectl("patch", "deployment", "drifting", "--field-manager=rival", "-p", json.dumps(patch))
    [found] = eventually(lambda: status(row).drift, "the drift", seconds=10)
    assert time.monotonic() - begun < 5  # kubectl's own time on a busy machine included
    assert found["field"] == "spec.template.spec.containers.drifting.image"
    assert (found["wanted"], found["live"], found["rival"]) == (LLM["image"], "rival:1", "rival")
    assert work(row) == 0, "the policy is to leave it"
    Deployment.objects.filter(pk=row.pk).update(drift_policy=DriftPolicy.HEAL)
    eventually(lambda: work(row), "a worker was told")
    eventually(lambda: status(row).drift == [], "the drift is gone")
    assert play.live("deployment", "drifting")["spec"]["template"]["spec"]["containers"][0]["image"] == LLM["image"]


def test_an_object_that_somebody_removed_is_drift(play: Play) -> None:
    row = deployed(play, "bereft", policy=DriftPolicy.LEAVE)
    until(row, "serving")
    play.kubectl("delete", "service", "bereft")
    drift = eventually(lambda: status(row).drift, "the drift")
    gone = {"object": "Service/bereft", "field": "", "wanted": "present", "live": "gone"}
    assert drift == [gone | {"rival": "", "rewritten": False}]


def test_what_the_api_server_rewrites_is_shown_and_no_worker_is_told(play: Play) -> None:
    with policies.rewriting(play) as label:
        row = deployed(play, "rewritten")
        [found] = eventually(lambda: status(row).drift, "the drift")
        assert (found["field"], found["live"], found["rewritten"]) == (f"metadata.labels.{label}", "policy", True)
        until(row, "serving")
        assert work(row) == 0


def test_a_full_spec_has_no_drift_after_it_is_applied(play: Play) -> None:
    row = deployed(
        play, "full", gpus=0, cpu_request="0.5", cpu_limit="1500m", memory_request="1024Mi", memory_limit="2Gi",
        shared_memory="128Mi", node_selector={"kubernetes.io/os": "linux"}, service_type="NodePort", service_port=8080,
        env=[{"name": "A", "value": ""}, {"name": "B", "value": "0.50"}, {"name": "C", "value": "a\nb"}],
        files=[{"path": "/etc/a/x.conf", "content": ""}, {"path": "/etc/a/y.conf", "content": "1000m\n"}],
        args=["--x", "1.0"],
    )  # fmt: skip
    seen = eventually(lambda: (found := status(row)).observed_revision == 1 and found, "it is seen")
    time.sleep(1.5)
    assert (status(row).drift, seen.drift) == ([], [])


def test_a_label_of_ours_on_a_strangers_pod_changes_nothing(play: Play, plane: Any) -> None:
    row = deployed(play, "honest", replicas=0)
    until(row, "stopped")
    spoof = pod("spoof", vllm_container(gpus=1))
    spoof["metadata"] |= {"namespace": "default", "labels": {labels.DEPLOYMENT_ID: str(row.pk), "app": "honest"}}
    plane.kubectl("apply", "-f", "-", input=json.dumps(spoof))
    try:
        counted = eventually(lambda: owner_of(play, "spoof"), "the pod is counted on its node")
        assert counted["deployment"] == "", "a label makes nobody's pod ours"
        assert (status(row).health, status(row).pods) == ("stopped", [])
    finally:
        plane.kubectl("delete", "pod", "spoof", "-n", "default", "--force", "--grace-period=0")


def copied(play: Play, name: str, image: str) -> str:
    """Somebody's copy of a Deployment, labels and all, as `kubectl get -o yaml | edit | apply` makes it."""
    made = play.live("deployment", name)
    made["metadata"] = {"name": f"{name}-debug", "labels": made["metadata"]["labels"]}
    made["spec"]["template"]["spec"]["containers"][0]["image"] = image
    play.put({key: made[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    return f"{name}-debug"


def test_somebodys_copy_of_our_deployment_is_not_ours(play: Play) -> None:
    row = deployed(play, "orig", gpus=0)
    until(row, "serving")
    copy = copied(play, "orig", "registry.example/missing:1")
    eventually(lambda: play.kubectl("get", "pods", "-o", "name").count(f"pod/{copy}-"), "the copy's pod")
    time.sleep(1.5)
    seen = status(row)
    assert (seen.health, seen.sentence, len(seen.pods)) == ("serving", "Serving on 1 replica.", 1)
    assert seen.pods[0]["current"]
    play.kubectl("delete", "deployment", copy)


@pytest.mark.parametrize("label", [labels.DEPLOYMENT_ID, labels.INSTALLATION, "app"])
@pytest.mark.parametrize("kind", ["deployment", "service"])
def test_a_label_that_was_taken_off_is_drift(play: Play, kind: str, label: str) -> None:
    row = deployed(play, "relabelled", policy=DriftPolicy.LEAVE, gpus=0)
    eventually(lambda: status(row).observed_revision == 1, "it is seen")
    play.kubectl("label", kind, "relabelled", f"{label}-")
    begun = time.monotonic()
    [found, *_] = eventually(lambda: status(row).drift, "the drift", seconds=10)
    assert time.monotonic() - begun < 4
    assert found["object"].lower() == f"{kind}/relabelled"
    assert found["field"] in (f"metadata.labels.{label}", "")


def owner_of(play: Play, name: str) -> dict[str, Any]:
    owners = [o for node in NodeStatus.objects.all() for kind in node.gpus for o in kind["owners"] if o["pod"] == name]
    return owners[0] if owners else {}


@pytest.fixture
def absurd_node(play: Play) -> Iterator[str]:
    """A node that nobody runs, with more of everything than a database column holds."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "absurd"}}
    play.plane.kubectl("apply", "-f", "-", input=json.dumps(node))
    offers = {"nvidia.com/gpu": "900P", "memory": "900E", "cpu": "900P", "pods": "1000"}
    status = {"status": {"capacity": offers, "allocatable": offers}}
    play.plane.kubectl("patch", "node", "absurd", "--subresource=status", "-p", json.dumps(status))
    yield "absurd"
    play.plane.kubectl("delete", "node", "absurd")


def test_absurd_objects_stop_nothing(play: Play, absurd_node: str) -> None:
    row = deployed(play, "beside", replicas=0)
    huge = pod("huge", vllm_container(gpus=1), nodeName=absurd_node)
    asked = {"memory": "900E", "nvidia.com/gpu": "900P"}
    huge["spec"]["containers"][0]["resources"] = {"requests": asked, "limits": asked}
    huge["metadata"]["labels"] = {labels.DEPLOYMENT_ID: str(row.pk), "app": "beside"}
    play.put(huge)
    play.kubectl("annotate", "deployment", "beside", f"{labels.REVISION}=²{'9' * 5000}", "--overwrite")
    play.kubectl("annotate", "service", "beside", f"note={'x' * 100_000}")
    other = deployed(play, "other")
    assert until(other, "serving").ready == 1
    node = eventually(lambda: NodeStatus.objects.filter(name="absurd", pods=1).first(), "the absurd node's row")
    assert node.memory_bytes == node.memory_bytes_used == 2**63 - 1
    assert (status(row).gpus, status(row).pods) == (0, []), "a label makes nobody's pod ours"
    play.kubectl("delete", "pod", "huge", "--force", "--grace-period=0")


def test_a_deployment_that_is_deleted_leaves_the_list(play: Play) -> None:
    row = deployed(play, "leaving", gpus=0)
    eventually(lambda: status(row).observed_revision == 1, "it is seen")
    gone = play.delete(row)
    assert gone.gone_at
    assert not glance.listed().visible_to(play.maria).filter(pk=row.pk).exists()


def test_pods_of_a_lost_node_fail(play: Play) -> None:
    row = deployed(play, "bound", node_selector={"kubernetes.io/hostname": "hollow-l4-0"})
    until(row, "serving")
    play.plane.kubectl("annotate", "node", "hollow-l4-0", "sandbox.llmdash.io/lost=true")
    try:
        seen = until(row, "failing")
        assert seen.sentence == "The replica fails: node hollow-l4-0 is not ready."
        assert (seen.pods[0]["reason"], seen.ready) == ("NodeLost", 0)
        node = eventually(lambda: NodeStatus.objects.filter(name="hollow-l4-0", ready=False).first(), "the node's row")
        assert node.message
    finally:
        play.plane.kubectl("annotate", "node", "hollow-l4-0", "sandbox.llmdash.io/lost-")
    until(row, "serving")


def test_the_cluster_says_what_it_is(play: Play, watched: Watching) -> None:
    found = connected(play)
    assert found.kubernetes_version.startswith("v1.")
    assert (found.nodes_known, found.notes, found.message) == (True, [], "")
    eventually(lambda: NodeStatus.objects.filter(cluster=play.cluster, ready=True).count() == 2, "both nodes")


def messages() -> list[tuple[str, list[Any]]]:
    """What the workers are told and have not heard yet."""
    found = []
    with celery_app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
        while queue.qsize():
            message = queue.get_nowait()
            message.ack()
            found.append((str(message.headers["task"]), list(message.payload[0])))
    return found


def work(row: Deployment) -> int:
    """Do as a worker that hears of this row; the queue in memory still holds what earlier tests said of theirs."""
    told = [arguments for name, arguments in messages() if name == LOOK_AGAIN and arguments == [str(row.pk)]]
    for arguments in told:
        tasks.look_again(*arguments)
    return len(told)


def test_what_the_database_does_not_know_is_told_of_and_left_alone(play: Play) -> None:
    row = deployed(play, "restored")
    until(row, "serving")
    before = play.names()
    known = {"id": str(row.pk), "namespace": play.namespace, "name": "restored", "revision": 1}
    row.delete()
    eventually(lambda: cluster_status(play).unknown == [known], "the watcher tells of it")
    assert play.names() == before


def test_a_row_whose_turn_is_set_is_not_hastened_by_what_differs(play: Play) -> None:
    row = deployed(play)
    until(row, "serving")
    Deployment.objects.filter(pk=row.pk).update(problem=Problem.BACK_OFF, last_error={"message": "busy"})
    play.kubectl("scale", "deployment", row.name, "--replicas=3")
    eventually(lambda: status(row).drift, "the difference is seen")
    time.sleep(RING_SECONDS + 1)
    assert work(row) == 0


def test_workers_are_told_ever_less_often_of_what_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, now, rung = DeploymentRows(None), [0.0], list[float]()  # type: ignore[arg-type]  # no watch is asked
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for second in range(3600):
        now[0] = float(second)
        if rows.may_ring("row"):
            rung.append(now[0])
    assert rung[:5] == [0, 5, 15, 35, 75]
    assert {b - a for a, b in pairwise(rung[-3:])} == {settings.LLMDASH["RECHECK_SECONDS"]}
