"""Forms of the acts."""

from typing import Any

from django import forms

from deployments.choices import DriftPolicy, Newer
from deployments.forms.deployment import bounded
from deployments.forms.reason import ReasonField
from deployments.forms.seen import SeenForm


class ActForm(SeenForm):
    """What every act that makes a Revision may carry."""

    reason = ReasonField()
    idempotency_key = forms.CharField(max_length=200, widget=forms.HiddenInput, required=False)


class ScaleForm(ActForm):
    """How many replicas; the spec judges the number."""

    replicas = forms.IntegerField(min_value=0)
    field_order = ("replicas", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bounded(self.fields["replicas"], "replicas")


class NameForm(forms.Form):
    """The name, typed again."""

    confirm = forms.CharField(label="Type the name to confirm")

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = name

    def clean_confirm(self) -> str:
        """Only the very name will do."""
        if self.cleaned_data["confirm"] != self.wanted:
            raise forms.ValidationError(f"This is not {self.wanted}.")
        return self.wanted


class DeleteForm(NameForm, SeenForm):
    """The name of a deployment, typed again by somebody who saw its newest revision, and why."""

    reason = ReasonField(help_text="Kept in the audit.")


class BulkForm(forms.Form):
    """Several deployments at once. What cannot be undone asks for the act and its number in words."""

    reason = ReasonField()
    confirm = forms.CharField(required=False)

    def __init__(self, *args: Any, word: str, count: int, danger: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = f"{word} {count}"
        self.fields["confirm"].label = f"Type “{self.wanted}” to confirm"
        if not danger:
            del self.fields["confirm"]

    def clean_confirm(self) -> str:
        """Only these very words will do."""
        if self.cleaned_data["confirm"].strip() != self.wanted:
            raise forms.ValidationError(f"This is not “{self.wanted}”.")
        return self.wanted


class TakeOverForm(forms.Form):
    """Nothing to fill in. Whichever revision is the newest is the one that wins, so none is remembered here."""


class NewerForm(SeenForm):
    """What holds, where the cluster is newer than the database."""

    choice = forms.ChoiceField(choices=Newer.pairs(), label="What holds")


class PolicyForm(forms.Form):
    """One of the drift policies. It is no part of a revision: whoever chooses last decides, whatever was revised."""

    policy = forms.ChoiceField(choices=DriftPolicy.pairs(), label="When others change it")
