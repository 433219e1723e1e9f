"""Whether a Deployment came up: one word, one sentence, and the facts behind them. Pure.

Precedence of the word: unknown > stopped > failing > waiting > starting > degraded > serving.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from deployments import scheduling
from deployments.choices import Health, Problem, Stage
from deployments.manifests.labels import REVISION, number
from monitoring.objects import Event, Loose, Pod
from monitoring.pods import facts, iso

EVENTS_KEPT = 30
SAID = 120  # letters of what a container said, in the sentence
WORDS = {
    Stage.PENDING: "waiting for a node",
    Stage.SCHEDULED: "placed on a node",
    Stage.PULLING: "pulling the image",
    Stage.LOADING: "loading the weights",
}


@dataclass(frozen=True)
class Intent:
    """What was asked for, from our rows. `gpus` and `gpu_name` are of one replica; `loads` says whether the
    container loads an LLM or just starts."""

    wanted: int
    gpus: int = 0
    gpu_name: str = ""
    loads: bool = True
    desired: int = 1
    applied: int = 1
    problem: str = ""
    problem_message: str = ""
    being_deleted: bool = False
    objects_left: int = 0


@dataclass(frozen=True)
class Seen:
    """What the cluster says of one Deployment. `events` by the uid of their object."""

    deployment: Loose | None
    pods: Sequence[Pod] = ()
    current_hash: str = ""
    events: dict[str, list[Event]] = field(default_factory=dict)
    lost_nodes: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Status:
    """The outcome; `pods` and `events` are lists of dicts as the rows keep them."""

    health: Health
    sentence: str
    ready: int
    wanted: int
    gpus: int
    rollout: str
    pods: list[dict[str, Any]]
    events: list[dict[str, Any]]


def status(intent: Intent, seen: Seen) -> Status:
    """Judge."""
    pods = [
        facts(
            pod,
            seen.events.get(pod.metadata.uid, []),
            current=pod.metadata.template_hash == seen.current_hash,
            lost_nodes=seen.lost_nodes,
        )
        for pod in sorted(seen.pods, key=lambda pod: (iso(pod.metadata.creation_timestamp) or "", pod.metadata.name))
    ]
    health, sentence = judge(intent, seen, pods)
    return Status(
        health=health,
        sentence=sentence,
        ready=sum(pod["ready"] for pod in pods),
        wanted=intent.wanted,
        gpus=sum(pod["gpus"] for pod in pods if pod["node"] and not pod["ended"]),
        rollout=rollout(seen.deployment),
        pods=pods,
        events=event_rows(seen),
    )


def judge(intent: Intent, seen: Seen, pods: list[dict[str, Any]]) -> tuple[Health, str]:
    """The word and the sentence."""
    held = running(pods)
    alive = held or [pod for pod in pods if pod["stage"] != Stage.STOPPING]
    if intent.being_deleted:
        return going(intent, held)
    if seen.deployment is None and not alive:
        return not_there(intent)
    asked = asked_for(intent, seen.deployment)
    beside = other_number(intent, asked) + caveat(intent)
    if asked == 0:
        health, sentence = stopped(intent, [pod for pod in pods if not pod["ended"]])
        return health, sentence + beside
    ready = sum(pod["ready"] for pod in alive)
    health, sentence = by_pods(replace(intent, wanted=asked), alive, ready, refusal(seen.deployment))
    if stuck(seen.deployment) and health != Health.SERVING and not ready:
        health = Health.FAILING
    if health == Health.SERVING and stands_in_part(intent):
        health = Health.DEGRADED
    return health, sentence + beside


def asked_for(intent: Intent, live: Loose | None) -> int:
    """How many replicas the cluster was told to run: another number than ours where somebody changed it, or where ours
    does not get through. While ours is on its way, it is ours."""
    stop_is_refused = intent.wanted == 0 and intent.applied < intent.desired
    on_its_way = intent.applied < intent.desired and not intent.problem
    if live is None or stop_is_refused or on_its_way or number(live.metadata.annotation(REVISION)) < intent.applied:
        return intent.wanted
    return whole(live.spec, "replicas", 1)


def other_number(intent: Intent, asked: int) -> str:
    """That somebody set another number of replicas than the newest revision, which was applied."""
    if asked == intent.wanted or intent.applied < intent.desired:
        return ""
    return f" The cluster was set to {asked}; {intent.wanted} {verb(intent.wanted, 'is', 'are')} wanted."


def stands_in_part(intent: Intent) -> bool:
    """Whether pods that serve are not all of it: an object was refused of what was never applied as a whole, or is
    refused when it has to be put back."""
    if intent.applied == intent.desired:
        return intent.problem == Problem.WAIT
    return not intent.applied and intent.problem not in ("", Problem.BACK_OFF)


def running(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that nobody told to end: they hold their GPUs."""
    return [pod for pod in pods if pod["stage"] != Stage.STOPPING and not pod["ended"]]


