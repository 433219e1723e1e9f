"""llmdash with the rights that `llmdash cluster-access` prints and no others, in the whole cluster or in namespaces."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deployments import reconcile, services
from deployments.choices import Outcome, Problem
from deployments.kubeconfig import parse_kubeconfig
from deployments.models import Deployment
from tests import stage
from tests.deployments.reconcile.play import Json, Play, eventually, newest
from tests.deployments.reconcile.rights import USER, Rights, own_writes, printed

pytestmark = pytest.mark.plane
RBAC = "rbac.authorization.k8s.io"
OPERATOR = "system:serviceaccount:{}:llmdash-operator"
ROLES = ["llmdash-admin", "llmdash-operator", "llmdash-viewer"]


@pytest.fixture
def second(play: Play) -> Iterator[str]:
    """Another namespace's name; it is not made."""
    name = f"t-{secrets.token_hex(4)}"
    yield name
    play.plane.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def life_of_one(play: Play) -> Deployment:
    """Create with a secret, scale, delete."""
    row = play.create(env=[{"name": "TOKEN", "secret": play.secret("canary")}])
    assert (row.problem, row.last_error, newest(row).outcome) == ("", {}, Outcome.APPLIED)
    assert play.names() == ["deployment/gpt-4", "secret/gpt-4-env", "service/gpt-4"]
    assert play.revise(row, replicas=3).problem == ""
    assert play.live("deployment")["spec"]["replicas"] == 3
    row = play.delete(row)
    assert play.names() == []
    return row


def in_namespace(play: Play, namespace: str, **fields: Any) -> Play:
    """The same play with a project in another namespace."""
    project = stage.project(namespace, cluster=play.cluster, namespace=namespace, **fields)
    return Play(play.plane, namespace, play.cluster, project, play.maria)


@pytest.mark.parametrize("wide", [True, False], ids=["cluster", "namespace"])
def test_a_deployment_lives_and_ends_and_the_api_server_hears_the_operator(
    play: Play, rights: Rights, wide: bool
) -> None:
    play.move(play.plane.url, rights.give(*([] if wide else [play.namespace])))
    life_of_one(play)
    eventually(lambda: any(write["verb"] == "delete" for write in play.writes()))
    writes = play.writes()
    assert {write["objectRef"]["resource"] for write in writes} == {"deployments", "secrets", "services"}
    for write in writes:
        assert write["user"]["username"] == USER
        assert write["impersonatedUser"]["username"] == OPERATOR.format(play.namespace)
        assert write["impersonatedUser"]["extra"]["llmdash.io/actor"][0] in ("maria@example.com", "llmdash")
    assert writes[0]["impersonatedUser"]["extra"] == {"llmdash.io/actor": ["maria@example.com"]}


def test_with_rights_in_the_cluster_it_writes_the_projects_roles_and_nothing_else_as_itself(
    play: Play, rights: Rights
) -> None:
    play.move(play.plane.url, rights.give())
    life_of_one(play)
    writes = own_writes(play.plane, play.namespace)
    told = [(write["verb"], write["objectRef"], write["responseStatus"]["code"]) for write in writes]
    written = [(verb, where["resource"], where["name"], code) for verb, where, code in told]
    kinds = ("rolebindings", "roles", "serviceaccounts")
    assert sorted(written) == [("patch", kind, name, 201) for kind in kinds for name in ROLES]


def test_with_rights_in_a_namespace_it_takes_the_roles_that_are_there(play: Play, rights: Rights) -> None:
    play.move(play.plane.url, rights.give(play.namespace))
    play.create()
    play.project.refresh_from_db()
    assert play.project.access_ready_at is not None
    assert [write for write in own_writes(play.plane, play.namespace) if write["responseStatus"]["code"] < 400] == []


REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("/api/v1/secrets", {}, 'cannot list resource "secrets"'),
    ("/api/v1/namespaces/{}/secrets", {}, 'cannot list resource "secrets"'),
    ("/api/v1/namespaces/{}/secrets/gpt-4-env", {}, 'cannot get resource "secrets"'),
    ("/api/v1/namespaces/llmdash/secrets/llmdash-token", {}, 'cannot get resource "secrets"'),
    ("/api/v1/nodes", {"Impersonate_User": "admin"}, 'cannot impersonate resource "users"'),
    (
        "/api/v1/namespaces/{}/pods",
        {"Impersonate_User": OPERATOR, "Impersonate_Group": "system:masters"},
        'cannot impersonate resource "groups"',
    ),
    (
        "/api/v1/namespaces/{}/pods",
        {"Impersonate_User": "system:serviceaccount:{}:default"},
        'cannot impersonate resource "serviceaccounts"',
    ),
    (
        "/api/v1/namespaces/{}/pods",
        {"Impersonate_User": OPERATOR, "Impersonate_Extra_other": "x"},
        'cannot impersonate resource "userextras/other"',
    ),
]


