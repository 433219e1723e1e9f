"""When credentials end, read from themselves. Pure."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509


def of(credentials: Mapping[str, str]) -> datetime | None:
    """The end of `{"token": …}` or `{"client_certificate": PEM, …}`; None when none is told in them."""
    if pem := credentials.get("client_certificate"):
        return of_certificate(pem)
    return of_token(credentials.get("token", ""))


def of_certificate(pem: str) -> datetime | None:
    """notAfter of the first certificate."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())[0].not_valid_after_utc
    except ValueError:
        return None


def of_token(token: str) -> datetime | None:
    """`exp` of a JSON web token (RFC 7519), as Kubernetes makes them; its signature is the API server's matter."""
    try:
        _, claims, _ = token.split(".")
        read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return datetime.fromtimestamp(int(read["exp"]), tz=UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError, binascii.Error):
        return None
