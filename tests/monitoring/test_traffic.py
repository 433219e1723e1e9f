"""What is served now, by a real Prometheus: for whole namespaces, and for each row of a list."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from deployments.choices import Health, Role
from deployments.models import Cluster, Deployment, DeploymentStatus, Membership
from monitoring import promql
from tests import stage
from tests.deployments.kube.servers import Request, answer, serving
from tests.deployments.views.people import Person, Team, heard, text
from tests.deployments.views.people import team as team_called
from tests.monitoring.measured import Series, prometheus_of

pytestmark = pytest.mark.django_db
TOKENS, BUCKET = "vllm:generation_tokens_total", "vllm:time_to_first_token_seconds_bucket"
HASH = "7d9f8b6c54"
LONG = "n" * 47  # so long that the dash before the random end is cut away


@pytest.fixture(name="team")
def a_team(db: None, settings: Any) -> Team:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return team_called()


def counter(namespace: str, pod: str, rate: float) -> Series:
    return TOKENS, {"namespace": namespace, "pod": pod}, lambda at: at * rate


SERIES: list[Series] = [
    counter("team", f"qwen-{HASH}-x2k9p", 60),
    counter("team", f"qwen-{HASH}-z2k9p", 40),
    counter("team", f"qwen-2-{HASH}-x2k9p", 1000),
    counter("team", f"{LONG}-{HASH}x2k9p", 7),
    counter("other", f"qwen-{HASH}-x2k9p", 5000),
    (TOKENS, {"namespace": "team", "pod": f"lost-{HASH}-x2k9p"}, lambda at: at * 9 if at < 30 * 60 else None),
    (TOKENS, {"namespace": "team", "pod": f"seldom-{HASH}-x2k9p"}, lambda at: at * 12 if at % 60 == 0 else None),
    *[
        (BUCKET, {"namespace": "team", "pod": f"qwen-{HASH}-x2k9p", "le": le}, lambda at, share=share: share * at)
        for le, share in (("0.5", 0.0), ("1.0", 1.0), ("+Inf", 1.0))
    ],
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_of(SERIES, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


# ---- whole namespaces


def test_traffic_is_of_the_persons_own_namespaces_only(team: Team, measured: str) -> None:
    Cluster.objects.update(prometheus_url=measured)
    assert "of-team 1,119 0.975 s no series" in text(team.viewer.get("/overview/traffic/"))


def test_a_prometheus_that_does_not_answer_is_unknown_and_not_zero(team: Team) -> None:
    Cluster.objects.update(prometheus_url="http://127.0.0.1:1")
    assert "of-team unknown : Prometheus cannot be reached." in text(team.viewer.get("/overview/traffic/"))


def test_without_a_prometheus_nothing_is_said(team: Team) -> None:
    assert "Traffic now" not in text(team.viewer.get("/overview/traffic/"))


# ---- each row


def cells(person: Person, url: str, *rows: Deployment) -> dict[str, Any]:
    """What a person is told of rows, by their names."""
    Cluster.objects.update(prometheus_url=url)
    query = "&".join(f"pk={row.pk}" for row in rows)
    found = person.get(f"/deployments/traffic/?{query}").json()
    return {row.name: said for row, said in zip(rows, found, strict=True)}


def test_each_row_has_its_own_numbers_and_nobody_elses(team: Team, measured: str) -> None:
    said = cells(team.viewer, measured, team.make("qwen"), team.make("qwen-2"), team.make(LONG))
    assert (said["qwen"]["tokens"], said["qwen"]["ttft"], said["qwen"]["why"]) == ("100", "0.975", "")
    assert said["qwen-2"]["tokens"] == "1,000"
    assert said["qwen-2"]["ttft"] is None, "nobody measured its latency"
    assert said[LONG]["tokens"] == "7"
    line = [value for value in said["qwen"]["line"] if value is not None]
    assert len(line) > 25
    assert set(line) == {16}, "it is at its highest all the time"


def test_series_that_ended_are_not_zero(team: Team, measured: str) -> None:
    said = cells(team.viewer, measured, team.make("lost"))["lost"]
    assert (said["why"], said["tokens"]) == ("", None)
    assert said["line"][-1] is None
    assert any(value == 16 for value in said["line"])


def test_what_is_scraped_once_a_minute_is_told_all_the_same(team: Team, measured: str) -> None:
    assert cells(team.viewer, measured, team.make("seldom"))["seldom"]["tokens"] in ("12", "12.0")


def test_however_many_rows_a_prometheus_is_asked_twice(team: Team) -> None:
    rows = [team.make(f"qwen-{number}") for number in range(12)]
    with serving(lambda _: answer(200, '{"status": "success", "data": {"result": []}}')) as server:
        said = cells(team.viewer, server.url, *rows)
    assert len(server.asked) == 2
    assert {one["why"] for one in said.values()} == {"no series"}


def test_fifty_long_names_make_an_address_that_proxies_take(team: Team) -> None:
    owners = [("a-namespace-of-this-length", f"{LONG}-{number:02}") for number in range(50)]
    asked = promql.of_each(promql.EACH["ttft"], owners)
    assert len(quote(asked)) < 8_000


def test_why_there_are_no_numbers_is_told_apart(team: Team, measured: str) -> None:
    row, plain = team.make("absent"), team.make("plain", runtime="custom", image="example/app:1", llm="")
    assert {name: one["why"] for name, one in cells(team.viewer, measured, row, plain).items()} == {
        "absent": "no series",
        "plain": "no metrics",
    }
    assert cells(team.viewer, "", row)["absent"]["why"] == "no Prometheus"
    ended = team.make("stopped")
    DeploymentStatus.objects.create(deployment=ended, health=Health.STOPPED, health_rank=Health.STOPPED.rank)
    assert cells(team.viewer, measured, ended)["stopped"]["why"] == "stopped"
    heard(team.project, seconds_ago=300)
    assert cells(team.viewer, measured, ended)["stopped"]["why"] == "no series", "whether it stands still nobody knows"


def test_one_hanging_prometheus_leaves_the_other_clusters_their_numbers(team: Team, measured: str) -> None:
    def hangs(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        raise ConnectionAbortedError

    row = team.make("qwen")
    other = team_called("other")
    elsewhere = other.make("qwen")
    both = stage.member(other.project, "both", Role.VIEWER)
    Membership.objects.create(project=team.project, user=both, role=Role.VIEWER)
    with serving(hangs) as server:
        Cluster.objects.update(prometheus_url=measured)
        Cluster.objects.filter(pk=elsewhere.project.cluster_id).update(prometheus_url=server.url)
        query = f"pk={row.pk}&pk={elsewhere.pk}"
        said = Person(both).get(f"/deployments/traffic/?{query}").json()
    assert said[0]["tokens"] == "100"
    assert said[1]["why"] == "Prometheus cannot be reached."


def test_a_stranger_is_told_nothing_and_no_prometheus_is_asked(team: Team) -> None:
    row = team.make("qwen")
    with serving(lambda _: answer(200, "{}")) as server:
        assert cells(Person(stage.user("stranger")), server.url, row) == {"qwen": None}
    assert server.asked == []


@pytest.mark.parametrize("query", ["", "pk=", "pk=7", "pk=%00", "pk=a&pk=b", f"pk={'9' * 500}", "pk[]=1"])
def test_what_is_no_id_names_no_row(team: Team, query: str) -> None:
    assert set(team.viewer.get(f"/deployments/traffic/?{query}").json()) <= {None}
