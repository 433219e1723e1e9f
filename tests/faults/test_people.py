"""People who press twice, and at the same time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.conftest import Fault
from tests.faults.person import Person, closing
from tests.faults.site import Site, eventually

pytestmark = pytest.mark.plane
FORMS: dict[str, dict[str, str]] = {  # every form that makes a revision or ends them, and what is typed there
    "scale": {"replicas": "4"}, "edit": {"replicas": "4"}, "stop": {}, "restart": {}, "revisions/1/roll-back": {},
    "delete": {"confirm": "qwen"},
}  # fmt: skip


@pytest.mark.fault("15", "the same request, and the same form, sent 20 times at once", bound=20)
def test_twenty_times_the_same_is_one(site: Site, fault: Fault) -> None:
    site.serve_pages()

    def ask(_: int) -> tuple[int, str]:
        answer = site.send("/deployments", site.wanted("qwen"), **{"Idempotency-Key": "one-and-the-same"})
        return answer.status_code, answer.json().get("id", "")

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(ask, range(20)))
    site.acts += 1
    [(status, pk)] = answers
    assert status == 202
    fault.until(lambda: site.is_applied({"id": pk}))

    with closing(Person(site)) as person:
        form = person.form(f"/deployments/{pk}/scale/") | {"replicas": "3"}
        with ThreadPoolExecutor(20) as pool:
            sent = list(pool.map(lambda _: person.post(f"/deployments/{pk}/scale/", form), range(20)))
    site.acts += 1
    assert {answer.status_code for answer in sent} == {302}
    fault.until(lambda: site.is_applied({"id": pk}) and site.replicas("qwen") == 3)
    assert site.status({"id": pk})["revision"] == 2


@pytest.mark.fault("16", "two people edit one deployment, over every form", bound=20)
def test_the_second_of_two_edits_is_told_of_the_first(site: Site, fault: Fault) -> None:
    site.serve_pages()
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})  # so that there is a revision to go back to
    with closing(Person(site)) as person:
        forms = {act: person.form(path(made, act)) | typed for act, typed in FORMS.items()}
        site.act(f"/deployments/{made['id']}/scale", {"replicas": 7})
        for act, form in forms.items():
            answer = person.post(path(made, act), form)
            assert answer.status_code == 409, act
            assert "replicas" in answer.text, act
    assert site.status(made)["revision"] == 3, "nothing was done"

    def scale(replicas: int) -> int:
        at = f"/deployments/{made['id']}/scale"
        return site.send(at, {"replicas": replicas}, **{"If-Match": '"3"'}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(scale, (4, 5))) == [202, 412]
    site.acts += 1
    fault.until(lambda: site.is_applied(made))
    assert site.status(made)["revision"] == 4


def path(made: dict[str, Any], act: str) -> str:
    return f"/deployments/{made['id']}/{act}/"
