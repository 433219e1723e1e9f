"""Who asks the API."""

from rest_framework import authentication
from rest_framework.request import Request


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, with the CSRF token on unsafe methods; others are told how to sign in (401)."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="llmdash"'
