"""Forms of projects and their members."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Group

from deployments import services
from deployments.choices import Role
from deployments.models import Cluster

if TYPE_CHECKING:
    from llmdash.accounts.models import User


class ProjectForm(forms.Form):
    """A new project; the row's own rules judge the names."""

    name = forms.CharField(max_length=63, help_text="Lower-case letters, digits and dashes.")
    cluster = forms.ModelChoiceField(Cluster.objects.order_by("name"), empty_label=None)
    namespace = forms.CharField(max_length=63, help_text="One project has a namespace of a cluster for itself.")
    create_namespace = forms.BooleanField(required=False, label="Create the namespace when it does not exist")


class RenameForm(forms.Form):
    """Another name."""

    name = forms.CharField(max_length=63)


class RoleForm(forms.Form):
    """One of the roles."""

    role = forms.ChoiceField(choices=Role.pairs())


class MemberForm(RoleForm):
    """Who joins, by name: people are not listed to those who do not know them."""

    kind = forms.ChoiceField(choices=[("user", "A person"), ("group", "A group")], label="Who joins")
    name = forms.CharField(max_length=254, label="Name")
    field_order = ("kind", "name", "role")

    user: "User | None" = None
    group: Group | None = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and data["kind"] == "group":
            self.group = services.group(data["name"])
        elif not self.errors:
            self.user = services.person(data["name"])
        if not self.errors and not (self.user or self.group):
            kind = "group" if data["kind"] == "group" else "active person"
            self.add_error("name", f"There is no {kind} of this name.")
        return data
