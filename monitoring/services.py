"""What pages ask of the measurements."""

from datetime import datetime, timedelta
from typing import Any

from deployments.models import Cluster, Deployment, DeploymentStatus
from monitoring import prometheus, promql
from monitoring.figures import figure
from monitoring.promql import Question

RANGES = ("15", "30", "60", "360", "1440")
POINTS = 240
TABLE_ROWS = 12
MIN_STEP_SECONDS = 5.0
SHORTEST = timedelta(minutes=5)
FRESH = timedelta(minutes=2)


def charts(deployment: Deployment, minutes: int) -> dict[str, Any]:
    """{"state": "ok" | "no-prometheus" | "unreachable" | "no-series" | "no-traffic", "message", "next_step",
    "charts", "minutes"}: the states are told apart, since no series is not zero and zero is not an error."""
    spec = deployment.revisions.get(number=deployment.desired).spec
    questions = promql.QUESTIONS.get(spec.runtime, ())
    cluster = deployment.project.cluster
    if not questions:
        return none("no-series", "This runtime gives no metrics that llmdash knows.", "", minutes)
    if not cluster.prometheus_url:
        step = "A platform admin can give the cluster the address of its Prometheus."
        return none("no-prometheus", "This cluster has no Prometheus.", step, minutes)
    try:
        return drawn(deployment, questions, minutes)
    except prometheus.Unavailable as error:
        return none("unreachable", str(error), "The charts come back by themselves when it answers.", minutes)


def test_prometheus(cluster: Cluster) -> tuple[bool, str]:
    """Whether the Prometheus of a cluster, stored or not yet, answers, and what of ours it measures, in a sentence."""
    try:
        client = prometheus.connect(cluster)
        version = prometheus.value(client, "vector(1)")
        found = {
            name: prometheus.value(client, promql.count(metric, cluster.prometheus_matchers)) or 0
            for name, metric in promql.EXPECTED.items()
        }
    except prometheus.Unavailable as error:
        return False, str(error)
    if version is None:
        return False, "What answers at its address is no Prometheus."
    told = "; ".join(
        f"{name}: {int(count)} series" if count else f"{name}: no series then" for name, count in found.items()
    )
    return True, f"Prometheus answers. {told}."


def none(state: str, message: str, step: str, minutes: int) -> dict[str, Any]:
    """Why there is no chart."""
    return {"state": state, "message": message, "next_step": step, "charts": [], "minutes": minutes}


def drawn(deployment: Deployment, questions: tuple[Question, ...], minutes: int) -> dict[str, Any]:
    """Ask for the series. Raises Unavailable."""
    status = DeploymentStatus.objects.filter(deployment=deployment).first()
    pods = [pod["name"] for pod in status.pods] if status else []
    cluster = deployment.project.cluster
    selector = promql.selector(deployment.project.namespace, pods, deployment.name, cluster.prometheus_matchers)
    client, during = prometheus.connect(cluster), f"{minutes}m"
    if not prometheus.value(client, promql.PRESENCE.replace("$S", selector).replace("$R", during)):
        step = "They appear some seconds after the first pod is ready, when Prometheus scrapes it."
        return none("no-series", "Prometheus has no series of these pods.", step, minutes)
    asked = prometheus.value(client, promql.TRAFFIC.replace("$S", selector).replace("$R", during))
    if not asked:
        return none("no-traffic", f"Nobody asked it anything in the last {minutes} minutes.", "", minutes)
    end = prometheus.now()
    made = [chart(question, selector, client, end, minutes) for question in questions]
    begin = beginning(deployment, made, end, minutes).timestamp()
    for one in made:
        one["json"]["range"] = [begin, end.timestamp()]
    return {"state": "ok", "message": "", "next_step": "", "charts": made, "minutes": minutes}


def beginning(deployment: Deployment, made: list[dict[str, Any]], end: datetime, minutes: int) -> datetime:
    """Where the charts begin: no earlier than the deployment or what was measured of it, so that those of a new one are
    no empty axes, and SHORTEST before their end at least."""
    series = [(one["json"]["x"], one["json"]["series"][0]["values"]) for one in made]
    measured = [at for times, values in series for at, value in zip(times, values, strict=True) if value is not None]
    begun = min([deployment.created_at, *(datetime.fromtimestamp(at, tz=end.tzinfo) for at in measured)])
    return max(end - timedelta(minutes=minutes), min(begun, end - SHORTEST))


def chart(question: Question, selector: str, client: Any, end: datetime, minutes: int) -> dict[str, Any]:
    """One chart: data for the drawing, a summary in words and a short table."""
    step = max(MIN_STEP_SECONDS, minutes * 60 / POINTS)
    start = end - timedelta(minutes=minutes)
    points = prometheus.series(client, question.query(selector), start=start, end=end, step=step)
    return {
        "id": question.key,
        "title": question.title,
        "unit": question.unit,
        "summary": summary(question, points, since=(end - FRESH).timestamp()),
        "json": {
            "x": [at for at, _ in points],
            "series": [{"label": question.title, "unit": question.unit, "values": [value for _, value in points]}],
        },
        "rows": [
            [datetime.fromtimestamp(at, tz=end.tzinfo), value]
            for at, value in points[:: -(len(points) // TABLE_ROWS or 1)]
        ],
    }


def summary(question: Question, points: list[tuple[float, float | None]], *, since: float) -> str:
    """The chart in a sentence. A value from before `since` is not told as how it is now."""
    values = [value for _, value in points if value is not None]
    if not values:
        return f"{question.title}: no values in this range."
    low, high = min(values), max(values)
    (at, last), unit = points[-1], question.unit
    now = f"{figure(last)} {unit} in the last minute" if last is not None and at >= since else "no value now"
    return f"{question.title}: {now}, between {figure(low)} and {figure(high)} {unit}."
