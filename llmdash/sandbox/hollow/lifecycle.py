"""What happens next to a container and to a pod, as a kubelet would have it. Pure: time comes in as an argument.

Times are epoch seconds. Every function returns a new value; ``due`` says when the next change will come, so that one
heap of due times drives any number of pods. Wording of notes (events): pkg/kubelet of Kubernetes 1.36.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from llmdash.sandbox.hollow import images
from llmdash.sandbox.hollow.plan import ContainerPlan, PodPlan
from llmdash.sandbox.hollow.states import Exit, Life, Moment, Note, Run, Stage, backoff_seconds, container_id

Step = tuple[Run, list[Note]]


def _note(plan: ContainerPlan, reason: str, message: str, *, warning: bool = False, count: int = 1) -> Note:
    return Note(plan.name, reason, message, warning, count)


def begin(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    """Start the container, or pull its image first."""
    if plan.pull_refusal is None and not plan.always_pull and images.reference(plan.image) in at.images:
        present = f'Container image "{plan.image}" already present on machine and can be accessed by the pod'
        return _start(run, plan, at, _note(plan, "Pulled", present))
    return replace(run, stage=Stage.PULLING, since=at.now), [_note(plan, "Pulling", f'Pulling image "{plan.image}"')]


def _start(run: Run, plan: ContainerPlan, at: Moment, pulled: Note) -> Step:
    warm = plan.keeps_weights and plan.llm is not None and plan.llm.repo_id in at.llms
    up = plan.startup is None
    ready = up and plan.readiness is None
    started = replace(
        run, stage=Stage.READY if ready else Stage.RUNNING, since=at.now, started=at.now, warm=warm, up=up,
        refused=False, pulls=0, ended=None, last=run.ended or run.last,
    )  # fmt: skip
    return started, [pulled, _note(plan, "Created", "Container created"), _note(plan, "Started", "Container started")]


def pull_duration(run: Run, plan: ContainerPlan, at_images: frozenset[str] | set[str] = frozenset()) -> float:
    if plan.pull_refusal is not None:
        return plan.nominal(1.2)
    return plan.nominal(0.4 if images.reference(plan.image) in at_images else images.pull_seconds(plan.image))


def _pulling(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    if plan.pull_refusal is not None:
        failed = _note(plan, "Failed", f'Failed to pull image "{plan.image}": {plan.pull_refusal}', warning=True)
        error = _note(plan, "Failed", "Error: ErrImagePull", warning=True)
        return replace(run, stage=Stage.PULL_ERROR, since=at.now, pulls=run.pulls + 1), [failed, error]
    took = f"{max(0.001, at.now - run.since):.3f}".rstrip("0").rstrip(".")
    message = (
        f'Successfully pulled image "{plan.image}" in {took}s ({took}s including waiting). '
        f"Image size: {images.size(plan.image)} bytes."
    )
    return _start(run, plan, at, _note(plan, "Pulled", message))


def _pull_error(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    notes = [
        _note(plan, "BackOff", f'Back-off pulling image "{plan.image}"', count=run.pulls),
        _note(plan, "Failed", "Error: ImagePullBackOff", warning=True, count=run.pulls),
    ]
    return replace(run, stage=Stage.PULL_BACKOFF, since=at.now), notes


def _pull_backoff(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    return begin(run, plan, at)


def kill(run: Run, plan: ContainerPlan, at: Moment, *, kind: str, code: int = 137, reason: str | None = None) -> Run:
    """The container as it is after it was stopped from outside."""
    ended = Exit(
        code=code,
        reason=reason or ("Completed" if code == 0 else "Error"),
        started=run.started,
        finished=at.now,
        container_id=container_id(at.uid, plan.name, run.restarts),
        kind=kind,
        warm=run.warm,
    )
    return replace(run, stage=Stage.EXITED, since=at.now, up=False, ended=ended)


def _refusals(run: Run, plan: ContainerPlan, at: Moment) -> list[Note]:
    probe = plan.startup or plan.readiness or plan.liveness
    if probe is None or not (count := probe.refused(at.now - run.started)):
        return []
    message = f"{probe.title} probe failed: {probe.refusal.format(ip=at.ip)}"
    return [_note(plan, "Unhealthy", message, warning=True, count=count)]


def _killed(kind: str) -> Callable[[Run, ContainerPlan, Moment], Step]:
    def change(run: Run, plan: ContainerPlan, at: Moment) -> Step:
        message = f"Container {plan.name} failed {kind} probe, will be restarted"
        notes = [*_refusals(run, plan, at), _note(plan, "Killing", message)]
        return kill(run, plan, at, kind="probe"), notes

    return change


def _fails(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    if plan.failure is None:
        return run, []
    failure = plan.failure
    return kill(run, plan, at, kind=failure.kind, code=failure.exit_code, reason=failure.reason), []


def _ends(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    return kill(run, plan, at, kind="done", code=0), []


def _refused(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    return replace(run, refused=True), _refusals(run, plan, at)[:1]


def _comes_up(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    notes = _refusals(run, plan, at)
    ready = (
        plan.readiness is None
        or run.started + plan.readiness.first_success(plan.serving_after(warm=run.warm)) <= at.now
    )
    return replace(run, up=True, stage=Stage.READY if ready else Stage.RUNNING, since=at.now), notes


def _becomes_ready(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    notes = [] if plan.startup else _refusals(run, plan, at)
    return replace(run, stage=Stage.READY, since=at.now), notes


def _exited(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    succeeded = run.ended is not None and run.ended.code == 0
    if plan.restart == "Never" or (succeeded and (plan.restart == "OnFailure" or plan.ends_after is not None)):
        return replace(run, stage=Stage.DONE, since=at.now), []
    if run.restarts == 0:
        return begin(replace(run, restarts=1), plan, at)
    message = f"Back-off restarting failed container {plan.name} in pod {at.title}"
    backoff = _note(plan, "BackOff", message, warning=True, count=run.restarts)
    return replace(run, stage=Stage.BACKOFF, since=at.now), [backoff]


def _backoff(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    return begin(replace(run, restarts=run.restarts + 1), plan, at)


def _kill_change(run: Run, plan: ContainerPlan) -> tuple[float, Callable[[Run, ContainerPlan, Moment], Step]]:
    serving, after = plan.serving_after(warm=run.warm), 0.0
    if plan.startup and not run.up:
        after = plan.startup.first_success(serving)
        if after > plan.startup.budget:
            return run.started + plan.startup.budget, _killed("startup")
    elif plan.startup:
        after = plan.startup.first_success(serving)
    probe = plan.liveness
    unhealthy = probe is not None and (not probe.answers or serving > after + probe.budget)
    settled = run.stage is Stage.READY and plan.readiness is not None and probe is not None and probe.answers
    if probe is None or not unhealthy or settled:
        return math.inf, _killed("liveness")
    return run.started + (0.0 if math.isinf(after) else after) + probe.budget, _killed("liveness")


def _alive_changes(run: Run, plan: ContainerPlan) -> list[tuple[float, Callable[[Run, ContainerPlan, Moment], Step]]]:
    serving = plan.serving_after(warm=run.warm)
    changes = [_kill_change(run, plan)]
    if plan.failure:
        changes.append((run.started + plan.failure.after, _fails))
    if plan.ends_after is not None:
        changes.append((run.started + plan.ends_after, _ends))
    if plan.startup and not run.up:
        changes.append((run.started + plan.startup.first_success(serving), _comes_up))
    elif run.stage is Stage.RUNNING and plan.readiness:
        changes.append((run.started + plan.readiness.first_success(serving), _becomes_ready))
    probe = plan.startup or plan.readiness or plan.liveness
    if probe and not run.refused and run.stage is Stage.RUNNING and serving > probe.delay:
        changes.append((run.started + probe.delay + 0.01, _refused))
    return changes


def next_change(
    run: Run, plan: ContainerPlan, held: frozenset[str] | set[str] = frozenset()
) -> tuple[float, Callable[[Run, ContainerPlan, Moment], Step] | None]:
    """When the container changes next, and how; ``held`` are the images of its node."""
    if run.alive:
        return min(_alive_changes(run, plan), key=lambda change: change[0])
    table: dict[Stage, tuple[float, Callable[[Run, ContainerPlan, Moment], Step]]] = {
        Stage.PULLING: (pull_duration(run, plan, held), _pulling),
        Stage.PULL_ERROR: (plan.nominal(3.0), _pull_error),
        Stage.PULL_BACKOFF: (plan.nominal(backoff_seconds(run.pulls)), _pull_backoff),
        Stage.EXITED: (plan.nominal(1.0), _exited),
        Stage.BACKOFF: (plan.nominal(backoff_seconds(run.restarts)), _backoff),
    }
    if run.stage not in table:
        return math.inf, None
    seconds, change = table[run.stage]
    return run.since + seconds, change


def advance(run: Run, plan: ContainerPlan, at: Moment) -> Step:
    """The container after everything that is due by now; at most a few changes happen at once."""
    notes: list[Note] = []
    for _ in range(4):
        when, change = next_change(run, plan, at.images)
        if change is None or when > at.now:
            break
        run, added = change(run, plan, at)
        notes += added
    return run, notes


def _finished(run: Run, plan: ContainerPlan) -> bool:
    if plan.sidecar:
        return run.up
    return run.stage is Stage.DONE and run.ended is not None and run.ended.code == 0


def active(life: Life, plan: PodPlan) -> tuple[ContainerPlan, ...]:
    """The containers whose turn it is: sidecars and the first unfinished init container, or else all the others."""
    turn: list[ContainerPlan] = []
    for one in plan.init:
        if one.sidecar or not _finished(life.run(one.name), one):
            turn.append(one)
        if not _finished(life.run(one.name), one):
            return tuple(turn)
    return (*turn, *plan.main)


def step(life: Life, plan: PodPlan, at: Moment) -> tuple[Life, list[Note]]:
    """The pod after everything that is due by now, and what is to be told about it."""
    runs, notes = dict(life.runs), []
    for _ in range(len(plan.init) + 1):
        turn = active(Life(life.seen, runs), plan)
        for one in turn:
            run = runs.get(one.name, Run())
            run, added = begin(run, one, at) if run.stage is Stage.WAITING else advance(run, one, at)
            runs[one.name] = run
            notes += added
        if active(Life(life.seen, runs), plan) == turn:
            break
    return replace(life, runs=runs), notes


def due(life: Life, plan: PodPlan, held: frozenset[str] | set[str] = frozenset()) -> float:
    """When the pod changes next; infinite when nothing will happen by itself."""
    if life.stopping is not None:
        return life.stopping + plan.stop_seconds
    turn = active(life, plan)
    return min((next_change(life.run(one.name), one, held)[0] for one in turn), default=math.inf)
