"""Objects of a deployment that is gone: a late writer made them after the last one was removed.

The tombstone tells whose they are. Only objects that carry our owner labels go, by the uid that was read.
"""

from django.conf import settings

from deployments import audit, kube
from deployments.choices import Action
from deployments.manifests import labels
from deployments.models import Deployment
from deployments.reconcile.identity import identity
from deployments.reconcile.reach import reach


def remove(tombstone: Deployment) -> list[str]:
    """Remove what stands there in the name of a deployment that is gone; returns what was, by kind and name."""
    if tombstone.gone_at is None:
        return []  # what stands there is wanted, or being deleted
    connection = reach(tombstone.project.cluster)
    who = identity(tombstone, audit.LLMDASH)
    removed = []
    for kind, name in names(tombstone.name):
        live = kube.metadata(connection, kind, tombstone.project.namespace, name, identity=who)
        if live is None or not labels.ours(live, settings.LLMDASH["INSTALLATION"], str(tombstone.pk)):
            continue
        kube.delete(connection, kind, tombstone.project.namespace, name, uid=live["uid"], identity=who)
        audit.record(None, Action.REMOVE_ORPHAN, tombstone, project=tombstone.project, object=f"{kind}/{name}")
        removed.append(f"{kind}/{name}")
    return removed


def names(name: str) -> list[tuple[str, str]]:
    """Every object that a Revision may become, as `manifests` names them."""
    return [("Service", name), ("Deployment", name), ("Secret", f"{name}-env"), ("ConfigMap", f"{name}-files")]
