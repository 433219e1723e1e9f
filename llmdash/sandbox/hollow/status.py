"""A pod's ``status`` as the kubelet writes it, and back again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmdash.sandbox.hollow import images, logs, times
from llmdash.sandbox.hollow.plan import ContainerPlan, PodPlan
from llmdash.sandbox.hollow.states import Exit, Life, Run, Stage, backoff_seconds, container_id, go_duration

Json = dict[str, Any]

_NEVER_STARTED = (Stage.WAITING, Stage.PULLING, Stage.PULL_ERROR, Stage.PULL_BACKOFF)


def _terminated(ended: Exit, plan: ContainerPlan) -> Json:
    said = logs.last_words(plan, ended) if plan.tells and ended.code else ""
    return {
        "terminated": {
            "exitCode": ended.code,
            "reason": ended.reason,
            "startedAt": times.text(ended.started),
            "finishedAt": times.text(ended.finished),
            "containerID": ended.container_id,
            **({"message": said} if said else {}),
        }
    }


def _waiting(run: Run, plan: ContainerPlan, title: str, idle: str) -> Json:
    if run.stage is Stage.PULL_ERROR:
        return {"waiting": {"reason": "ErrImagePull", "message": plan.pull_refusal or ""}}
    # While it tries again the kubelet tells of the failure before, from its cache of reasons.
    if run.stage is Stage.PULL_BACKOFF or (run.stage is Stage.PULLING and run.pulls and plan.pull_refusal):
        message = f'Back-off pulling image "{plan.image}": ErrImagePull: {plan.pull_refusal}'
        return {"waiting": {"reason": "ImagePullBackOff", "message": message}}
    if run.stage is Stage.BACKOFF:
        pause = go_duration(backoff_seconds(run.restarts))
        message = f"back-off {pause} restarting failed container={plan.name} pod={title}"
        return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    return {"waiting": {"reason": idle}}


def _container(run: Run, plan: ContainerPlan, uid: str, *, title: str, idle: str) -> Json:
    last = run.last
    identity = container_id(uid, plan.name, run.restarts)
    if run.alive:
        state: Json = {"running": {"startedAt": times.text(run.started)}}
    elif run.stage in (Stage.EXITED, Stage.DONE) and run.ended:
        state = _terminated(run.ended, plan)
    else:
        state = _waiting(run, plan, title, idle)
        last = run.ended or last
        identity = last.container_id if last else ""
    pulled = bool(identity)
    done = plan.ends_after is not None and run.ended is not None and run.ended.code == 0
    status: Json = {
        "name": plan.name,
        "state": state,
        "lastState": _terminated(last, plan) if last else {},
        "ready": run.stage is Stage.READY or (done and run.stage in (Stage.EXITED, Stage.DONE)),
        "restartCount": run.restarts,
        "image": images.reference(plan.image) if pulled else plan.image,
        "imageID": images.image_id(plan.image) if pulled else "",
        "started": run.alive and run.up,
    }
    return status | ({"containerID": identity} if identity else {})


def phase(life: Life, plan: PodPlan) -> str:
    """Pending until every container has run once, then Running; Succeeded or Failed when all are done for good."""
    runs = [life.run(one.name) for one in plan.main]
    if runs and all(run.stage is Stage.DONE and run.ended for run in runs):
        return "Succeeded" if all(run.ended and run.ended.code == 0 for run in runs) else "Failed"
    if any(run.stage in _NEVER_STARTED and not (run.last or run.ended) for run in runs):
        return "Pending"
    return "Running"


def _condition(kind: str, *, good: bool, reason: str | None = None, message: str | None = None) -> Json:
    return {"type": kind, "status": "True" if good else "False", "reason": reason, "message": message}


def _unready(kind: str, life: Life, plan: PodPlan, current: str) -> Json:
    if current in ("Succeeded", "Failed"):
        return _condition(kind, good=False, reason="PodCompleted" if current == "Succeeded" else "PodFailed")
    names = [one.name for one in plan.main if life.run(one.name).stage is not Stage.READY]
    if not names:
        return _condition(kind, good=True)
    listed = " ".join(names)
    return _condition(
        kind, good=False, reason="ContainersNotReady", message=f"containers with unready status: [{listed}]"
    )


def _initialized(life: Life, plan: PodPlan, current: str) -> Json:
    names = [
        one.name
        for one in plan.init
        if not (life.run(one.name).up if one.sidecar else life.run(one.name).stage in (Stage.DONE, Stage.EXITED))
    ]
    if names and current == "Pending":
        listed = " ".join(names)
        message = f"containers with incomplete status: [{listed}]"
        return _condition("Initialized", good=False, reason="ContainersNotInitialized", message=message)
    return _condition("Initialized", good=True, reason="PodCompleted" if current == "Succeeded" else None)


def _gates(pod: Mapping[str, Any], ready: Json) -> Json:
    """The Ready condition, held back by readiness gates that nobody has opened."""
    found = {one["type"]: one["status"] for one in (pod.get("status") or {}).get("conditions") or []}
    closed = [
        gate["conditionType"]
        for gate in pod["spec"].get("readinessGates") or []
        if found.get(gate["conditionType"]) != "True"
    ]
    if ready["status"] != "True" or not closed:
        return ready
    message = f'corresponding condition of pod readiness gate "{closed[0]}" does not exist.'
    return _condition("Ready", good=False, reason="ReadinessGatesNotReady", message=message)


def conditions(pod: Mapping[str, Any], life: Life, plan: PodPlan) -> list[Json]:
    """The kubelet's conditions without times; ``reason`` and ``message`` None mean: remove what stands there."""
    current = phase(life, plan)
    sandbox = current not in ("Succeeded", "Failed") and any(
        run.stage is not Stage.WAITING for run in life.runs.values()
    )
    return [
        _condition("PodReadyToStartContainers", good=sandbox),
        _initialized(life, plan, current),
        _gates(pod, _unready("Ready", life, plan, current)),
        _unready("ContainersReady", life, plan, current),
    ]