def running_on(pods: list[dict[str, Any]]) -> str:
    """That these still run."""
    return f"{plural(len(pods), 'pod')} still {verb(len(pods), 'runs', 'run')}"


def stopped(intent: Intent, pods: list[dict[str, Any]]) -> tuple[Health, str]:
    """It should stand still, which is so once the cluster has told its pods to end."""
    held = running(pods)
    if held and intent.problem and intent.applied < intent.desired:
        health = Health.DEGRADED if intent.problem == Problem.BACK_OFF else Health.FAILING
        return health, f"Not stopped: {running_on(held)}."
    if held:
        health = Health.SERVING if any(pod["ready"] for pod in held) else Health.STOPPED
        return health, f"Not stopped yet: {running_on(held)}."
    left = f": {plural(len(pods), 'pod')} still stopping." if pods else "."
    return Health.STOPPED, f"Stopped{left}"


def going(intent: Intent, held: list[dict[str, Any]]) -> tuple[Health, str]:
    """It is being deleted; what a person has to mend first is a failure."""
    pods = f", {running_on(held)}" if held else ""
    sentence = f"Being deleted: {plural(intent.objects_left, 'object')} left{pods}."
    if not intent.problem:
        return Health.STOPPED, sentence
    how = {Problem.WAIT: "It is refused: ", Problem.BACK_OFF: "Trying again: "}.get(Problem(intent.problem), "")
    failing = intent.problem in (Problem.WAIT, Problem.POISON, Problem.CLUSTER)
    return Health.FAILING if failing else Health.STOPPED, f"{sentence} {how}{intent.problem_message}"


def not_there(intent: Intent) -> tuple[Health, str]:
    """The cluster has nothing of it."""
    if intent.problem == Problem.BACK_OFF:
        return Health.WAITING, f"Not applied yet, trying again: {intent.problem_message}"
    if intent.problem:
        return Health.FAILING, f"Not applied: {intent.problem_message}"
    if intent.wanted == 0:
        return Health.STOPPED, "Stopped."
    return Health.STARTING, "Saved; being applied."


def by_pods(intent: Intent, pods: list[dict[str, Any]], ready: int, refused: str) -> tuple[Health, str]:
    """The word and the sentence of what should run. `refused` is why the cluster makes no pod."""
    if ready >= intent.wanted:
        serving = f"Serving on {plural(intent.wanted, 'replica')}"
        new = [pod for pod in pods if pod["current"] and not pod["ready"]]
        replacing = any(pod["ready"] and not pod["current"] for pod in pods)
        if replacing and (found := hindrance(new, intent)):
            number, clause = found
            who = "the new one" if number == 1 else f"the {number} new ones"
            return Health.DEGRADED, f"{serving} as before; {who} {clause}."
        return Health.SERVING, f"{serving}."
    rest = others(intent, pods, ready, refused)
    if ready:
        onward = not refused and not hindrance([pod for pod in pods if not pod["ready"]], intent)
        health = Health.STARTING if onward else Health.DEGRADED  # what comes up as it should alarms nobody
        return health, f"Serving on {ready} of {plural(intent.wanted, 'replica')}; {rest}."
    stages = {pod["stage"] for pod in newest(pods)}
    if Stage.FAILED in stages:
        return Health.FAILING, capital(f"{rest}.")
    pending = Stage.PENDING in stages and any(pod["reason"] for pod in pods)
    if pending or (refused and not pods):
        return Health.WAITING, capital(f"{rest}.")
    return Health.STARTING, capital(f"{rest}.")


