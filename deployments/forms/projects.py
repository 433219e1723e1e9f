"""Forms of projects and their members."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Group

from deployments import services
from deployments.choices import Role
from deployments.forms.seen import KeyedForm
from deployments.models import Cluster
from deployments.models.secret import MAX_SECRET_CHARS
from deployments.rules import KEPT_AS, KEPT_AS_RULE

if TYPE_CHECKING:
    from llmdash.accounts.models import User


class ProjectForm(KeyedForm):
    """A new project; the row's own rules judge the names."""

    name = forms.CharField(max_length=63, help_text="Lower-case letters, digits and dashes.")
    cluster = forms.ModelChoiceField(Cluster.objects.order_by("name"), empty_label=None)
    namespace = forms.CharField(max_length=63, help_text="One project has a namespace of a cluster for itself.")
    create_namespace = forms.BooleanField(required=False, label="Create the namespace when it does not exist")


class RenameForm(forms.Form):
    """Another name."""

    name = forms.CharField(max_length=63)


ROLES = Role.pairs()


class RoleForm(forms.Form):
    """One of the roles."""

    role = forms.ChoiceField(choices=ROLES)


class Untold(forms.Textarea):
    """What is typed here does not go back to the browser, not even beside a mistake."""

    def format_value(self, value: Any) -> str:
        return ""


class SecretForm(KeyedForm):
    """A value that nobody reads again."""

    name = forms.RegexField(
        KEPT_AS, max_length=253, error_messages={"invalid": f"{KEPT_AS_RULE[:1].upper()}{KEPT_AS_RULE[1:]}."},
        help_text="Written under a name that is there, the value is its next version.",
    )  # fmt: skip
    value = forms.CharField(
        max_length=MAX_SECRET_CHARS, strip=False, help_text="Nobody can read it again.",
        widget=Untold(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip

    def clean_value(self) -> str:
        """With the line ends of Unix, and none behind the last line: a browser sends others, and pasting adds one."""
        value = str(self.cleaned_data["value"]).replace("\r\n", "\n").removesuffix("\n")
        if not value:
            raise forms.ValidationError("This field is required.")
        return value


class MemberForm(KeyedForm):
    """Who joins, by name: people are not listed to those who do not know them."""

    kind = forms.ChoiceField(choices=[("user", "A person"), ("group", "A group")], label="Who joins")
    name = forms.CharField(max_length=254, label="Name")
    role = forms.ChoiceField(choices=ROLES)

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