@pytest.mark.parametrize("wide", [True, False], ids=["cluster", "namespace"])
def test_it_reads_no_secret_and_is_nobody_else(play: Play, rights: Rights, wide: bool) -> None:
    token = rights.give(*([] if wide else [play.namespace]))
    play.move(play.plane.url, token)
    play.create(env=[{"name": "TOKEN", "secret": play.secret("canary")}])
    assert play.exists("secret", "gpt-4-env")
    for path, headers, refusal in REFUSED:
        given = {name: value.format(play.namespace) for name, value in headers.items()}
        answer = rights.ask(token, path.format(play.namespace), **given)
        assert (answer.status_code, path, headers) == (403, path, headers)
        assert f'User "{USER}" {refusal}' in answer.json()["message"]
    allowed = rights.ask(token, f"/api/v1/namespaces/{play.namespace}/pods", **operator_headers(play))
    assert allowed.status_code == 200


def operator_headers(play: Play) -> dict[str, str]:
    """Those with which the operator is allowed, so that the refusals above are not for another reason."""
    return {name.replace("-", "_"): value for name, value in play.operator().headers.items()}


def test_with_rights_in_a_namespace_it_reads_neither_the_cluster_nor_other_namespaces(
    play: Play, rights: Rights
) -> None:
    token = rights.give(play.namespace)
    for path in ("nodes", "pods", "namespaces/default/pods", "namespaces/kube-system", "namespaces/default/configmaps"):
        assert rights.ask(token, f"/api/v1/{path}").status_code == 403
    assert rights.ask(token, f"/api/v1/namespaces/{play.namespace}/pods").status_code == 200


def test_another_namespace_is_refused_with_what_to_do_and_works_once_that_is_done(
    play: Play, rights: Rights, second: str
) -> None:
    play.plane.kubectl("create", "namespace", second)
    play.move(play.plane.url, rights.give(play.namespace))
    other = in_namespace(play, second)
    row = other.create()
    assert (row.problem, row.last_error["status"], newest(row).outcome) == (Problem.WAIT, 403, Outcome.REFUSED)
    told = row.last_error["message"]
    assert f"roles in namespace {second}" in told
    assert f"Apply the output of `llmdash cluster-access --namespace {second}`" in told
    assert f'User "{USER}" cannot' in told
    assert other.names("deployment,service,role") == []
    assert play.create("mine").problem == ""
    rights.give(second)
    assert other.again(row).problem == ""
    assert play.create("still-mine").problem == ""


def test_a_namespace_that_it_may_not_make_is_refused_with_what_to_do(play: Play, rights: Rights, second: str) -> None:
    play.move(play.plane.url, rights.give(play.namespace))
    row = in_namespace(play, second, create_namespace=True).create()
    assert row.problem == Problem.WAIT
    assert f"`llmdash cluster-access --namespace {second}`" in row.last_error["message"]


def test_it_makes_a_projects_namespace_and_leaves_one_that_is_there_alone(
    play: Play, rights: Rights, second: str
) -> None:
    play.move(play.plane.url, rights.give())
    assert in_namespace(play, second, create_namespace=True).create().problem == ""
    play.project.create_namespace = True
    play.project.save()
    before = play.plane.get("namespace", play.namespace)
    assert play.create().problem == ""
    assert play.plane.get("namespace", play.namespace) == before


@pytest.fixture
def namespaces(play: Play) -> Iterator[Callable[[], None]]:
    """Gives the right to read namespaces, by the commands of the documentation."""
    name = "llmdash-namespaces"

    def give() -> None:
        play.plane.kubectl("create", "clusterrole", name, "--verb=get", "--resource=namespaces")
        account = "--serviceaccount=llmdash:llmdash"
        play.plane.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", account)

    yield give
    play.plane.kubectl("delete", "clusterrole,clusterrolebinding", name, "--ignore-not-found")