def others(intent: Intent, pods: list[dict[str, Any]], ready: int, refused: str) -> str:
    """What keeps the replicas that do not serve, the worst first."""
    missing = max(1, intent.wanted - ready)
    unready = [pod for pod in pods if not pod["ready"]]
    waiting = newest(unready)
    if found := hindrance(waiting, intent):
        return f"{count(found[0], missing, ready)} {found[1]}{older(intent, unready)}"
    by_stage = Counter(Stage(pod["stage"]) for pod in waiting)
    if refused and not by_stage:
        return f"{count(missing, missing, ready)} cannot be created: {refused.rstrip('.')}"
    if not by_stage:
        return f"{plural(missing, 'pod')} not created yet"
    stage = max(by_stage, key=lambda stage: (by_stage[stage], stage))
    word = WORDS[stage] if intent.loads or stage != Stage.LOADING else "starting"
    last = max(waiting, key=lambda pod: pod["restarts"])
    said = f": {shortened(last['said'])}" if last["said"] else ""
    again = f" again, after {plural(last['restarts'], 'restart')}{said}" if last["restarts"] else ""
    return f"{count(by_stage[stage], missing, ready)} {verb(by_stage[stage], 'is', 'are')} {word}{again}"


def older(intent: Intent, unready: list[dict[str, Any]]) -> str:
    """What also keeps pods of an older revision, beside those of the newest: it may hold them up."""
    old = [pod for pod in unready if not pod["current"]]
    found = hindrance(old, intent) if len(old) < len(unready) else None
    return f"; {found[0]} of an older revision {found[1]}" if found else ""


def hindrance(waiting: list[dict[str, Any]], intent: Intent) -> tuple[int, str] | None:
    """(how many, what keeps them) of pods that fail or, when none does, of those that no node takes."""
    if failed := [pod for pod in waiting if pod["stage"] == Stage.FAILED]:
        return len(failed), f"{verb(len(failed), 'fails', 'fail')}: {why_failed(failed[0])}"
    if pending := [pod for pod in waiting if pod["stage"] == Stage.PENDING and pod["reason"]]:
        return len(pending), f"{verb(len(pending), 'waits', 'wait')}: {why_pending(pending[0]['message'], intent)}"
    return None


