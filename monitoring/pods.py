"""What a pod is doing, in our words. Pure.

Waiting and termination reasons are the kubelet's:
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployments.choices import Stage
from deployments.terminal import plain
from monitoring.capacity import demand
from monitoring.objects import Condition, ContainerStatus, Event, Pod, Terminated, condition

RESTARTS_THAT_FAIL = 2  # a pod that never was ready since and starts once more is no start but a loop
SAID = 300  # letters of what a container said last
# "torch.OutOfMemoryError: CUDA out of memory.", as Python ends a traceback.
ERROR = re.compile(r"[\w.]*(?:Error|Exception): \S.*")
CREATING = {"ContainerCreating", "PodInitializing", ""}
ENDED = ("Failed", "Succeeded")
# Python takes longer to read a member's value than to find it here.
WORDS = {stage: str(stage.value) for stage in Stage}
STAGES = tuple(WORDS[stage] for stage in (Stage.SCHEDULED, Stage.PULLING, Stage.LOADING, Stage.READY))


@dataclass(frozen=True)
class Cause:
    """Why a pod does not get on: the machine's reason and its own words, and the error that the container told last."""

    reason: str = ""
    message: str = ""
    said: str = ""


def facts(pod: Pod, events: Sequence[Event], *, current: bool, lost_nodes: set[str]) -> dict[str, Any]:
    """One pod as the rows keep it: {"name", "uid", "node", "stage", "ready", "ended", "restarts", "reason", "message",
    "said", "ip", "gpus", "current", "created_at", "stages": [{"stage", "at"}]}; times are ISO 8601 in UTC or null. A
    pod that "ended" is a record only: it runs no more, holds nothing, and another takes its place."""
    stage, cause = stage_of(pod, events, lost_nodes)
    statuses = pod.status.container_statuses or []
    return {
        "name": pod.metadata.name,
        "uid": pod.metadata.uid,
        "node": pod.spec.node_name,
        "stage": WORDS[stage],
        "ready": stage == Stage.READY,
        "ended": pod.status.phase in ENDED,
        "restarts": sum(status.restart_count for status in statuses),
        "reason": cause.reason,
        "message": cause.message,
        "said": cause.said,
        "ip": pod.status.pod_ip,
        "gpus": sum(demand(pod).gpus.values()),
        "current": current,
        "created_at": iso(pod.metadata.creation_timestamp),
        "stages": stages(pod, events),
    }


def stage_of(pod: Pod, events: Sequence[Event], lost_nodes: set[str]) -> tuple[Stage, Cause]:
    """The stage, and the cause when it waits or fails."""
    if pod.metadata.deletion_timestamp:
        return Stage.STOPPING, Cause()
    if pod.status.phase in ENDED:
        return Stage.FAILED, Cause(pod.status.reason or pod.status.phase, pod.status.message)
    if pod.spec.node_name in lost_nodes:
        return Stage.FAILED, Cause("NodeLost", f"Node {pod.spec.node_name} is not ready.")
    scheduled = condition(pod.status.conditions, "PodScheduled")
    if not pod.spec.node_name:
        said = scheduled if scheduled and scheduled.status == "False" else None
        return Stage.PENDING, Cause(said.reason, said.message) if said else Cause()
    return stage_on_node(pod, events)


def stage_on_node(pod: Pod, events: Sequence[Event]) -> tuple[Stage, Cause]:
    """The stage of a pod that has a node."""
    statuses = [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]
    for status in statuses:
        if cause := failure(status):
            return Stage.FAILED, cause
    ready = condition(pod.status.conditions, "Ready")
    if ready and ready.status == "True":
        return Stage.READY, Cause()
    main = pod.status.container_statuses or []
    for status in main:
        if cause := loop(status, ready):
            return Stage.FAILED, cause
    if main and all(status.state and status.state.running for status in main):
        again = next((one.last_state.terminated for one in main if one.restart_count and one.last_state), None)
        return Stage.LOADING, Cause("", ended(again), said(again)) if again else Cause()
    pulling = any(event.reason in ("Pulling", "Pulled") for event in events)
    return (Stage.PULLING if pulling else Stage.SCHEDULED), Cause()


