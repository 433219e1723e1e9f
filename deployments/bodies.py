"""The API's bodies as they come in, as strict models.

No rule about a spec stands here: `spec.py` judges it. Unknown keys are refused and values do not change type.
"""

import uuid
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from deployments.choices import DriftPolicy, Newer, PrometheusAuth, Role
from deployments.kubeconfig import MAX_CHARS
from deployments.models.secret import MAX_SECRET_CHARS
from deployments.rules import KEPT_AS, KEPT_AS_RULE, Text, Written
from deployments.shapes import SpecObject, about, words
from deployments.spec import Strict


def a_drift_policy(text: str) -> str:
    """One of the words of `choices.DriftPolicy`."""
    if text not in list(DriftPolicy):
        raise ValueError(f"must be one of {', '.join(DriftPolicy)}")
    return text


def a_choice(text: str) -> str:
    """One of the words of `choices.Newer`."""
    if text not in list(Newer):
        raise ValueError(f"must be one of {', '.join(Newer)}")
    return text


def no_nul(text: str) -> str:
    """Neither an environment variable nor PostgreSQL can hold a NUL."""
    if "\0" in text:
        raise ValueError("contains a NUL")
    return text


Reason = Annotated[Text, StringConstraints(max_length=500)]
Policy = Annotated[str, AfterValidator(a_drift_policy), words(DriftPolicy)]


class Act(Strict):
    """Any act, with why it was done."""

    reason: Reason = ""


class Create(Act):
    """POST deployments. `project` is the project's name or id."""

    project: Annotated[Text, StringConstraints(min_length=1, max_length=63)]
    name: Text
    spec: SpecObject
    drift_policy: Policy = DriftPolicy.HEAL.value


class Revise(Act):
    """PUT takes the whole spec; PATCH takes some of its parameters, each replaced as a whole."""

    spec: SpecObject


class Scale(Act):
    """How many replicas."""

    replicas: int


class RollBack(Act):
    """Which revision to go back to."""

    revision: int


class SetPolicy(Strict):
    """What happens when others change the objects."""

    drift_policy: Policy


class Choose(Strict):
    """What holds where the cluster is newer than the database."""

    choice: Annotated[str, AfterValidator(a_choice), words(Newer)]


class AdoptUnknown(Strict):
    """Which of the deployments that a cluster has and the database does not know."""

    deployment: Annotated[uuid.UUID, Field(strict=False)]


class Nothing(Strict):
    """An act that takes no parameters."""


class StoreSecret(Strict):
    """A value that nobody reads again."""

    name: Annotated[str, Written(KEPT_AS, KEPT_AS_RULE)]
    value: Annotated[str, AfterValidator(no_nul), Field(min_length=1, max_length=MAX_SECRET_CHARS, repr=False)]


def a_role(text: str) -> str:
    """One of the words of `choices.Role`."""
    if text not in list(Role):
        raise ValueError(f"must be one of {', '.join(Role)}")
    return text


Held = Annotated[str, AfterValidator(a_role), words(Role)]
Named = Annotated[Text, StringConstraints(min_length=1, max_length=63)]


class CreateProject(Strict):
    """POST projects: one namespace of a cluster, which is given by name or id."""

    name: Named
    cluster: Named
    namespace: Named
    create_namespace: Annotated[bool, about("Make the namespace when it does not exist.")] = False


class RenameProject(Strict):
    """PATCH a project; nothing in the cluster restarts for it."""

    name: Named


Line = Annotated[Text, StringConstraints(max_length=500)] | None
Pem = Annotated[Text, StringConstraints(max_length=MAX_SECRET_CHARS)] | None
Kubeconfig = Annotated[str | None, Field(max_length=MAX_CHARS, repr=False, description="Written, never read.")]
Hidden = Annotated[str | None, Field(max_length=16 * 1024, repr=False, description="Written, never read.")]


def a_sign_in(text: str) -> str:
    """One of the words of `choices.PrometheusAuth`."""
    if text not in list(PrometheusAuth):
        raise ValueError(f"must be one of {', '.join(PrometheusAuth)}")
    return text


class ChangeCluster(Strict):
    """What to change of a cluster; what is left out, or null, stays. A kubeconfig brings address, CA, credentials."""

    name: Named | None = None
    kubeconfig: Kubeconfig = None
    api_url: Line = None
    token: Hidden = None
    ca_pem: Pem = None
    tls_server_name: Line = None
    prometheus_url: Line = None
    prometheus_auth: Annotated[str, AfterValidator(a_sign_in), words(PrometheusAuth)] | None = None
    prometheus_user: Line = None
    prometheus_secret: Hidden = None
    prometheus_ca_pem: Pem = None
    prometheus_tenant_header: Line = None
    prometheus_tenant: Line = None
    prometheus_matchers: Line = None
    allowed_namespaces: Annotated[list[Named], Field(max_length=50)] | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=64)] | None = None


class RegisterCluster(ChangeCluster):
    """A new cluster: a kubeconfig, or an address with a token."""

    name: Named


class AcceptIdentity(Strict):
    """The identity that the caller saw answering."""

    identity: Annotated[Text, StringConstraints(min_length=1, max_length=64)]


class ForgetCluster(Strict):
    """Its name, against mistakes."""

    name: Named


class AddMember(Strict):
    """Who joins: either a user, by user name or e-mail address, or a group by its name."""

    user: Annotated[Text, StringConstraints(min_length=1, max_length=254)] | None = None
    group: Annotated[Text, StringConstraints(min_length=1, max_length=150)] | None = None
    role: Held

    @model_validator(mode="after")
    def one_holder(self) -> Self:
        if (self.user is None) == (self.group is None):
            raise ValueError("give either a user or a group")
        return self


class ChangeRole(Strict):
    """Another role."""

    role: Held