def newest(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the newest revision, if there are any: what it does counts, not how the one before it failed."""
    return [pod for pod in pods if pod["current"]] or pods


def why_failed(pod: dict[str, Any]) -> str:
    """The failure of a pod in a clause."""
    known = {
        "ImagePullBackOff": "the image cannot be pulled",
        "ErrImagePull": "the image cannot be pulled",
        "InvalidImageName": "the image's name is not valid",
        "CrashLoopBackOff": "the container ends again and again",
        "OOMKilled": "the container ran out of memory",
        "Restarting": "the container ends again and again",
        "NodeLost": f"node {pod['node']} is not ready",
        "CreateContainerConfigError": "the container's configuration is incomplete",
        "Evicted": "the node evicted it",
        "Error": "the container ends again and again" if pod["restarts"] else "the container ended with an error",
        "ContainerCannotRun": "the container cannot be started",
        "CreateContainerError": "the container cannot be started",
        "RunContainerError": "the container cannot be started",
        "StartError": "the container cannot be started",
        "Succeeded": "it ended by itself",
    }
    clause = known.get(pod["reason"], pod["reason"] or "it ended")
    times = f" (restarted {plural(pod['restarts'], 'time')})" if pod["restarts"] else ""
    said = f": {shortened(pod['said'])}" if pod["said"] else ""
    return f"{clause}{times}{said}"


def shortened(text: str) -> str:
    """Its first sentence, or as much of that as a sentence bears."""
    first = text.split(". ", maxsplit=1)[0].rstrip(".")
    return first if len(first) <= SAID else f"{first[:SAID].rsplit(' ', 1)[0]} and so on"


def why_pending(message: str, intent: Intent) -> str:
    """The scheduler's message in a clause; the message itself stands beside the pod."""
    if found := scheduling.lacking(message):
        devices = [name for name in found if "/" in name]
        rest = " and ".join(name for name in found if name not in devices)
        free, enough = ("", "that much") if scheduling.is_too_large(message) else ("free ", "enough free")
        gpus = f"{intent.gpus} {free}{intent.gpu_name or devices[0]}" if devices else ""
        return f"no node has {' with '.join(part for part in (gpus, rest and f'{enough} {rest}') if part)}"
    if scheduling.MISMATCH in message:
        wanted = f" (GPU type {intent.gpu_name})" if intent.gpu_name and intent.gpus else ""
        return f"no node carries the wanted labels{wanted}"
    if "untolerated taint" in message:
        return "every node has a taint that it does not tolerate"
    if "no nodes available" in message:
        return "the cluster has no node that takes pods"
    return message.split(". ", maxsplit=1)[0].rstrip(".") or "it has no node yet"


def caveat(intent: Intent) -> str:
    """What is asked for and not applied, beside what runs."""
    if intent.problem == Problem.CONTESTED:
        return f" Contested: {intent.problem_message}"
    if intent.problem == Problem.NEWER:
        return " The cluster is newer than the database, so nothing is applied."
    if intent.applied < intent.desired and intent.problem:
        return f" Revision {intent.desired} is not applied: {intent.problem_message}"
    return f" Not kept as it is wanted: {intent.problem_message}" if intent.problem else ""


def rollout(deployment: Loose | None) -> str:
    """ "complete", "progressing" or "stuck", told as `kubectl rollout status` tells it; "" when the Deployment
    controller has not looked yet.

    https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go
    """
    found = progressing(deployment)
    if deployment is None or found is None:
        return ""
    if deployment.metadata.generation > whole(deployment.status, "observedGeneration"):
        return "progressing"  # what the controller says is of the spec before
    if found.get("reason") == "ProgressDeadlineExceeded":
        return "stuck"
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    there, updated, available = (whole(deployment.status, key) for key in counts)
    wanted = whole(deployment.spec, "replicas", 1)
    return "complete" if there <= updated >= wanted and available >= updated else "progressing"


def whole(part: dict[str, Any], key: str, absent: int = 0) -> int:
    """A number of somebody else's object; what is none counts as absent."""
    value = part.get(key, absent)
    return value if isinstance(value, int) else absent


def stuck(deployment: Loose | None) -> bool:
    """The rollout's deadline has passed."""
    return rollout(deployment) == "stuck"


def progressing(deployment: Loose | None) -> dict[str, Any] | None:
    """The Progressing condition."""
    return condition_of(deployment, "Progressing")


def refusal(deployment: Loose | None) -> str:
    """Why the cluster makes no pod, verbatim: a quota, a policy, a missing account; "" while it makes them."""
    found = condition_of(deployment, "ReplicaFailure") or {}
    return str(found.get("message") or "") if found.get("status") == "True" else ""


def condition_of(deployment: Loose | None, kind: str) -> dict[str, Any] | None:
    """A condition of the Deployment object."""
    conditions = deployment.status.get("conditions") if deployment else None
    return next((c for c in conditions or [] if isinstance(c, dict) and c.get("type") == kind), None)


def event_rows(seen: Seen) -> list[dict[str, Any]]:
    """The newest events of the Deployment and its pods, newest first."""
    rows = [
        {
            "at": iso(event.at),
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:1000],
            "object": f"{event.involved_object.kind}/{event.involved_object.name}",
            "count": event.count or (event.series.count if event.series else 1) or 1,
        }
        for events in seen.events.values()
        for event in events
    ]
    return sorted(rows, key=lambda row: row["at"] or "", reverse=True)[:EVENTS_KEPT]


def plural(number: int, noun: str) -> str:
    """1 replica, 2 replicas."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def count(number: int, missing: int, ready: int) -> str:
    """How the replicas that do not serve are spoken of."""
    if number < missing:
        return f"{number} of the other {missing}" if ready else f"{number} of {missing} replicas"
    if ready:
        return "the other one" if number == 1 else f"the other {number}"
    return "the replica" if number == 1 else f"all {number} replicas"


def verb(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
