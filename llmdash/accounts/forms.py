"""Forms about one's own account."""

from typing import Any

from django import forms
from django.conf import settings

from llmdash.accounts.choices import Scope
from llmdash.accounts.services import default_days


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(max_length=100, help_text="Where it will be used, such as the name of a pipeline.")
    scope = forms.ChoiceField(choices=Scope.pairs(), label="May", help_text="Never more than you may yourself.")
    days = forms.IntegerField(min_value=1, label="Good for")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most, days = settings.LLMDASH["TOKEN_MAX_DAYS"], self.fields["days"]
        days.initial, days.help_text = default_days(), f"{most} at most."
        days.widget.attrs["max"] = most
        days.unit = "days"  # type: ignore[attr-defined]  # for the template