def status(pod: Mapping[str, Any], life: Life, plan: PodPlan, *, host_ip: str, pod_ip: str) -> Json:
    """The whole status of a pod except ``qosClass`` and the scheduler's conditions, which are left alone."""
    meta = pod["metadata"]
    uid, title = meta["uid"], f"{meta['name']}_{meta['namespace']}({meta['uid']})"
    idle = "PodInitializing" if plan.init else "ContainerCreating"
    built: Json = {
        "phase": phase(life, plan),
        "conditions": conditions(pod, life, plan),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": (pod.get("status") or {}).get("startTime") or times.text(life.seen),
        "containerStatuses": [
            _container(life.run(one.name), one, uid, title=title, idle=idle)
            for one in sorted(plan.main, key=lambda one: one.name)
        ],
    }
    if meta.get("generation"):
        built["observedGeneration"] = meta["generation"]
    if plan.init:
        built["initContainerStatuses"] = [
            _container(life.run(one.name), one, uid, title=title, idle="PodInitializing") for one in plan.init
        ]
    if any(run.stage is not Stage.WAITING for run in life.runs.values()):
        built |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    return built


def _same(observed: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(observed, dict):
        keys = set(wanted) | set(observed)
        return all(_same(observed.get(key), wanted.get(key)) for key in keys)
    if isinstance(wanted, list) and isinstance(observed, list):
        return len(wanted) == len(observed) and all(map(_same, observed, wanted))
    return (observed or None) == (wanted or None)


def _changed_conditions(observed: list[Json], wanted: list[Json], now: float) -> list[Json]:
    """The conditions to send: those that differ, with the time kept where the status is the same."""
    before = {one["type"]: one for one in observed}
    changed = []
    for one in wanted:
        old = before.get(one["type"], {})
        if all(_same(old.get(key), one[key]) for key in ("status", "reason", "message")):
            continue
        moved = old.get("status") != one["status"] or not old.get("lastTransitionTime")
        when = times.text(now) if moved else old["lastTransitionTime"]
        changed.append({**one, "lastProbeTime": None, "lastTransitionTime": when})
    return changed


def patch(observed: Mapping[str, Any], wanted: Json, *, now: float) -> Json | None:
    """The strategic merge patch of ``status`` that turns what stands there into what is wanted; None when it does."""
    changes = {
        key: value
        for key, value in wanted.items()
        if key != "conditions" and not _same(observed.get(key), value)
    }  # fmt: skip
    found = _changed_conditions(list(observed.get("conditions") or []), wanted["conditions"], now)
    if found:
        changes["conditions"] = found
    return changes or None


def _exit(state: Mapping[str, Any] | None, plan: ContainerPlan) -> Exit | None:
    ended = (state or {}).get("terminated")
    if not ended:
        return None
    kind = plan.failure.kind if plan.failure else ("done" if ended["exitCode"] == 0 else "probe")
    return Exit(
        code=int(ended["exitCode"]),
        reason=ended.get("reason") or "Error",
        started=times.epoch(ended.get("startedAt")),
        finished=times.epoch(ended.get("finishedAt")),
        container_id=ended.get("containerID") or "",
        kind=kind,
    )


def _loaded_warm(started: float, plan: ContainerPlan, ready_at: float) -> bool:
    """Whether a run must have found its weights: it was ready before a download could have ended."""
    return bool(ready_at) and ready_at + 1 < started + plan.serving_after(warm=False)


def _adopt_container(status_: Mapping[str, Any], plan: ContainerPlan, now: float, ready_at: float) -> Run:
    state = status_.get("state") or {}
    restarts, last = int(status_.get("restartCount") or 0), _exit(status_.get("lastState"), plan)
    if running := state.get("running"):
        started = times.epoch(running.get("startedAt")) or now
        stage = Stage.READY if status_.get("ready") else Stage.RUNNING
        up = bool(status_.get("started")) or stage is Stage.READY
        warm = stage is Stage.READY and plan.readiness is not None and _loaded_warm(started, plan, ready_at)
        return Run(stage, now, started, warm=warm, up=up, refused=True, restarts=restarts, last=last)
    if ended := _exit(state, plan):
        return Run(Stage.EXITED, ended.finished, ended.started, restarts=restarts, ended=ended, last=last)
    reason = (state.get("waiting") or {}).get("reason")
    if reason == "CrashLoopBackOff" and last:
        return Run(Stage.BACKOFF, last.finished, restarts=restarts, ended=last)
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        return Run(Stage.PULL_BACKOFF, now, restarts=restarts, pulls=1, last=last)
    return Run(restarts=restarts, last=last)


def adopt(pod: Mapping[str, Any], plan: PodPlan, now: float) -> Life:
    """The life of a pod that an earlier process of ours (or nobody yet) looked after; nothing running is restarted."""
    found = pod.get("status") or {}
    ready: Json = next((one for one in found.get("conditions") or () if one["type"] == "ContainersReady"), {})
    ready_at = times.epoch(ready.get("lastTransitionTime")) if ready.get("status") == "True" else 0.0
    runs = {
        one["name"]: _adopt_container(one, container, now, ready_at)
        for one in (*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ()))
        if (container := plan.container(one["name"]))
    }
    return Life(times.epoch(found.get("startTime")) or now, runs)
