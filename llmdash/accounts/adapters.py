"""How sign-in behaves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by a platform admin; nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        f"{name}_password_mismatch": "The user name, the e-mail or the password is not correct."
        for name in ("username", "email")
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
