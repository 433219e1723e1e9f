"""The database was restored from an older backup: nothing is applied until a person says what holds."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deployments import reads, reconcile, services
from deployments.choices import Action, DriftPolicy, Newer
from deployments.manifests import labels
from deployments.models import AppliedObject, Deployment
from deployments.spec import Spec
from tests.deployments.reconcile.play import IMAGE, Play, audited, newest

pytestmark = pytest.mark.plane
FILES: dict[str, Any] = {"files": [{"path": "/etc/a.txt", "content": "a"}]}


def restored(play: Play, *, back_to: int = 1, **fields: Any) -> Deployment:
    """A deployment whose cluster has revision 3 while the database knows `back_to`."""
    row = play.create(replicas=2, **fields)
    row = play.revise(row, replicas=3)
    row = play.revise(row, replicas=5, image="registry.example/app:2")
    kept = {item.name: item.uid for item in row.inventory.all()}
    row.revisions.filter(number__gt=back_to).delete()
    Deployment.objects.filter(pk=row.pk).update(desired=back_to, applied=back_to, attempted=back_to)
    AppliedObject.objects.filter(deployment=row).update(revision=back_to)
    assert kept
    return play.row(row)


def choose(play: Play, row: Deployment, choice: Newer) -> None:
    found, unread = reads.running(row, actor="maria")
    assert found, unread
    services.choose_newer(deployment=row, choice=choice, spec=found.spec, live=found.revision, by=play.maria)
    reconcile.drain()


def replicas(play: Play) -> int:
    found: int = play.live("deployment")["spec"]["replicas"]
    return found


def test_nothing_is_applied_and_no_edit_is_taken_until_somebody_chooses(play: Play) -> None:
    row = play.again(restored(play))
    assert (row.problem, row.last_error["revision"], newest(row).outcome) == ("newer", 3, "applied")
    assert replicas(play) == 5
    with pytest.raises(services.ClusterIsNewer):
        play.revise(row, replicas=4)
    assert (play.row(row).desired, replicas(play)) == (1, 5)


def test_what_runs_is_adopted_without_a_new_pod(play: Play) -> None:
    row = play.again(restored(play))
    sets, before = play.replica_sets(), play.live("deployment")["spec"]
    choose(play, row, Newer.ADOPT)
    row = play.row(row)
    assert (row.desired, row.applied, row.problem) == (4, 4, "")
    assert (newest(row).spec.replicas, newest(row).spec.image) == (5, "registry.example/app:2")
    assert newest(row).author_name == play.maria.get_username()
    assert (play.replica_sets(), play.live("deployment")["spec"]) == (sets, before)
    [entry] = audited(row, Action.ADOPT_NEWER)
    assert {change["field"] for change in entry.detail["changes"]} == {"replicas", "image"}


def test_what_the_database_knows_is_applied_over_it(play: Play) -> None:
    row = play.again(restored(play))
    choose(play, row, Newer.APPLY)
    row = play.row(row)
    assert (row.desired, row.applied, replicas(play)) == (4, 4, 2)
    assert newest(row).predecessor() == row.revisions.get(number=1)
    assert len(audited(row, Action.APPLY_OVER)) == 1


def test_what_is_left_runs_on_and_can_be_chosen_later(play: Play) -> None:
    row = play.again(restored(play))
    choose(play, row, Newer.LEAVE)
    row = play.row(row)
    assert (row.problem, row.drift_policy, replicas(play)) == ("newer", DriftPolicy.LEAVE, 5)
    choose(play, row, Newer.APPLY)
    assert replicas(play) == 2


def test_a_revision_of_the_same_number_is_told_apart(play: Play) -> None:
    row = restored(play, back_to=2)
    row = play.revise(row, replicas=7)
    assert (row.desired, row.problem, replicas(play)) == (3, "newer", 5)
    assert "was applied for another revision 3" in row.last_error["message"]
    choose(play, row, Newer.APPLY)
    assert (play.row(row).applied, replicas(play)) == (4, 7)


def test_who_chooses_for_a_revision_that_is_not_the_newest_is_told(play: Play) -> None:
    row = play.again(restored(play))
    spec = Spec.model_validate(IMAGE)
    with pytest.raises(services.Conflict):
        services.choose_newer(deployment=row, choice=Newer.ADOPT, spec=spec, live=3, by=play.maria, if_revision=7)
    choose(play, row, Newer.ADOPT)
    with pytest.raises(services.NothingChanged):
        services.choose_newer(deployment=row, choice=Newer.APPLY, spec=spec, live=3, by=play.maria)


@pytest.mark.parametrize("told", ["", "no json", "[1]", '{"version": 99}', '{"replicas": -1, "version": 1}'])
def test_what_does_not_tell_its_spec_is_not_adopted(play: Play, told: str) -> None:
    row = play.again(restored(play))
    play.kubectl("annotate", "deployment", "gpt-4", f"{labels.SPEC}={told}", "--overwrite")
    with pytest.raises(services.Refused, match="does not tell its spec"):
        choose(play, row, Newer.ADOPT)
    assert play.row(row).desired == 1


def test_the_page_shows_what_differs_and_does_what_is_chosen(play: Play, client: Client) -> None:
    row = play.again(restored(play))
    client.force_login(play.maria)
    page = client.get(reverse("deployments:detail", args=[row.pk])).content.decode()
    address = reverse("deployments:newer", args=[row.pk])
    assert (f'href="{address}"' in page, "Cluster is newer" in page) == (True, True)
    said = client.get(address).content.decode()
    assert "The cluster runs revision 3" in said
    assert "registry.example/app:2" in said
    done = client.post(address, {"choice": "adopt", "if_revision": "1"})
    assert done.status_code == 302
    reconcile.drain()
    assert (play.row(row).applied, replicas(play)) == (4, 5)


def test_a_deployment_that_the_database_never_knew_is_adopted_as_it_runs(play: Play) -> None:
    row = play.create(replicas=2, **FILES)
    uids = {name: play.live(*name.split("/"))["metadata"]["uid"] for name in play.names()}
    pk, sets = row.pk, play.replica_sets()
    row.revisions.all().delete()
    row.delete()
    made = Deployment(pk=pk, project=play.project, name="gpt-4")
    found, _ = reads.running(made, actor="maria")
    assert found
    assert found.deployment_id == str(pk)
    services.adopt_unknown(deployment=made, spec=found.spec, live=found.revision, by=play.maria)
    reconcile.drain()
    made = play.row(made)
    assert (made.applied, made.problem, newest(made).spec.replicas) == (2, "", 2)
    assert {name: play.live(*name.split("/"))["metadata"]["uid"] for name in play.names()} == uids
    assert play.replica_sets() == sets
    assert {item.uid for item in made.inventory.all()} == set(uids.values())
