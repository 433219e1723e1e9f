"""Who may do what: tokens, roles, impersonation, reviews."""

import httpx
import pytest

from tests.contract.space import Json, Space, config_map

RBAC = "rbac.authorization.k8s.io"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def role(name: str, *rules: Json) -> Json:
    return {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": name}, "rules": list(rules)}


def rule(verbs: str, resources: str, *names: str, group: str = "") -> Json:
    found = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    return found | ({"resourceNames": list(names)} if names else {})


def binding(name: str, space: Space, account: str) -> Json:
    return {
        "apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"kind": "Role", "name": name, "apiGroup": RBAC},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": space.name}],
    }  # fmt: skip


@pytest.fixture
def reader(space: Space) -> Space:
    """A ServiceAccount that reads pods and their logs, and may become the writer."""
    for name in ("reader", "writer"):
        space.kubectl("create", "serviceaccount", name)
    rules = [rule("get list watch", "pods pods/log"), rule("impersonate", "serviceaccounts", "writer")]
    space.apply(role("reader", *rules))
    space.apply(binding("reader", space, "reader"))
    space.apply(role("writer", rule("create get", "configmaps"), rule("patch", "deployments/scale", group="apps")))
    space.apply(binding("writer", space, "writer"))
    return space


def as_account(space: Space, name: str) -> httpx.Client:
    return space.cluster.client(space.kubectl("create", "token", name).strip())


def user(space: Space, name: str) -> str:
    return f"system:serviceaccount:{space.name}:{name}"


def can(space: Space, name: str, *asked: str) -> str:
    shown = space.kubectl("auth", "can-i", *asked, f"--as={user(space, name)}", check=False).splitlines()
    return next(line for line in shown if line in ("yes", "no"))  # a warning may stand before or after it


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("get pods", "yes"),
        ("get pods --subresource=log", "yes"),
        ("delete pods", "no"),
        ("get pods -A", "no"),
        ("get nodes", "no"),
        ("impersonate serviceaccounts/writer", "yes"),
        ("impersonate serviceaccounts/other", "no"),
        ("get /version", "yes"),
        ("get /metrics", "no"),
    ],
)
def test_can_i_answers_by_the_roles(reader: Space, asked: str, expected: str) -> None:
    if "/metrics" in asked or "/version" in asked:
        shown = reader.cluster.kubectl("auth", "can-i", *asked.split(), f"--as={user(reader, 'reader')}", check=False)
        assert shown.splitlines()[-1] == expected
    else:
        assert can(reader, "reader", *asked.split()) == expected


def test_the_admin_may_do_everything(space: Space) -> None:
    assert space.kubectl("auth", "can-i", "*", "*").strip() == "yes"


def test_a_token_of_an_account_has_its_roles(reader: Space) -> None:
    with as_account(reader, "reader") as client:
        assert client.get(f"{reader.core}/pods").status_code == 200
        refused = client.get(f"{reader.core}/configmaps")
        assert refused.status_code == 403
        said = refused.json()["message"]
    assert said == (
        f'configmaps is forbidden: User "{user(reader, "reader")}" cannot list resource "configmaps" in API group "" '
        f'in the namespace "{reader.name}"'
    )


def test_a_role_may_name_its_objects(space: Space) -> None:
    space.apply(role("one", rule("get list watch", "configmaps", "mine")))
    space.apply(binding("one", space, "default"))
    space.apply(config_map("mine"))
    with as_account(space, "default") as client:
        assert client.get(f"{space.core}/configmaps/mine").status_code == 200
        assert client.get(f"{space.core}/configmaps/kube-root-ca.crt").status_code == 403
        assert client.get(f"{space.core}/configmaps?fieldSelector=metadata.name%3Dmine").status_code == 200
        assert client.get(f"{space.core}/configmaps").status_code == 403


