"""Two people's edits of one deployment, brought together field by field."""

from typing import Any

from django.forms import BoundField

from deployments.forms.deployment import DeploymentForm
from deployments.forms.text import as_text, as_typed, words
from deployments.models import Revision
from deployments.spec import Spec


def merged(form: DeploymentForm, newest: Revision) -> tuple[DeploymentForm, list[BoundField]]:
    """The form upon the newest revision, and the fields that both have changed.

    A field that this person left as it was when the form was opened takes the other's value; what they typed stays.
    """
    mine, theirs = form.touched(), as_text(newest.spec)
    taken = {name: as_typed(theirs[name]) for name in theirs if name in form.fields and name not in mine}
    again = DeploymentForm(
        dict(form.data.items()) | taken | {"if_revision": str(newest.number)},
        before=newest.spec,
        project=form.place,
        initial={},
    )
    again.is_valid()
    changed = changed_fields(form.before, newest.spec) if form.before else set()
    both = [again[name] for name in again.fields if name in mine & changed and form.typed(name) != words(theirs[name])]
    return again, both


def changed_fields(before: Spec, after: Spec) -> set[str]:
    """The fields of the form whose values differ: a secret's by its id, since its value is nowhere to be read."""
    return {name for name in as_text(after) if held(before, name) != held(after, name)}


def held(spec: Spec, name: str) -> Any:
    """What a field of the form stands for."""
    if name in ("env", "secret_env"):
        return [var for var in spec.env if bool(var.secret) == (name == "secret_env")]
    return getattr(spec, name)