def loop(status: ContainerStatus, ready: Condition | None) -> Cause | None:
    """Why a container that runs again fails all the same; None while this may be a start like any other. Who ran out of
    memory once does so again."""
    last = last_run(status)
    killed = last is not None and last.reason == "OOMKilled"
    if status.restart_count < (1 if killed else RESTARTS_THAT_FAIL) or was_ready(status, ready):
        return None
    reason = "OOMKilled" if killed else "Restarting"
    return Cause(reason, f"{last_end(status)} It runs again and is not ready yet.".lstrip(), said(last))


def was_ready(status: ContainerStatus, ready: Condition | None) -> bool:
    """Whether a container that runs was ready in this run: not, when the pod has been unready since before."""
    began = status.state.running.started_at if status.state and status.state.running else None
    changed = ready.last_transition_time if ready else None
    return bool(began and changed and changed > began)


def last_run(status: ContainerStatus) -> Terminated | None:
    """The run before this one, where there was one."""
    return status.last_state.terminated if status.last_state else None


def last_end(status: ContainerStatus) -> str:
    """How the run before this one ended."""
    last = last_run(status)
    return ended(last) if last else ""


def ended(run: Terminated) -> str:
    """How a run ended, with what it said last where that was kept."""
    what = f"{run.reason}, exit code" if run.reason not in ("Error", "") else "exit code"
    words = said(run)
    return f"Ended with {what} {run.exit_code}." + (f" It said: {words}" if words else "")


def said(run: Terminated | None) -> str:
    """The error in the last words of a run, in one line; its last line, where there is no error in them. Who is killed
    has no time to say why."""
    if run is None or run.reason == "OOMKilled":
        return ""
    text = plain(run.message)
    errors = [found for found in ERROR.findall(text) if "above" not in found.lower()]
    lines = errors or [line for line in text.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else ""
    return last if len(last) <= SAID else f"{last[:SAID].rsplit(' ', 1)[0]} …"


def failure(status: ContainerStatus) -> Cause | None:
    """Why a container fails; None while it gets on."""
    if status.state and status.state.waiting and status.state.waiting.reason not in CREATING:
        waiting = status.state.waiting
        last = last_run(status)
        if waiting.reason == "CrashLoopBackOff" and last:
            reason = last.reason if last.reason == "OOMKilled" else waiting.reason
            return Cause(reason, f"{ended(last)} {waiting.message}".rstrip(), said(last))
        return Cause(waiting.reason, waiting.message)
    ended_now = status.state.terminated if status.state else None
    if ended_now and (ended_now.exit_code or ended_now.reason not in ("Completed", "")):
        return Cause(ended_now.reason or "Error", ended(ended_now), said(ended_now))
    return None


def stages(pod: Pod, events: Sequence[Event]) -> list[dict[str, Any]]:
    """When each stage was reached, null while it was not."""
    scheduled = condition(pod.status.conditions, "PodScheduled")
    ready = condition(pod.status.conditions, "Ready")
    pull = [event.first_timestamp or event.at for event in events if event.reason in ("Pulling", "Pulled")]
    started = [started_at(status) for status in pod.status.container_statuses or []]
    running = max((at for at in started if at), default=None)
    times = (
        scheduled.last_transition_time if scheduled and scheduled.status == "True" else None,
        min((at for at in pull if at), default=None) or running,
        running,
        ready.last_transition_time if ready and ready.status == "True" else None,
    )
    return [{"stage": stage, "at": iso(at)} for stage, at in zip(STAGES, times, strict=True)]


def started_at(status: ContainerStatus) -> datetime | None:
    """When a container last began to run; of one that crashed, when that run began."""
    if status.state and status.state.running:
        return status.state.running.started_at
    ended = (status.state and status.state.terminated) or (status.last_state and status.last_state.terminated)
    return ended.started_at if ended else None


def iso(at: datetime | None) -> str | None:
    """A time as the rows keep it."""
    return at.isoformat() if at else None