def test_who_may_impersonate_acts_as_the_other(reader: Space) -> None:
    with as_account(reader, "reader") as client:
        headers = {"Impersonate-User": user(reader, "writer")}
        made = client.post(f"{reader.core}/configmaps", json=config_map("made"), headers=headers)
        assert made.status_code == 201
        assert client.get(f"{reader.core}/pods", headers=headers).status_code == 403


def test_an_extra_needs_a_right_of_its_own(reader: Space) -> None:
    headers = {
        "Impersonate-User": user(reader, "writer"),
        "Impersonate-Extra-llmdash.io%2Factor": "somebody@example.com",
    }
    with as_account(reader, "reader") as client:
        assert client.post(f"{reader.core}/configmaps", json=config_map("x"), headers=headers).status_code == 403
    made = reader.http.post(f"{reader.core}/configmaps", json=config_map("x"), headers=headers)
    assert made.status_code == 201


@pytest.mark.parametrize("name", ["system:admin", "system:serviceaccount:kube-system:default"])
def test_others_may_not_be_impersonated(reader: Space, name: str) -> None:
    with as_account(reader, "reader") as client:
        refused = client.get(f"{reader.core}/pods", headers={"Impersonate-User": name})
    assert refused.status_code == 403
    mode = "serviceaccount" if "serviceaccount" in name else "user-info"
    assert refused.json()["message"].startswith(
        f'pods is forbidden: User "{user(reader, "reader")}" cannot impersonate'
    )
    assert f"impersonate-on:{mode}:list" in refused.json()["message"]


def test_groups_may_be_impersonated_by_the_admin(space: Space) -> None:
    shown = space.kubectl("auth", "whoami", "--as=someone", "--as-group=team", "-o", "json")
    assert '"team"' in shown
    assert '"system:authenticated"' in shown
    assert space.kubectl("auth", "can-i", "get", "pods", "--as=someone", "--as-group=system:masters").strip() == "yes"
    assert "no" in space.kubectl("auth", "can-i", "get", "pods", "--as=someone", check=False)


def test_default_roles_can_be_bound(space: Space) -> None:
    space.kubectl("create", "rolebinding", "views", "--clusterrole=view", f"--serviceaccount={space.name}:default")
    assert can(space, "default", "list", "deployments") == "yes"
    assert can(space, "default", "get", "secrets") == "no"
    assert can(space, "default", "create", "deployments") == "no"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer a.b.c"])
def test_a_wrong_token_is_unauthorized(space: Space, header: str) -> None:
    answer = space.http.get(f"{space.core}/pods", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["reason"] == "Unauthorized"


def test_without_a_token_only_the_version_is_told(space: Space) -> None:
    nobody = {"Authorization": ""}
    assert space.http.get("/version", headers=nobody).status_code == 200
    refused = space.http.get(f"{space.core}/pods", headers=nobody)
    assert refused.status_code == 403
    assert 'User "system:anonymous" cannot list resource "pods"' in refused.json()["message"]


def test_a_token_ends_with_its_account(reader: Space) -> None:
    with as_account(reader, "reader") as client:
        assert client.get(f"{reader.core}/pods").status_code == 200
        reader.kubectl("delete", "serviceaccount", "reader")
        reader.wait(lambda: client.get(f"{reader.core}/pods").status_code == 401, 30)


def test_a_review_is_answered_with_its_question(space: Space) -> None:
    asked = {"resourceAttributes": {"namespace": space.name, "verb": "get", "resource": "pods"}}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": asked}
    found = space.send("POST", REVIEWS, body).json()
    assert (found["spec"], found["status"]) == (asked, {"allowed": True})


def test_a_binding_keeps_its_role(reader: Space) -> None:
    changed = binding("reader", reader, "reader") | {"roleRef": {"kind": "Role", "name": "writer", "apiGroup": RBAC}}
    path = f"/apis/{RBAC}/v1/namespaces/{reader.name}/rolebindings/reader"
    answer = reader.send("PUT", path, changed)
    assert answer.status_code == 422
    assert "cannot change roleRef" in answer.json()["message"]
