"""The chart by `helm lint` and `helm template`, and the commands and probes of its pods as processes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.choices import Role
from deployments.crypto import new_key_line
from deployments.manifests import access, rbac
from llmdash.tooling import chart
from tests.containers import ROOT, Container, secrets
from tests.helm.conftest import CHART, Helm, Objects
from tests.llmdash.test_settings import documented

Render = Callable[..., Objects]
ROLES = ("web", "worker", "watcher")
EVERYTHING: dict[str, Any] = {
    "image": {
        "repository": "registry.example.org/team/llmdash", "digest": f"sha256:{'a' * 64}", "pullSecrets": ["pull"],
    },
    "extraVolumes": [{"name": "authorities", "configMap": {"name": "our-authorities"}}],
    "extraVolumeMounts": [{"name": "authorities", "mountPath": "/etc/authorities", "readOnly": True}],
    "existingSecret": {
        "name": "mine",
        "keys": {
            "secretKey": "a", "encryptionKey": "b", "databaseUrl": "c", "redisUrl": "d", "metricsToken": "e",
        },
    },
    "hosts": ["llmdash.example.org", "other.example.org"],
    "basePath": "/llmdash",
    "extraEnv": {"LLMDASH_MAX_GPUS": "8"},
    "web": {
        "replicas": 3, "nodeSelector": {"pool": "small"}, "tolerations": [{"operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}}, "podAnnotations": {"checksum/secret": "7"},
    },
    "service": {"type": "NodePort", "annotations": {"a": "b"}},
    "ingress": {"enabled": True, "className": "nginx", "annotations": {"a": "b"}, "tlsSecret": "tls"},
    "serviceAccount": {"annotations": {"a": "b"}},
    "rbac": {"namespaces": ["team-a", "team-b"], "token": True},
    "networkPolicy": {"from": [{"podSelector": {}}], "metricsFrom": [{"podSelector": {}}]},
    "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
}  # fmt: skip


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"rbac": {"scope": "cluster"}}], ids=["as is", "all", "cluster"])
def test_helm_finds_nothing_to_complain_of(helm: Helm, tmp_path: Path, values: dict[str, Any]) -> None:
    (tmp_path / "values.yaml").write_text(yaml.dump(values))
    done = helm("lint", "--strict", str(CHART), "-f", str(tmp_path / "values.yaml"), "--namespace", "home")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_there_by_default(render: Render) -> None:
    kinds = sorted(f"{kind} {name}" for kind, name in render())
    of_roles = [f"{kind} llmdash-{role}" for kind in ("Deployment", "PodDisruptionBudget") for role in ROLES]
    policies = [f"NetworkPolicy llmdash-{role}" for role in (*ROLES, "migration", "test")]
    others = ["Job llmdash-migration", "Pod llmdash-test", "Service llmdash", "ServiceAccount llmdash"]
    assert kinds == sorted([*of_roles, *policies, *others])


def test_everything_that_may_be_asked_for(render: Render) -> None:
    made = render(EVERYTHING)
    ingress = made["Ingress", "llmdash"]["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == EVERYTHING["hosts"]
    assert ingress["rules"][0]["http"]["paths"][0]["path"] == "/llmdash"
    assert ingress["tls"] == [{"secretName": "tls", "hosts": EVERYTHING["hosts"]}]
    monitors = {name: one["spec"] for (kind, name), one in made.items() if kind == "ServiceMonitor"}
    assert sorted(monitors) == ["llmdash-watcher", "llmdash-web", "llmdash-worker"]
    assert monitors["llmdash-web"]["endpoints"][0]["authorization"]["credentials"] == {"name": "mine", "key": "e"}
    web = made["Deployment", "llmdash-web"]["spec"]["template"]["spec"]
    assert (web["nodeSelector"], web["imagePullSecrets"]) == ({"pool": "small"}, [{"name": "pull"}])
    assert web["affinity"] == {"podAntiAffinity": {}}
    assert made["Deployment", "llmdash-web"]["spec"]["template"]["metadata"]["annotations"] == {"checksum/secret": "7"}
    for (kind, _), one in made.items():
        if kind in ("Deployment", "Job"):
            pod = one["spec"]["template"]["spec"]
            assert {"name": "authorities", "configMap": {"name": "our-authorities"}} in pod["volumes"]
            assert pod["containers"][0]["volumeMounts"][-1]["mountPath"] == "/etc/authorities"
            assert pod["containers"][0]["image"].endswith(f"@sha256:{'a' * 64}")
    environment = {one["name"]: one["value"] for one in web["containers"][0]["env"]}
    assert environment["LLMDASH_MAX_GPUS"] == "8"
    assert environment["REDIS_URL_FILE"] == "/run/secrets/llmdash/d"


def test_who_reaches_the_web_may_be_few_and_still_the_test_and_prometheus_do(render: Render) -> None:
    proxy, prometheus = ({"namespaceSelector": {"matchLabels": {"name": name}}} for name in ("proxy", "monitoring"))
    made = render({"networkPolicy": {"from": [proxy], "metricsFrom": [prometheus]}})
    [rule] = made["NetworkPolicy", "llmdash-web"]["spec"]["ingress"]
    test = made["Pod", "llmdash-test"]["metadata"]["labels"]
    assert [rule["from"][0], rule["from"][2]] == [proxy, prometheus]
    assert rule["from"][1]["podSelector"]["matchLabels"].items() <= test.items()
    assert "from" not in render({})["NetworkPolicy", "llmdash-web"]["spec"]["ingress"][0]


def test_a_monitor_finds_the_services_and_they_the_pods(render: Render) -> None:
    made = render(EVERYTHING)
    for role in ROLES:
        service = made["Service", "llmdash" if role == "web" else f"llmdash-{role}"]
        monitor = made["ServiceMonitor", f"llmdash-{role}"]["spec"]
        pod = made["Deployment", f"llmdash-{role}"]["spec"]["template"]
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        [port] = service["spec"]["ports"]
        assert monitor["endpoints"][0]["port"] == port["name"]
        assert port["targetPort"] in {one["name"] for one in pod["spec"]["containers"][0]["ports"]}


def test_another_release_has_other_names(render: Render) -> None:
    made = render(release="second")
    assert ("Deployment", "second-llmdash-web") in made
    assert not {name for _, name in made} & {name for _, name in render()}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"typo": 1}, "typo"),
    ({"web": {"replicas": -1}}, "replicas"),
    ({"web": {"replicas": "two"}}, "replicas"),
    ({"web": {"replica": 2}}, "replica"),
    ({"hosts": []}, "hosts"),
    ({"hosts": ["https://llmdash.example.org"]}, "hosts"),
    ({"basePath": "llmdash/"}, "basePath"),
    ({"image": {"tag": "a b"}}, "tag"),
    ({"existingSecret": {"name": ""}}, "existingSecret"),
    ({"rbac": {"scope": "galaxy"}}, "scope"),
    ({"rbac": {"namespaces": ["Not A Name"]}}, "namespaces"),
    ({"rbac": {"namespaces": ["home"]}}, "release's own namespace"),
    ({"extraEnv": {"LLMDASH_MAX_GPUS": 8}}, "extraEnv"),
    ({"trustedProxies": ["*"]}, "trustedProxies"),
    ({"metrics": {"port": 0}}, "port"),
]


@pytest.mark.parametrize(("values", "named"), BAD, ids=[str(values) for values, _ in BAD])
def test_a_bad_value_is_refused_by_name(helm: Helm, values: dict[str, Any], named: str) -> None:
    done = helm("template", "llmdash", str(CHART), "-n", "home", "-f", "-", input=yaml.dump(values))
    assert done.returncode != 0
    assert named in done.stderr


# ---- rights


def test_the_file_of_rights_is_what_the_code_says() -> None:
    assert chart.FILE.read_text() == chart.text(), "`python -m llmdash.tooling.chart` writes it anew"


def granted(objects: list[dict[str, Any]]) -> set[str]:
    """Each rule of each role with whom it is given to, whatever the roles are called."""
    roles = {(one["kind"], where(one)): one["rules"] for one in objects if one["kind"] in ("Role", "ClusterRole")}
    found = set()
    for one in objects:
        if one["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            namespace = one["metadata"].get("namespace", "")
            [subject] = one["subjects"]
            whom = "itself" if subject["namespace"] in ("home", access.ACCOUNT) else subject["name"]
            of = namespace if one["roleRef"]["kind"] == "Role" else ""
            found |= {
                f"{namespace}: {whom}: {json.dumps(rule, sort_keys=True)}"
                for rule in roles[one["roleRef"]["kind"], (of, one["roleRef"]["name"])]
            }
    return found


def where(one: dict[str, Any]) -> tuple[str, str]:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]


@pytest.mark.parametrize("namespaces", [[], ["team-a", "team-b"]], ids=["cluster", "namespaces"])
def test_exactly_what_llmdash_needs_is_granted(render: Render, namespaces: list[str]) -> None:
    values = {"rbac": {"scope": "namespaces" if namespaces else "cluster", "namespaces": namespaces, "token": True}}
    made, wanted = list(render(values).values()), access.build("llmdash", namespaces)
    assert granted(made) == granted(wanted)
    accounts = {where(one) for one in made if one["kind"] == "ServiceAccount"}
    assert accounts == {("home", "llmdash"), *((ns, rbac.account(role)) for ns in namespaces for role in Role)}
    [token] = [one for one in made if one["kind"] == "Secret"]
    assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "llmdash"}
    assert token["type"] == "kubernetes.io/service-account-token"


def test_nothing_is_granted_by_default(render: Render) -> None:
    assert granted(list(render().values())) == set()


# ---- pods


def pods(made: Objects) -> dict[str, dict[str, Any]]:
    """The specs of all pods, by the name of what makes them."""
    found = {}
    for (kind, name), one in made.items():
        if kind == "Pod":
            found[name] = one["spec"]
        elif kind in ("Deployment", "Job"):
            found[name] = one["spec"]["template"]["spec"]
    return found


def test_no_pod_has_rights_to_spare(render: Render) -> None:
    for name, pod in pods(render()).items():
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert f"USER {pod['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text()
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        assert not any("secretKeyRef" in str(one) for one in container["env"])


def test_every_variable_is_a_setting(render: Render) -> None:
    for pod in pods(render(EVERYTHING)).values():
        names = {one["name"] for one in pod["containers"][0]["env"]}
        assert all({name, name.removesuffix("_FILE")} & documented().keys() for name in names), names
        assert len(names) == len(pod["containers"][0]["env"])


@pytest.mark.postgres
def test_the_commands_and_probes_of_the_pods_work(
    render: Render, tmp_path: Path, postgres: str, redis_server: str
) -> None:
    keys = {
        "secret_key": "s" * 50,
        "encryption_key": new_key_line(),
        "database_url": postgres,
        "redis_url": redis_server,
    }
    secrets(tmp_path, **keys)
    specs = pods(render())

    def contained(name: str) -> tuple[Container, dict[str, Any]]:
        [spec] = specs[name]["containers"]
        environment = {one["name"]: one["value"] for one in spec["env"]}
        return Container(tmp_path, name, [*spec["command"], *spec.get("args", [])], environment), spec

    contained("llmdash-migration")[0].run()
    running = [contained(f"llmdash-{role}") for role in ROLES]
    try:
        for container, _ in running:
            container.start()
        for container, spec in running:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = spec[probe]["httpGet"]
                assert asked["port"] in {port["name"] for port in spec["ports"]}
                assert container.answers(asked["path"]) in ("ok\n", "ready\n")
        test, _ = contained("llmdash-test")
        test.command[-1] = f"http://127.0.0.1:{running[0][0].port}/readyz"
        assert test.run().stdout == "ready\n"
    finally:
        for container, _ in running:
            container.part.kill()
