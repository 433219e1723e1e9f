"""People who press twice, and at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Fault
from tests.faults.site import Site, eventually

pytestmark = pytest.mark.plane


@pytest.mark.fault("15", "the same request sent 20 times at once", bound=20)
def test_twenty_times_the_same_is_one(site: Site, fault: Fault) -> None:
    def ask(_: int) -> tuple[int, str]:
        answer = site.send("/deployments", site.wanted("qwen"), **{"Idempotency-Key": "one-and-the-same"})
        return answer.status_code, answer.json().get("id", "")

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(ask, range(20)))
    site.acts += 1
    [(status, pk)] = answers
    assert status == 202
    fault.until(lambda: site.is_applied({"id": pk}))


@pytest.mark.fault("16", "two people edit one deployment", bound=20)
def test_the_second_of_two_edits_is_told_of_the_first(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    path = f"/deployments/{made['id']}/scale"

    def scale(replicas: int) -> int:
        return site.send(path, {"replicas": replicas}, **{"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(scale, (2, 3))) == [202, 412]
    site.acts += 1
    fault.until(lambda: site.is_applied(made))
    assert site.status(made)["revision"] == 2
