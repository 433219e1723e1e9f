"""Deployments from the first rollout to the last revision kept."""

import pytest

from tests.contract.space import Json, Space, gpus, workload
from tests.controlplane.plane import KubectlFailed

TWO: Json = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}


def settled(space: Space, name: str = "web") -> str:
    return space.kubectl("rollout", "status", f"deploy/{name}", "--timeout=60s")


def condition(found: Json, kind: str) -> Json:
    return next(one for one in found["status"]["conditions"] if one["type"] == kind)


@pytest.fixture
def web(space: Space) -> Space:
    space.apply(workload("web", replicas=2, **TWO))
    settled(space)
    return space


def test_a_rollout_ends_with_all_that_belongs_to_it(web: Space) -> None:
    found = web.get("deploy", "web")
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    status = found["status"]
    counts = {name: status[name] for name in ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")}
    assert set(counts.values()) == {2}
    assert condition(found, "Available")["reason"] == "MinimumReplicasAvailable"
    [owned] = web.items("rs")
    name = owned["metadata"]["name"]
    assert condition(found, "Progressing")["message"] == f'ReplicaSet "{name}" has successfully progressed.'
    hash_ = owned["metadata"]["labels"]["pod-template-hash"]
    assert name == f"web-{hash_}"
    assert owned["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hash_}
    reference = owned["metadata"]["ownerReferences"][0]
    assert (reference["kind"], reference["controller"], reference["blockOwnerDeletion"]) == ("Deployment", True, True)
    annotations = owned["metadata"]["annotations"]
    prefix = "deployment.kubernetes.io/"
    assert annotations[prefix + "desired-replicas"] == "2"
    assert annotations[prefix + "max-replicas"] == "3"
    for pod in web.items("pods"):
        assert pod["metadata"]["generateName"] == f"{name}-"
        labels = pod["metadata"]["labels"]
        assert labels.keys() - {"app", "pod-template-hash"} == {
            f"topology.kubernetes.io/{at}" for at in ("region", "zone")
        }


def test_a_new_image_rolls_within_surge(web: Space) -> None:
    web.kubectl("set", "image", "deploy/web", "main=registry.example/app:2")
    assert "successfully rolled out" in settled(web)
    new, old = sorted(web.items("rs"), key=lambda one: -one["spec"]["replicas"])
    assert (new["spec"]["replicas"], old["spec"]["replicas"]) == (2, 0)
    assert new["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    up = f"Scaled up replica set {new['metadata']['name']} from 0 to 1"
    down = f"Scaled down replica set {old['metadata']['name']} from 1 to 0"
    assert {up, down} <= set(web.messages("ScalingReplicaSet"))


def test_undo_goes_back_and_history_tells(web: Space) -> None:
    web.kubectl("set", "image", "deploy/web", "main=registry.example/app:2")
    settled(web)
    assert "rolled back" in web.kubectl("rollout", "undo", "deploy/web")
    settled(web)
    assert web.get("deploy", "web")["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":1")
    numbers = [line.split()[0] for line in web.kubectl("rollout", "history", "deploy/web").splitlines()[2:] if line]
    assert numbers == ["2", "3"]
    assert "registry.example/app:2" in web.kubectl("rollout", "history", "deploy/web", "--revision=2")


def test_restart_makes_new_pods(web: Space) -> None:
    before = {one["metadata"]["uid"] for one in web.items("pods")}
    web.kubectl("rollout", "restart", "deploy/web")
    settled(web)
    web.wait(lambda: not before & {one["metadata"]["uid"] for one in web.items("pods")})


def test_pause_holds_a_rollout_and_resume_lets_it_go(web: Space) -> None:
    web.kubectl("rollout", "pause", "deploy/web")
    web.kubectl("set", "image", "deploy/web", "main=registry.example/app:2")
    paused = web.wait(lambda: _reason(web, "DeploymentPaused"))
    assert paused["message"] == "Deployment is paused"
    assert len(web.items("rs")) == 1
    web.kubectl("rollout", "resume", "deploy/web")
    settled(web)
    assert len(web.items("rs")) == 2


def _reason(space: Space, reason: str) -> Json | None:
    found = space.get("deploy", "web")["status"].get("conditions") or []
    return next((one for one in found if one["reason"] == reason), None)


def test_scaling_is_no_rollout(web: Space) -> None:
    web.kubectl("scale", "deploy/web", "--replicas=3")
    settled(web)
    assert len(web.items("rs")) == 1
    web.kubectl("scale", "deploy/web", "--replicas=0")
    settled(web)
    web.wait(lambda: not web.items("pods"))
    assert "replicas" not in web.get("deploy", "web")["status"]


def test_recreate_stops_the_old_before_the_new(space: Space) -> None:
    space.apply(workload("web", strategy={"type": "Recreate"}, container=gpus(8)))
    settled(space)
    space.kubectl("set", "image", "deploy/web", "main=registry.example/app:2")
    settled(space)
    space.wait(lambda: len(space.items("pods")) == 1)


def test_only_so_many_revisions_are_kept(space: Space) -> None:
    space.apply(workload("web", revisionHistoryLimit=1))
    for number in (2, 3, 4):
        settled(space)
        space.kubectl("set", "image", "deploy/web", f"main=registry.example/app:{number}")
    settled(space)
    space.wait(lambda: len(space.items("rs")) == 2)


def test_a_missed_deadline_is_told(space: Space) -> None:
    space.apply(workload("web", progressDeadlineSeconds=1, container=gpus(64)))
    said = space.wait(lambda: _reason(space, "ProgressDeadlineExceeded"))
    [owned] = space.items("rs")
    assert (said["status"], said["message"]) == (
        "False",
        f'ReplicaSet "{owned["metadata"]["name"]}" has timed out progressing.',
    )
    with pytest.raises(KubectlFailed, match='deployment "web" exceeded its progress deadline'):
        settled(space)


def test_a_refused_pod_is_told_by_set_and_deployment(space: Space) -> None:
    space.apply(workload("web", pod={"serviceAccountName": "absent"}))
    said = space.wait(lambda: _reason(space, "FailedCreate"))
    assert said["type"] == "ReplicaFailure"
    why = f'error looking up service account {space.name}/absent: serviceaccount "absent" not found'
    assert said["message"].endswith(why)
    assert any(message.startswith("Error creating: pods ") for message in space.messages("FailedCreate"))
    space.kubectl("create", "serviceaccount", "absent")
    settled(space)


def test_min_ready_seconds_delay_availability(space: Space) -> None:
    space.apply(workload("web", minReadySeconds=2))
    space.wait(lambda: space.get("deploy", "web")["status"].get("readyReplicas") == 1)
    assert "availableReplicas" not in space.get("deploy", "web")["status"]
    settled(space)


def test_wait_and_expose_work(web: Space) -> None:
    web.kubectl("wait", "deploy/web", "--for=condition=Available", "--timeout=30s")
    web.kubectl("wait", "deploy/web", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=30s")
    web.kubectl("expose", "deploy/web", "--port=80", "--target-port=8000")
    assert web.get("service", "web")["spec"]["selector"] == {"app": "web"}


def test_describe_tells_the_story(web: Space) -> None:
    shown = web.kubectl("describe", "deploy", "web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in shown
    assert "ScalingReplicaSet" in shown
    [owned] = web.items("rs")
    assert f"NewReplicaSet:   {owned['metadata']['name']} (2/2 replicas created)" in shown


def test_a_pod_that_is_deleted_is_replaced(web: Space) -> None:
    first = web.items("pods")[0]["metadata"]["name"]
    web.kubectl("delete", "pod", first, "--wait", "--timeout=30s")
    settled(web)
    assert first not in {one["metadata"]["name"] for one in web.items("pods")}
