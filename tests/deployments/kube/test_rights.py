"""The permission report: on a real API server, with all rights, with few, and with none."""

import pytest

from deployments import kube
from deployments.manifests import access
from tests.controlplane.fixtures import namespace, plane  # noqa: F401  (fixtures)
from tests.deployments.reconcile.play import Play, eventually, play  # noqa: F401
from tests.deployments.reconcile.rights import Rights, rights  # noqa: F401


def test_every_right_that_is_printed_is_asked_for() -> None:
    asked = [right.rule for right in kube.rights.RIGHTS]
    granted = [access.NODES, *access.FOLLOW, access.ACT, access.ACTOR, *access.PROVISION]
    assert asked == granted
    cluster_role = next(one for one in access.build("llmdash") if one["kind"] == "ClusterRole")
    assert cluster_role["rules"] == granted


@pytest.mark.plane
def test_an_admin_of_the_cluster_holds_everything_everywhere(play: Play) -> None:  # noqa: F811
    report = kube.rights.test(kube.access_of(play.cluster), [play.namespace])
    assert (report["ok"], report["connection"], report["message"]) == (True, "connected", "")
    assert report["version"].startswith("v1.")
    assert len(report["identity"]) == 36
    assert [right["where"] for right in report["rights"]] == ["everywhere"] * len(kube.rights.RIGHTS)


@pytest.mark.plane
def test_rights_in_one_namespace_are_told_as_such(play: Play, rights: Rights) -> None:  # noqa: F811
    play.move(play.plane.url, rights.give(play.namespace))
    report = kube.rights.test(kube.access_of(play.cluster), [play.namespace, "default"])
    found = {right["what"]: right for right in report["rights"]}
    nodes = found["List and watch nodes"]
    assert (nodes["held"], nodes["where"], nodes["refused"]) == (False, "nowhere", ["list nodes", "watch nodes"])
    act = found["Act as the serviceaccounts of a project"]
    assert (act["held"], act["where"]) == (False, play.namespace)
    assert act["refused"] == ["impersonate serviceaccounts in default"]
    assert found["Name the person who acts"]["where"] == "everywhere"
    assert report["ok"], "there is a namespace in which deployments can be made"
    assert not kube.rights.test(kube.access_of(play.cluster), ["default"])["ok"]


@pytest.mark.plane
def test_a_token_that_is_none_is_rejected(play: Play) -> None:  # noqa: F811
    report = kube.rights.test(kube.Access(play.plane.url, play.plane.ca_pem, token="wrong"), [])
    assert (report["ok"], report["connection"], report["rights"]) == (False, "rejected", [])
    assert report["message"]


def test_nobody_there_is_said_in_words() -> None:
    report = kube.rights.test(kube.Access("https://127.0.0.1:1", token="x"), [])
    assert (report["ok"], report["connection"]) == (False, "unreachable")
    assert report["message"] == "The API server refuses connections."
