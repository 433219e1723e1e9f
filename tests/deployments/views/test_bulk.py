"""Several deployments at once: what is told before, what is left as it is, and what is done."""

from typing import Any

import pytest
from django.utils import timezone

from deployments import services
from deployments.choices import Role
from deployments.models import AppliedObject, AuditEntry, Deployment, DeploymentStatus, Membership
from tests import stage
from tests.deployments.views.people import Person

pytestmark = pytest.mark.django_db
BULK = "/deployments/bulk/"


@pytest.fixture
def maria() -> Person:
    """Operator of one project, viewer of another."""
    project = stage.project("team")
    person = stage.member(project, "maria", Role.OPERATOR)
    for name in ("a", "b", "c"):
        stage.deployment(project, person, name)
    other = stage.project("other", cluster=project.cluster)
    Membership.objects.create(project=other, user=person, role=Role.VIEWER)
    stage.deployment(other, stage.user("boss", is_superuser=True), "theirs")
    stage.deployment(stage.project("hidden", cluster=project.cluster), stage.user("root", is_superuser=True), "unseen")
    return Person(person)


def row(name: str) -> Deployment:
    return Deployment.objects.get(name=name)


def fields(act: str, *names: str, **more: Any) -> dict[str, Any]:
    """What the asking page sends."""
    seen = {f"seen-{row(name).pk}": row(name).desired for name in names}
    return {"act": act, "pk": [str(row(name).pk) for name in names]} | seen | more


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_the_page_tells_what_will_happen_to_each(maria: Person) -> None:
    DeploymentStatus.objects.create(deployment=row("a"), gpus=2)
    services.delete(deployment=row("b"), by=maria.user)
    page = maria.client.get(BULK, fields("stop", "a", "b", "theirs", "unseen"))
    assert [(line.row.name, line.why_not) for line in page.context["lines"]] == [
        ("theirs", "You are viewer in project other."), ("a", ""), ("b", "It is being deleted already."),
    ]  # fmt: skip
    assert "They hold 2 GPUs." in words(page)
    assert "Stop 1 deployment" in words(page)


def test_each_is_done_and_told(maria: Person) -> None:
    done = maria.client.post(BULK, fields("stop", "a", "b", "theirs", "unseen"), follow=True)
    assert told(done) == [
        "a and b are being stopped.", "theirs is left as it is: You are viewer in project other.",
    ]  # fmt: skip
    assert [row(name).desired for name in ("a", "b", "c", "theirs", "unseen")] == [2, 2, 1, 1, 1]
    again = maria.client.post(BULK, fields("stop", "a", "c"), follow=True)
    assert told(again) == ["c is being stopped.", "a is left as it is: It is stopped already."]
    started = maria.client.post(BULK, fields("start", "a", "b", "c"), follow=True)
    assert told(started) == ["a, b and c are being started."]


def test_a_reason_is_kept_with_each_revision(maria: Person) -> None:
    maria.client.post(BULK, fields("stop", "a", "b", reason="the night"))
    assert [row(name).revisions.get(number=2).reason for name in "ab"] == ["the night"] * 2
    bad = maria.client.post(BULK, fields("stop", "c", reason="a\x07"))
    assert (bad.status_code, row("c").desired) == (422, 1)


def test_what_somebody_changed_meanwhile_is_left_as_it_is(maria: Person) -> None:
    seen = fields("stop", "a", "b")
    services.scale(deployment=row("a"), replicas=3, by=maria.user)
    done = maria.client.post(BULK, seen, follow=True)
    assert told(done) == ["a is left as it is: maria made revision 2 in the meantime.", "b is being stopped."]


def test_deleting_names_the_objects_and_asks_for_the_number_in_words(maria: Person) -> None:
    AppliedObject.objects.create(
        deployment=row("a"), api_version="v1", kind="Service", namespace="team", name="a", uid="u",
        resource_version="1", revision=1, applied_at=timezone.now(),
    )  # fmt: skip
    assert "Service a" in words(maria.client.get(BULK, fields("delete", "a", "b")))
    refused = maria.client.post(BULK, fields("delete", "a", "b", confirm="delete 3"))
    assert refused.status_code == 422
    assert "This is not “delete 2”." in words(refused)
    assert not Deployment.objects.filter(deleted_at__isnull=False).exists()
    maria.client.post(BULK, fields("delete", "a", "b", confirm="delete 2", reason="tidying up"))
    assert [entry.detail["reason"] for entry in AuditEntry.objects.filter(action="delete")] == ["tidying up"] * 2
    assert set(Deployment.objects.filter(deleted_at__isnull=False).values_list("name", flat=True)) == {"a", "b"}


@pytest.mark.parametrize(
    "given", [{}, {"act": "stop"}, {"act": "explode", "pk": "x"}, {"act": "stop", "pk": ["x", "", "\x00"]}]
)
def test_nothing_chosen_is_said_so(maria: Person, given: dict[str, Any]) -> None:
    for answer in (maria.client.get(BULK, given, follow=True), maria.client.post(BULK, given, follow=True)):
        assert told(answer) == ["Choose deployments in the list first, then what to do with them."]


def test_nothing_that_can_be_done_has_no_button(maria: Person) -> None:
    page = maria.client.get(BULK, fields("delete", "theirs"))
    assert "Nothing of what you chose can be done." in words(page)
    assert 'type="submit"' not in words(page).partition("<main")[2].partition("</main>")[0]
    assert maria.client.post(BULK, fields("delete", "theirs", confirm="delete 0")).status_code in (200, 422)
    assert row("theirs").deleted_at is None


def test_what_was_asked_for_before_is_left_as_it_is(maria: Person) -> None:
    services.stop(deployment=row("a"), by=maria.user)
    for act, why in (("stop", ["It is stopped already.", ""]), ("start", ["", "It is running already."])):
        page = maria.client.get(BULK, fields(act, "a", "b"))
        assert [line.why_not for line in page.context["lines"]] == why


def test_it_comes_back_to_the_list_as_it_was(maria: Person) -> None:
    query = "q=a&sort=-gpus&page=1&health=starting"
    asked = maria.client.get(BULK, fields("stop", "a", list=query))
    assert asked.context["back"] == f"/deployments/?{'q=a&health=starting&sort=-gpus&page=1'}"
    done = maria.client.post(BULK, fields("stop", "a", list=asked.context["list_query"]))
    assert done["Location"] == asked.context["back"]


@pytest.mark.parametrize("query", ["", "next=//evil.example", "//evil.example/?q", "x" * 5000])
def test_nothing_else_comes_back_with_it(maria: Person, query: str) -> None:
    assert maria.client.post(BULK, fields("stop", "a", list=query))["Location"] == "/deployments/"


def test_only_who_may_deploy_has_boxes(maria: Person) -> None:
    assert maria.client.get("/deployments/").content.decode().count('name="pk"') == 4
    viewer = Person(stage.member(row("a").project, "vera", Role.VIEWER))
    page = viewer.client.get("/deployments/").content.decode()
    assert 'name="pk"' not in page
    assert "data-bulk" not in page
