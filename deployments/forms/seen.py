"""What a form remembers of the moment when its page was opened."""

from typing import Any

from django import forms

LOST = "This form has lost track of what it began with. Open its page again."


class SeenForm(forms.Form):
    """A form that says which revision its reader saw, in a field that nobody sees.

    A page that was opened before this field existed does not say it; then nobody is asked twice.
    """

    if_revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def clean(self) -> dict[str, Any]:
        """What is wrong with a field that nobody sees is said above the form."""
        data = super().clean() or {}
        if hidden := [field.name for field in self.hidden_fields() if field.name in self.errors]:
            for name in hidden:
                del self.errors[name]
            self.add_error(None, LOST)
        return data

    def retype(self, **values: str) -> None:
        """Put other values into the form that goes back to the browser."""
        self.data = dict(self.data.items()) | values