def test_a_deletion_whose_namespace_was_removed_ends_once_namespaces_may_be_read(
    play: Play, rights: Rights, namespaces: Callable[[], None]
) -> None:
    play.move(play.plane.url, rights.give(play.namespace))
    row = play.create()
    play.plane.kubectl("delete", "namespace", play.namespace, "--timeout=60s")
    services.delete(deployment=play.row(row), by=play.maria)
    reconcile.drain()
    row = play.row(row)
    assert (row.gone_at, row.problem, row.inventory.count()) == (None, Problem.WAIT, 2)
    namespaces()
    play.delete(row)


def strangers(kind: str, namespace: str) -> Json:
    """An object with the name of ours, made by somebody else; its binding is to another role."""
    made: Json = {"kind": kind, "metadata": {"name": "llmdash-operator", "labels": {"made-by": "hand"}}}
    if kind == "ServiceAccount":
        return made | {"apiVersion": "v1"}
    made["apiVersion"] = f"{RBAC}/v1"
    if kind == "Role":
        return made | {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    return made | {"roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "theirs"}, "subjects": [subject]}


@pytest.mark.parametrize("kind", ["ServiceAccount", "Role", "RoleBinding"])
def test_a_strangers_object_of_the_same_name_is_named_and_stays_untouched(play: Play, kind: str) -> None:
    play.put(strangers(kind, play.namespace))
    before = play.live(kind, "llmdash-operator")
    row = play.create()
    assert (row.problem, row.last_error["reason"], newest(row).outcome) == (Problem.WAIT, "Stranger", Outcome.REFUSED)
    told = f"{kind} llmdash-operator exists in namespace {play.namespace} and is not ours."
    assert row.last_error["message"] == told
    assert play.live(kind, "llmdash-operator") == before
    assert [name for name in play.names("sa,role,rolebinding") if "llmdash" in name] == [
        name for name in play.names(kind) if "llmdash" in name
    ]
    play.kubectl("delete", kind, "llmdash-operator")
    assert play.again(row).problem == ""


def test_roles_of_another_installation_are_not_ours(play: Play, settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"INSTALLATION": "other"}
    play.put(strangers("Role", play.namespace))
    play.kubectl("label", "role", "llmdash-operator", "llmdash.io/installation=llmdash",
                 "app.kubernetes.io/managed-by=llmdash")  # fmt: skip
    assert play.create().last_error["reason"] == "Stranger"


def test_what_is_printed_can_be_applied_over_what_llmdash_made_and_changes_nothing_the_next_time(
    play: Play, rights: Rights
) -> None:
    play.move(play.plane.url, rights.give())
    row = play.create()
    rights.give(play.namespace)
    again = play.plane.kubectl("apply", "-f", "-", input=printed(play.namespace)).splitlines()
    assert len(again) == 3 + 9 + 2 + 2
    assert all(line.endswith(" unchanged") for line in again), again
    play.project.access_ready_at = None
    play.project.save()
    assert play.again(row).problem == ""


def test_the_documented_commands_make_a_kubeconfig_of_the_token(play: Play, rights: Rights, tmp_path: Any) -> None:
    token = rights.give(play.namespace)
    file = tmp_path / "kubeconfig"
    file.write_text(play.plane.kubectl("config", "view", "--raw", "--flatten", "--minify"))
    config = ("config", f"--kubeconfig={file}")
    play.plane.kubectl(*config, "set-credentials", "llmdash", f"--token={token}")
    play.plane.kubectl(*config, "set-context", "--current", "--user=llmdash")
    found = parse_kubeconfig(play.plane.kubectl(*config, "view", "--raw", "--flatten", "--minify"))
    assert (found.url, found.token, found.ca_pem) == (play.plane.url, token, play.plane.ca_pem)


def test_a_token_is_renewed_by_making_its_secret_anew(play: Play, rights: Rights) -> None:
    old = rights.give(play.namespace)
    path = f"/api/v1/namespaces/{play.namespace}/pods"
    assert rights.ask(old, path).status_code == 200
    play.plane.kubectl("-n", "llmdash", "delete", "secret", "llmdash-token")
    eventually(lambda: rights.ask(old, path).status_code == 401)
    new = rights.give(play.namespace)
    assert new != old
    assert rights.ask(new, path).status_code == 200
    play.move(play.plane.url, new)
    assert play.create().problem == ""
