"""Forms about one's own account."""

from typing import Any

from allauth.account.forms import LoginForm, ResetPasswordForm
from django import forms
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.urls import reverse
from django.utils.html import format_html

from llmdash.accounts.choices import Scope
from llmdash.accounts.services import default_days

LONGEST_LOGIN = 254  # of an e-mail address; databases refuse to look for very long texts
LONGEST_PASSWORD = 4096


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """Sign-in in our words, which offers no mail that nobody sends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password, remember = (self.fields[name] for name in ("login", "password", "remember"))
        login.label, remember.label = "User name or e-mail", "Stay signed in"
        login.widget.attrs["autocomplete"] = "username"
        limit(login, LONGEST_LOGIN)
        limit(password, LONGEST_PASSWORD)
        for field in (login, password):
            field.widget.attrs.pop("placeholder", None)
        password.help_text = forgotten()


class ForgottenForm(ResetPasswordForm):  # type: ignore[misc]  # likewise
    """Asking for a letter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit(self.fields["email"], LONGEST_LOGIN)


def limit(field: forms.CharField, size: int) -> None:
    """Take no longer text."""
    field.max_length = size
    field.validators.append(MaxLengthValidator(size))


def forgotten() -> str:
    """What to do about a forgotten password: a letter needs a mail server, which only settings can name."""
    if settings.is_overridden("EMAIL_HOST"):
        return format_html('<a href="{}">Forgot your password?</a>', reverse("account_reset_password"))
    return format_html("Forgotten? A platform admin or <code>{}</code> sets a new one.", "llmdash admin-password")


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
