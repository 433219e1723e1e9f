"""Charts of a real Prometheus; and each reason why there are none, told apart."""

import json
import math
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deployments.choices import Role
from deployments.models import Cluster, Deployment, DeploymentStatus
from llmdash.accounts.models import User
from monitoring import prometheus, services
from tests import stage
from tests.deployments.kube.servers import Request, answer, free_port, serving
from tests.monitoring.measured import STEP, Series, prometheus_of

pytestmark = pytest.mark.django_db
TOKENS, DONE, BUCKET = (
    "vllm:generation_tokens_total",
    "vllm:request_success_total",
    "vllm:time_to_first_token_seconds_bucket",
)
HASH = "7d9f8b6c54"
HALF = 35 * 60  # seconds after which latencies were measured


def of(pod: str, namespace: str = "team") -> dict[str, str]:
    return {"namespace": namespace, "pod": pod}


def counts(per_second: float) -> Any:
    return lambda at: per_second * at


SERIES: list[Series] = [
    (TOKENS, of(f"qwen-{HASH}-x2k9p"), counts(100)),
    (DONE, of(f"qwen-{HASH}-x2k9p"), counts(1)),
    *[
        (BUCKET, of(f"qwen-{HASH}-x2k9p") | {"le": le}, lambda at, share=share: share * max(0, at - HALF))
        for le, share in (("0.5", 0.0), ("1.0", 1.0), ("+Inf", 1.0))
    ],
    (TOKENS, of(f"qwen-2-{HASH}-x2k9p"), counts(1000)),
    (DONE, of(f"qwen-2-{HASH}-x2k9p"), counts(10)),
    (TOKENS, of("qwen-2-x2k9p"), counts(777)),
    (TOKENS, of(f"qwen-{HASH}-x2k9p", "other"), counts(5000)),
    (TOKENS, of(f"fresh-{HASH}-x2k9p"), lambda at: at if at > 48 * 60 else "NaN"),
    (DONE, of(f"fresh-{HASH}-x2k9p"), counts(1)),
    (TOKENS, of(f"lost-{HASH}-x2k9p"), lambda at: at * 9 if at < HALF else None),
    (DONE, of(f"lost-{HASH}-x2k9p"), counts(1)),
    (TOKENS, of(f"idle-{HASH}-x2k9p"), lambda _: 42),
    (DONE, of(f"idle-{HASH}-x2k9p"), lambda _: 7),
    (TOKENS, of(f"odd-{HASH}-x2k9p"), lambda at: "NaN" if at % (20 * STEP) == 0 else "+Inf" if at > HALF else at),
    (DONE, of(f"odd-{HASH}-x2k9p"), counts(1)),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_of(SERIES, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
def made() -> Deployment:
    """A deployment of vLLM called qwen, and its operator's name is maria."""
    project = stage.project("team")
    return stage.deployment(project, stage.member(project, "maria", Role.OPERATOR))


def charts(made: Deployment, url: str, minutes: int = 30) -> dict[str, Any]:
    Cluster.objects.update(prometheus_url=url)
    return services.charts(Deployment.objects.select_related("project__cluster").get(pk=made.pk), minutes)


def page(made: Deployment, url: str, query: str = "") -> str:
    """The part of the page that asks for charts, as maria."""
    Cluster.objects.update(prometheus_url=url)
    client = Client()
    client.force_login(User.objects.get(username="maria"))
    found = client.get(f"/deployments/{made.pk}/charts/{query}", headers={"HX-Request": "true"})
    assert found.status_code == 200
    return found.content.decode()


def named(made: Deployment, name: str) -> Deployment:
    Deployment.objects.filter(pk=made.pk).update(name=name)
    return made


def values(found: dict[str, Any], key: str) -> list[float | None]:
    (chart,) = [chart for chart in found["charts"] if chart["id"] == key]
    held: list[float | None] = chart["json"]["series"][0]["values"]
    return held


# ---- charts


def test_charts_show_this_deployments_series_and_nobody_elses(made: Deployment, measured: str) -> None:
    found = charts(made, measured)
    assert (found["state"], found["message"]) == ("ok", "")
    assert [chart["id"] for chart in found["charts"]] == ["tokens", "ttft"]
    numbers = [value for value in values(found, "tokens") if value is not None]
    assert len(numbers) > 100
    assert all(value == pytest.approx(100, rel=0.01) for value in numbers), "not 1100, 877 or 5100"
    summary = found["charts"][0]["summary"]
    assert re.fullmatch(
        r"Generated tokens: 100 tokens/s in the last minute, between 100(\.0)? and 100 tokens/s\.", summary
    )


def test_a_deployment_whose_name_goes_on_is_counted_by_itself(made: Deployment, measured: str) -> None:
    numbers = [value for value in values(charts(named(made, "qwen-2"), measured), "tokens") if value is not None]
    assert all(value == pytest.approx(1000, rel=0.01) for value in numbers)


def test_known_pods_are_counted_too(made: Deployment, measured: str) -> None:
    DeploymentStatus.objects.create(deployment=made, pods=[{"name": f"idle-{HASH}-x2k9p"}])
    assert charts(made, measured)["state"] == "ok"
    hostile = [{"name": '"} or vector(1) #'}, {"name": ".*"}, {"name": "a\\"}]
    DeploymentStatus.objects.update(pods=hostile)
    numbers = [value for value in values(charts(made, measured), "tokens") if value is not None]
    assert all(value == pytest.approx(100, rel=0.01) for value in numbers)


def test_what_is_no_number_is_a_gap(made: Deployment, measured: str) -> None:
    latencies = values(charts(made, measured, 30), "ttft")
    assert None in latencies, "nobody asked in the first minutes: the quantile of nothing is NaN"
    numbers = [value for value in latencies if value is not None]
    assert numbers[-1] == pytest.approx(0.975)
    odd = charts(named(made, "odd"), measured)
    assert odd["state"] == "ok"
    assert None in values(odd, "tokens")
    assert all(value is None or math.isfinite(value) for value in values(odd, "tokens"))
    json.dumps(odd["charts"][0]["json"], allow_nan=False)
    assert "no data" in page(made, measured)


@pytest.mark.parametrize("minutes", [15, 30, 60, 360, 1440])
def test_every_range_has_a_bounded_number_of_points(made: Deployment, measured: str, minutes: int) -> None:
    found = charts(made, measured, minutes)
    assert found["state"] == "ok"
    assert all(len(chart["json"]["x"]) <= services.POINTS + 1 for chart in found["charts"])
    assert all(len(chart["rows"]) <= 2 * services.TABLE_ROWS for chart in found["charts"])


@pytest.mark.parametrize(
    ("name", "age", "shown"),
    [("fresh", 8, 8), ("fresh", 1, 5), ("fresh", 300, 30), ("qwen", 1, 30)],
    ids=["since it was made", "five minutes at least", "what was asked for at most", "older measurements stay"],
)
def test_charts_begin_with_the_deployment(made: Deployment, measured: str, name: str, age: int, shown: int) -> None:
    Deployment.objects.update(created_at=timezone.now() - timedelta(minutes=age))
    found = charts(named(made, name), measured)
    assert found["state"] == "ok"
    for chart in found["charts"]:
        begin, end = chart["json"]["range"]
        assert (end - begin) / 60 == pytest.approx(shown, abs=0.2)


def test_what_ended_is_not_told_as_how_it_is_now(made: Deployment, measured: str) -> None:
    summary = charts(named(made, "lost"), measured)["charts"][0]["summary"]
    assert summary.startswith("Generated tokens: no value now, between ")


def test_a_long_question_is_cut_to_a_thousand_points(measured: str) -> None:
    end = prometheus.now()
    start = end.replace(year=end.year - 1)
    points = prometheus.series(
        prometheus.connect(Cluster(prometheus_url=measured)), "vector(1)", start=start, end=end, step=1
    )
    assert len(points) <= prometheus.MAX_POINTS + 1


# ---- why there are none


def test_a_cluster_without_prometheus_says_who_can_give_it_one(made: Deployment) -> None:
    found = charts(made, "")
    assert (found["state"], found["message"]) == ("no-prometheus", "This cluster has no Prometheus.")
    assert "A platform admin can give" in page(made, "")


def test_series_that_are_not_there_are_not_zero(made: Deployment, measured: str) -> None:
    found = charts(named(made, "absent"), measured)
    assert (found["state"], found["message"]) == ("no-series", "Prometheus has no series of these pods.")
    assert "No measurements of this deployment" in page(made, measured)


def test_no_traffic_is_not_the_lack_of_series(made: Deployment, measured: str) -> None:
    found = charts(named(made, "idle"), measured)
    assert found["state"] == "no-traffic"
    assert found["message"] == "Nobody asked it anything in the last 30 minutes."
    assert "No requests in this time." in page(made, measured)


def test_a_runtime_without_known_metrics_says_so(made: Deployment, measured: str) -> None:
    person = User.objects.get(username="maria")
    plain = stage.deployment(made.project, person, "plain", runtime="custom", image="example/app:1", llm="")
    assert charts(plain, measured)["message"] == "This runtime gives no metrics that llmdash knows."


def test_a_prometheus_that_is_not_there_is_unreachable(made: Deployment) -> None:
    found = charts(made, f"http://127.0.0.1:{free_port()}")
    assert (found["state"], found["message"]) == ("unreachable", "Prometheus cannot be reached.")
    assert found["next_step"] == "The charts come back by themselves when it answers."


def drips(_: Request) -> Iterator[bytes]:
    """An answer that never ends, a byte at a time."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    while True:
        yield b" "
        time.sleep(0.1)


def never(_: Request) -> bytes:
    threading.Event().wait(8)
    return b""


def late(_: Request) -> bytes:
    """Each question by itself is answered in time, all of them together are not."""
    time.sleep(1.8)
    vector = {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}
    return answer(200, json.dumps({"status": "success", "data": vector}))


@pytest.mark.parametrize("script", [never, drips, late])
def test_a_slow_prometheus_costs_the_page_part_less_than_five_seconds(made: Deployment, script: Any) -> None:
    with serving(script) as server:
        begun = time.monotonic()
        text = page(made, server.url)
        assert time.monotonic() - begun < 5
    assert "Prometheus does not answer" in text
    assert "Prometheus did not answer within 4 s." in text


SECRET = "the inner network's secret"


@pytest.mark.parametrize(
    "said",
    [answer(200, f"<html>{SECRET}</html>"), answer(200, "[]"), answer(200, "{}"),
     answer(200, '{"data": {"result": 7}}'),
     answer(200, json.dumps({"status": "success", "data": {"result": [{"value": [1, SECRET]}]}})),
     answer(422, json.dumps({"status": "error", "error": SECRET})), answer(503, SECRET), b"", b"\x00\xff" * 100],
)  # fmt: skip
def test_what_is_no_prometheus_is_told_and_never_echoed(made: Deployment, said: bytes) -> None:
    with serving(lambda _: said) as server:
        text = page(made, server.url)
    assert "Prometheus does not answer" in text
    assert SECRET not in text


def test_a_redirect_is_not_followed(made: Deployment) -> None:
    with serving(lambda _: answer(200, "{}")) as inner:
        elsewhere = answer(302, "", Location=f"{inner.url}/latest/meta-data")
        with serving(lambda _: elsewhere) as server:
            assert charts(made, server.url)["state"] == "unreachable"
        assert inner.asked == []


def test_an_answer_without_end_is_cut(made: Deployment) -> None:
    def floods(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        while True:
            yield b" " * 2**20

    with serving(floods) as server:
        assert charts(made, server.url)["state"] == "unreachable"


# ---- the request


HOSTILE = ["", "?minutes=", "?minutes=31", "?minutes=-1", "?minutes=1e9", "?minutes=99999999999999999999",
           "?minutes=15m", "?minutes=15%00", "?minutes=%EF%BC%91%EF%BC%95", "?minutes=1&minutes=../../",
           "?minutes[]=15"]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_a_hostile_range_is_half_an_hour(made: Deployment, query: str) -> None:
    with serving(lambda _: answer(200, '{"status": "success", "data": {"result": []}}')) as server:
        page(made, server.url, query)
    asked = [request.target for request in server.asked]
    assert len(asked) == 1
    assert re.search(r"%5B30m%5D", asked[0])


def test_a_stranger_finds_no_charts_and_asks_no_prometheus(made: Deployment) -> None:
    with serving(lambda _: answer(200, "{}")) as server:
        Cluster.objects.update(prometheus_url=server.url)
        client = Client()
        client.force_login(stage.user("stranger"))
        assert client.get(f"/deployments/{made.pk}/charts/").status_code == 404
    assert server.asked == []


# ---- by REST


def metrics(made: Deployment, url: str, query: str = "", status: int = 200) -> dict[str, Any]:
    Cluster.objects.update(prometheus_url=url)
    client = Client()
    client.force_login(User.objects.get(username="maria"))
    found = client.get(f"/api/v1/deployments/{made.pk}/metrics{query}")
    assert found.status_code == status
    body: dict[str, Any] = found.json()
    return body


def test_the_api_gives_the_series_of_the_charts(made: Deployment, measured: str) -> None:
    found, drawn = metrics(made, measured), charts(made, measured)
    assert (found["state"], found["minutes"]) == ("ok", 30)
    assert [one["id"] for one in found["series"]] == [one["id"] for one in drawn["charts"]]
    tokens = found["series"][0]
    assert tokens["unit"] == "tokens/s"
    assert {round(one["value"]) for one in tokens["points"] if one["value"] is not None} == {100}


def test_gaps_are_null_in_the_api(made: Deployment, measured: str) -> None:
    found = metrics(named(made, "odd"), measured, "?minutes=60")
    assert any(point["value"] is None for one in found["series"] for point in one["points"])


def test_the_api_says_why_there_are_no_metrics(made: Deployment) -> None:
    found = metrics(made, "")
    assert (found["state"], found["series"]) == ("no-prometheus", [])
    assert found["message"] == "This cluster has no Prometheus."


def test_the_api_takes_the_ranges_of_the_page_only(made: Deployment) -> None:
    said = metrics(made, "", "?minutes=31", status=400)
    assert "one of 15, 30, 60, 360, 1440" in said["detail"]
