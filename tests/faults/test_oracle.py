"""The judge of the faults sees what is wrong, each thing by itself."""

import pytest

from tests.faults import oracle
from tests.faults.site import CANARY, Site, eventually

pytestmark = pytest.mark.plane


def test_the_oracle_is_not_blind(site: Site) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    oracle.judge(site)

    site.acts += 1
    with pytest.raises(AssertionError):
        oracle.one_entry_for_each_act(site)
    site.acts -= 1

    labels = ["app.kubernetes.io/managed-by=llmdash", f"llmdash.io/deployment-id={made['id']}"]
    site.plane.kubectl("-n", site.namespace, "create", "configmap", "stray")
    site.plane.kubectl("-n", site.namespace, "label", "configmap", "stray", *labels)
    with pytest.raises(AssertionError):
        oracle.nothing_beside_the_inventory(site)
    site.plane.kubectl("-n", site.namespace, "delete", "configmap", "stray")

    log = site.folder / "stray.log"
    log.write_text(f"value: {CANARY}")
    with pytest.raises(AssertionError, match=r"stray\.log"):
        oracle.the_secret_is_nowhere(site)
    log.unlink()

    for part in ("worker1", "worker2"):
        site.parts[part].kill()
    site.plane.kubectl("-n", site.namespace, "scale", "deployment", "qwen", "--replicas=5")
    with pytest.raises(AssertionError):
        oracle.same_revision_as_wanted(site)
    for part in ("worker1", "worker2"):
        site.parts[part].start()
    eventually(lambda: site.objects("deployment")[0]["spec"]["replicas"] == 1, 30)
