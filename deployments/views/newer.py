"""The choice where the cluster has a revision that the database does not know."""

import uuid
from typing import Any

from django.http import HttpResponse

from deployments import reads, services
from deployments import spec as specs
from deployments.access import Can
from deployments.choices import Newer
from deployments.difference import changes
from deployments.forms import NewerForm
from deployments.models import Deployment
from deployments.views.acts import confirm
from deployments.views.common import Request, fetch, posted


def newer(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Adopt what runs, apply what the database knows, or leave it; shown is where the two differ."""
    deployment = fetch(request, pk, Can.DEPLOY)
    found, unread = reads.running(deployment, actor=request.user.get_username())
    form = NewerForm(posted(request), initial={"choice": Newer.ADOPT, "if_revision": deployment.desired})

    def act(**more: Any) -> None:
        if found is None:
            raise services.Refused(f"{unread.title}: {unread.detail}" if unread else "")
        choice = Newer(form.cleaned_data["choice"])
        services.choose_newer(choice=choice, spec=found.spec, live=found.revision, **more)

    known = deployment.revisions.get(number=deployment.desired)
    text = f"{unread.title}: {unread.detail} {unread.next}" if unread else explanation(deployment, found)
    extra: dict[str, Any] = {
        "title": f"Choose what holds for {deployment.name}",
        "submit_label": "Let this hold",
        "changes": changes(known.spec_json, specs.dump(found.spec)) if found and found.spec else [],
    }
    return confirm(request, deployment, act, "choose", text, done="follows your choice", form=form, **extra)


def explanation(deployment: Deployment, found: reads.Running | None) -> str:
    """What is known on both sides."""
    if found is None or found.spec is None:
        return services.UNTOLD
    return (
        f"The cluster runs revision {found.revision} and the database knows {deployment.desired} as the newest, as"
        " after a restore from an older backup. Nothing is applied until somebody chooses. What runs differs in:"
    )
