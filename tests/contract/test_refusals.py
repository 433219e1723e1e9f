"""What people get wrong is refused by both in the same words."""

from typing import Any

import pytest

from tests.contract.space import Json, Space, workload

SELECTORS = {
    "a in": "unable to parse requirement: found '' expected: '('",
    "a in (b": "unable to parse requirement: found '', expected: ',' or ')'",
    "a in (b c)": "unable to parse requirement: found 'c', expected: ',' or ')'",
    "a=b c": "found 'c', expected: ',' or 'end of string'",
    "=b": "found '=', expected: !, identifier, or 'end of string'",
    "a,": "found '', expected: identifier after ','",
    "!": "unable to parse requirement: found '', expected: identifier",
    "a>b": (
        'unable to parse requirement: values[0]: Invalid value: "b": '
        "for 'Gt', 'Lt' operators, the value must be an integer"
    ),
}
OTHER_SELECTORS = (
    "a in (", "a in b", "a in (b,", "a in ((b))", "a in (=)", "a in (b))", "a in (b) c", "==b", "!=b", "!a=b", "!!a",
    "!,a", ",", ",a", "a,,b", "a,=b", "a=b=c", "a=(", "(a)", "a=!b", "a===b", "a>=5", "a>", "a>-1", "-a=b", "a=-b",
    "a/b/c=d", "A_/b=c", "a/=b", "/a=b", "a=" + "b" * 64, "a" * 64, "a:b", 'a="b"', "a=é", "x in (-y,z_)",
)  # fmt: skip


def test_a_broken_label_selector_is_answered_in_the_same_words(both: tuple[Space, Space]) -> None:
    for selector in (*SELECTORS, *OTHER_SELECTORS):
        real, imitated = (
            space.http.get(f"{space.core}/configmaps", params={"labelSelector": selector}) for space in both
        )
        assert real.status_code == imitated.status_code == 400
        assert imitated.json() == real.json(), selector
        assert real.json()["message"] == SELECTORS.get(selector, real.json()["message"])


@pytest.mark.parametrize("selector", ["a in ()", "a in (,b)", "in=b", "in", "notin", "a in (in)", " ", "a = b", "a>5"])
def test_an_odd_label_selector_is_none_the_less_one(both: tuple[Space, Space], selector: str) -> None:
    for space in both:
        assert space.http.get(f"{space.core}/configmaps", params={"labelSelector": selector}).status_code == 200


STRATEGIC, MERGE, APPLY = (
    f"application/{one}" for one in ("strategic-merge-patch+json", "merge-patch+json", "apply-patch+yaml")
)


def in_container(**fields: Any) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main"} | fields]}}}}


MISTYPED: dict[str, Json] = {
    "text for a count": {"spec": {"replicas": "two"}},
    "a fraction": {"spec": {"replicas": 1.5}},
    "a list for a count": {"spec": {"replicas": [1]}},
    "text for a switch": {"spec": {"paused": "yes"}},
    "text for an object": {"spec": {"template": "x"}},
    "text for a map": {"metadata": {"labels": "x"}},
    "a number in a map of text": {"metadata": {"labels": {"a": 1}}},
    "a number for text": in_container(env=[{"name": "A", "value": 1}]),
    "a switch for text": in_container(env=[{"name": "A", "value": True}]),
    "text for a list": in_container(command="x"),
    "a map for a list": in_container(env={"a": "b"}),
    "a number in a list of text": in_container(args=["a", 2]),
    "text for a port": in_container(ports=[{"containerPort": "80"}]),
    "no quantity": in_container(resources={"limits": {"cpu": "lots"}}),
    "a switch for a port": in_container(readinessProbe={"httpGet": {"port": True}}),
}


@pytest.mark.parametrize("case", MISTYPED)
@pytest.mark.parametrize("kind", [STRATEGIC, APPLY])
def test_a_value_of_another_type_is_refused_in_the_same_words(both: tuple[Space, Space], case: str, kind: str) -> None:
    """As `kubectl apply` sends it, and with `--server-side`."""

    def told(space: Space) -> Json:
        space.send("POST", f"{space.apps}/deployments", workload("web", replicas=0))
        body = {"apiVersion": "apps/v1", "kind": "Deployment"} | MISTYPED[case]
        path = f"{space.apps}/deployments/web?fieldManager=ours&dryRun=All" + ("&force=true" if kind == APPLY else "")
        answer = space.send("PATCH", path, MISTYPED[case] if kind == STRATEGIC else body, kind=kind)
        assert answer.status_code == (422 if kind == STRATEGIC else 500) or (kind, case) == (APPLY, "a fraction")
        return dict(answer.json()) if answer.is_error else {}

    real, imitated = map(told, both)
    assert imitated == real


def test_kubectl_apply_of_a_word_for_a_count_says_which_patch_is_invalid(both: tuple[Space, Space]) -> None:
    for space in both:
        space.apply(workload("two", replicas=0))
        said = space.kubectl("apply", "-f", "-", given=workload("two", replicas="two"), check=False)  # type: ignore[arg-type]
        assert said.startswith('The request is invalid: patch: Invalid value: "map[metadata:map[annotations:map[')
        assert said.endswith('spec:map[replicas:two]]": unrecognized type: int32\n')
        patch = ("patch", "deploy/two", "--type=merge", "-p", '{"spec": {"replicas": "two"}}')
        said = space.kubectl(*patch, check=False)
        assert said.startswith('The request is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"apps/v1\\",')
        assert said.endswith(
            '": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32\n'
        )


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_a_word_for_a_scale_is_refused(both: tuple[Space, Space], kind: str) -> None:
    for space in both:
        space.send("POST", f"{space.apps}/deployments", workload("web", replicas=0))
        answer = space.send("PATCH", f"{space.apps}/deployments/web/scale", {"spec": {"replicas": "two"}}, kind=kind)
        assert answer.status_code == 422
        assert answer.json()["message"].startswith(' "" is invalid: patch: Invalid value: ')
        assert answer.json()["message"].endswith("int32")
