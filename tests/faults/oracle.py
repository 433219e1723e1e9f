"""What has to hold after every fault, asked of the database and of kubectl and of nobody of ours."""

import json
import subprocess

import redis

from llmdash.tooling.install import find
from tests.faults.site import CANARY, Site

MANAGED_KINDS = ("Secret", "ConfigMap", "Service", "Deployment")


def judge(site: Site) -> None:
    """Fails with what does not hold."""
    same_revision_as_wanted(site)
    nothing_beside_the_inventory(site)
    one_entry_for_each_act(site)
    the_secret_is_nowhere(site)
    assert "are as they were written" in site.python("manage.py", "verify_audit")


def same_revision_as_wanted(site: Site) -> None:
    """Every deployment that lives stands in the cluster with its newest revision and its replicas."""
    query = """select d.name, d.desired, d.applied, d.problem, r.spec_json from deployments_deployment d
               join deployments_revision r on r.deployment_id = d.id and r.number = d.desired
               where d.deleted_at is null"""
    live = {item["metadata"]["name"]: item for item in site.objects("deployment")}
    rows = site.rows(query)
    assert set(live) == {name for name, *_ in rows}
    for name, desired, applied, problem, spec in rows:
        found = live[name]
        assert (applied, problem) == (desired, ""), name
        assert found["metadata"]["annotations"]["llmdash.io/revision"] == str(desired), name
        assert found["spec"]["replicas"] == (spec["replicas"] if spec["running"] else 0), name


def nothing_beside_the_inventory(site: Site) -> None:
    """What carries our labels is what was written down, and the other way round."""
    query = """select a.kind, a.name, a.uid from deployments_appliedobject a
               join deployments_deployment d on d.id = a.deployment_id where d.gone_at is null"""
    live = {(item["kind"], item["metadata"]["name"], item["metadata"]["uid"]) for item in site.objects()}
    assert live == {tuple(row) for row in site.rows(query) if row[0] in MANAGED_KINDS}


def one_entry_for_each_act(site: Site) -> None:
    """The audit tells of each act of a person on a deployment once."""
    query = "select count(*) from deployments_auditentry where target_kind = 'deployment' and actor_name = 'boss'"
    assert site.rows(query) == [(site.acts,)]


def the_secret_is_nowhere(site: Site) -> None:
    """The canary stands in no log, no dump of PostgreSQL and nothing that Redis holds."""
    for log in site.folder.glob("*.log"):
        assert CANARY not in log.read_text(errors="replace"), log
    dumped = subprocess.run([find("pg_dump") or "pg_dump", site.database], capture_output=True, text=True, check=True)
    assert "deployments_secretvalue" in dumped.stdout
    assert CANARY not in dumped.stdout
    with redis.Redis.from_url(site.redis.url) as client:
        held = json.dumps([str(client.dump(key)) for key in client.scan_iter()])
    assert CANARY not in held
