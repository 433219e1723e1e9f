"""What a form remembers of the moment when its page was opened."""

import uuid
from typing import Any

from django import forms

LOST = "This form has lost track of what it began with. Open its page again."


class RememberingForm(forms.Form):
    """A form with fields that nobody sees. What is wrong with one of them is said above the form."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if hidden := [field.name for field in self.hidden_fields() if field.name in self.errors]:
            for name in hidden:
                del self.errors[name]
            self.add_error(None, LOST)
        return data

    def retype(self, **values: str) -> None:
        """Put other values into the form that goes back to the browser."""
        self.data = dict(self.data.items()) | values


class SeenForm(RememberingForm):
    """A form that says which revision its reader saw.

    A page that was opened before this field existed does not say it; then nobody is asked twice.
    """

    if_revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)


def new_key() -> str:
    """An idempotency key of its own for each form that is shown."""
    return uuid.uuid4().hex


class KeyedForm(RememberingForm):
    """A form that makes something once, however often it is sent."""

    idempotency_key = forms.CharField(max_length=200, widget=forms.HiddenInput, required=False, initial=new_key)
