"""What is served now, of which pages ask after they are shown: a Prometheus that hangs holds no page up."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypedDict, TypeVar

from deployments import glance
from deployments.choices import Health
from deployments.models import Cluster, Project
from monitoring import prometheus, promql
from monitoring.figures import figure

Item = TypeVar("Item", bound=Hashable)
Answer = TypeVar("Answer")
MOST_AT_ONCE = 24  # clusters; one that hangs costs prometheus.TIMEOUT_SECONDS
LINE_MINUTES, LINE_STEP_SECONDS = 30, 60
HIGHEST = 16  # of a line
Owner = tuple[str, str]  # namespace and name
Values = list[float | None]


class Measured(TypedDict):
    """One deployment: `why` there are no numbers, "" when there are.

    As text: `tokens` a second, None where they are not measured any more, and `ttft`, the 95th percentile of the time
    to the first token in seconds, None where nobody asked it anything. `line` is the tokens a second of the last
    LINE_MINUTES, oldest first, as parts of HIGHEST of the most among them, None where there is a gap.
    """

    why: str
    tokens: str | None
    ttft: str | None
    line: list[int | None]


def of_projects(projects: Iterable[Project]) -> list[dict[str, Any]]:
    """What the projects' namespaces serve, by cluster: {"cluster", "message", "tokens", "ttft", "waiting"} as text;
    None is what no series tells. Clusters without a Prometheus are left out."""
    measured = [project for project in projects if project.cluster.prometheus_url]
    asked = sorted(
        by_cluster((project.cluster, project.namespace) for project in measured), key=lambda item: item[0].name
    )
    return side_by_side(now_on, asked)


def now_on(cluster: Cluster, namespaces: set[str]) -> dict[str, Any]:
    """One cluster's numbers now."""
    selector = promql.of_namespaces(namespaces, cluster.prometheus_matchers)
    row: dict[str, Any] = {"cluster": cluster, "message": ""} | dict.fromkeys(promql.NOW)
    try:
        client = prometheus.connect(cluster)
        for key, template in promql.NOW.items():
            row[key] = shown(prometheus.value(client, template.replace("$S", selector)))
    except prometheus.Unavailable as error:
        row["message"] = str(error)
    return row


def of_deployments(deployments: Iterable[Any]) -> dict[str, Measured]:
    """Rows that `glance.described` gave, by their ids. Two questions to each Prometheus, however many rows."""
    answers = side_by_side(each_on, by_cluster((row.project.cluster, row) for row in deployments))
    return {pk: measured for answer in answers for pk, measured in answer.items()}


def each_on(cluster: Cluster, rows: set[Any]) -> dict[str, Measured]:
    """The rows of one cluster."""
    found = {str(row.pk): nothing(why_unasked(row)) for row in rows}
    unexplained = (row for row in rows if not found[str(row.pk)]["why"])
    asked = {(row.project.namespace, row.name): str(row.pk) for row in unexplained}
    if not asked:
        return found
    if not cluster.prometheus_url:
        return found | {pk: nothing("no Prometheus") for pk in asked.values()}
    try:
        tokens, ttfts = ask(cluster, list(asked))
    except prometheus.Unavailable as error:
        return found | {pk: nothing(str(error)) for pk in asked.values()}
    for owner, pk in asked.items():
        values = tokens.get(owner)
        found[pk] = nothing("no series") if values is None else told(values, ttfts.get(owner))
    return found


def why_unasked(row: Any) -> str:
    """Why nobody asks for a row's numbers; "" when somebody does. What the cluster says stands still has none, whatever
    the last minute's average is."""
    seen = glance.of(row)
    if seen.health == Health.STOPPED and not seen.ready:
        return "stopped"
    return "" if row.runtime in promql.QUESTIONS else "no metrics"


def ask(cluster: Cluster, owners: list[Owner]) -> tuple[dict[Owner, Values], dict[Owner, float | None]]:
    """Tokens a second of the last minutes, and seconds to the first token now. Raises Unavailable."""
    tokens, ttft = (promql.of_each(promql.EACH[key], owners, cluster.prometheus_matchers) for key in ("tokens", "ttft"))
    client, end = prometheus.connect(cluster), prometheus.now().replace(microsecond=0)
    start = end - timedelta(minutes=LINE_MINUTES)
    found = prometheus.all_series(client, tokens, start=start, end=end, step=LINE_STEP_SECONDS)
    times = [start.timestamp() + at for at in range(0, LINE_MINUTES * 60 + 1, LINE_STEP_SECONDS)]
    values = {owner(labels): [*map(dict(points).get, times)] for labels, points in found}
    return values, {owner(labels): value for labels, value in prometheus.values(client, ttft)}


def owner(labels: dict[str, str]) -> Owner:
    """Whose a series is."""
    return labels.get("namespace", ""), labels.get(promql.OWNER, "")


def told(values: Values, ttft: float | None) -> Measured:
    """The numbers of one deployment."""
    most = max((value for value in values if value), default=1.0)
    line = [None if value is None else round(value / most * HIGHEST) for value in values]
    return {"why": "", "tokens": shown(values[-1]), "ttft": shown(ttft), "line": line}


def nothing(why: str) -> Measured:
    """That there are none."""
    return {"why": why, "tokens": None, "ttft": None, "line": []}


def shown(value: float | None) -> str | None:
    """A number as text."""
    return None if value is None else figure(value)


def by_cluster(pairs: Iterable[tuple[Cluster, Item]]) -> list[tuple[Cluster, set[Item]]]:
    """What belongs to each cluster."""
    found: dict[Cluster, set[Item]] = defaultdict(set)
    for cluster, item in pairs:
        found[cluster].add(item)
    return list(found.items())


def side_by_side(
    question: Callable[[Cluster, set[Item]], Answer], asked: list[tuple[Cluster, set[Item]]]
) -> list[Answer]:
    """The answers for all clusters: one that hangs costs the others nothing."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        return list(pool.map(lambda item: question(*item), asked))
