"""What a Kubernetes API says when it does not do what was asked, in three kinds: see `choices.Problem`.

Status codes and reasons: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import urllib3

from deployments.choices import Connection, Problem


@dataclass(frozen=True)
class Cause:
    """One `details.causes[]` of a Status: the field, and the manager that owns it when it is a conflict."""

    field: str
    message: str
    reason: str

    @property
    def manager(self) -> str:
        """The rival of a field conflict, from `conflict with "NAME" using apps/v1`."""
        return self.message.split('"')[1] if self.message.startswith("conflict with") and '"' in self.message else ""


@dataclass(eq=False)
class KubeError(Exception):
    """A refusal or a failure. `message` is the server's own words."""

    message: str
    status: int = 0
    reason: str = ""
    causes: list[Cause] = field(default_factory=list)
    retry_after: float | None = None

    def __str__(self) -> str:
        return self.message

    @property
    def problem(self) -> Problem:
        """What has to happen next."""
        if self.status == 401:
            return Problem.CLUSTER
        if "etcdserver: request is too large" in self.message:
            return Problem.WAIT  # comes as a 500, but trying again does not help
        stale = self.status == 409 and not self.causes
        if self.status in (0, 408, 429) or self.status >= 500 or stale:
            return Problem.BACK_OFF
        return Problem.WAIT

    @property
    def is_absence(self) -> bool:
        """Whether a Kubernetes API says that there is no such object; a bare 404 of something else does not."""
        return self.status == 404 and self.reason == "NotFound"

    @property
    def connection(self) -> Connection:
        """How the connection to the cluster is, judged by this error."""
        if self.status == 401:
            return Connection.REJECTED
        return Connection.UNREACHABLE if self.status == 0 else Connection.CONNECTED


class Unreachable(KubeError):
    """No answer: refused, timed out, unknown host, broken off."""


class NotTrusted(KubeError):
    """TLS failed: expired, unknown authority or another host's certificate. Never falls back to insecure."""

    @property
    def problem(self) -> Problem:
        return Problem.CLUSTER

    @property
    def connection(self) -> Connection:
        return Connection.CERTIFICATE


class NotKubernetes(KubeError):
    """Something answers there, but no Kubernetes API."""

    @property
    def problem(self) -> Problem:
        return Problem.CLUSTER

    @property
    def connection(self) -> Connection:
        return Connection.WRONG


class AnotherCluster(KubeError):
    """The API server is another cluster's than the one that we know by this name."""

    @property
    def problem(self) -> Problem:
        return Problem.CLUSTER

    @property
    def connection(self) -> Connection:
        return Connection.OTHER


class FieldConflict(KubeError):
    """Other managers own fields that we want to set."""


@dataclass(eq=False)
class Stranger(KubeError):
    """An object of that name exists and is not ours: which, by `kind/name` and uid."""

    object: str = ""
    uid: str = ""

    @property
    def problem(self) -> Problem:
        return Problem.WAIT


@dataclass(eq=False)
class Superseded(KubeError):
    """The object in the cluster was applied for a newer Revision than ours, or for one of the same number that we do
    not know: `revision`."""

    revision: int = 0

    @property
    def problem(self) -> Problem:
        return Problem.NEWER


class Gone(KubeError):
    """410: the resourceVersion is too old; list again."""


class StatusCause(msgspec.Struct):
    field: str | None = None
    message: str | None = None
    reason: str | None = None


class StatusDetails(msgspec.Struct):
    causes: list[StatusCause] | None = None


class Status(msgspec.Struct):
    """The body of an error answer, as far as we read it."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: StatusDetails | None = None


STATUSES = msgspec.json.Decoder(Status)  # made at import, see `watch`
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)  # msgspec raises the latter for text that is no UTF-8
MAX_RETRY_AFTER = 3600  # seconds
MAX_MESSAGE = 4000  # characters


def from_response(status: int, body: bytes, headers: Any) -> KubeError:
    """Translate an answer of 400 or more."""
    try:
        said = STATUSES.decode(body)
    except UNREADABLE:
        said = Status()
    if said.kind != "Status" and status < 500 and status not in (401, 403, 429):
        return NotKubernetes(f"The server answered {status} and nothing a Kubernetes API would say.", status)
    told = (said.details and said.details.causes) or []
    causes = [Cause(cause.field or "", cause.message or "", cause.reason or "") for cause in told]
    kind = KubeError
    if status == 410:
        kind = Gone
    elif status == 409 and any(cause.reason == "FieldManagerConflict" for cause in causes):
        kind = FieldConflict
    message = said.message[:MAX_MESSAGE] or f"The server answered {status}."
    return kind(message, status, said.reason, causes, seconds(headers.get("Retry-After", "")))


def seconds(after: str) -> float | None:
    """A Retry-After header; a date or nonsense counts as none, an age as an hour."""
    if not (after.isascii() and after.isdigit()):
        return None
    return float(min(MAX_RETRY_AFTER, int(after[:9])))


def from_transport(error: Exception) -> KubeError:
    """Translate what urllib3 raised."""
    text = str(error)
    if "EOF occurred in violation of protocol" in text:  # whoever stands there hung up before it showed a certificate
        return Unreachable(CLOSED)
    if isinstance(error, urllib3.exceptions.SSLError) or "SSLError" in text or "CERTIFICATE" in text.upper():
        sentence = certificate_sentence(text)
        return (NotKubernetes if sentence == NO_TLS else NotTrusted)(sentence)
    # A refused connection and an unknown name are time-outs too, by urllib3's classes: the signs come first.
    for sign, sentence in SIGNS.items():
        if sign in text:
            return Unreachable(sentence)
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return Unreachable("The API server's host name is not known.")
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return Unreachable("The connection to the API server failed.")
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return Unreachable("The API server could not be reached in time.")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return Unreachable("The API server did not answer in time.")
    return Unreachable("The connection to the API server failed.")


NO_TLS = "The API server does not speak TLS on this port."
CLOSED = "The API server closed the connection."
SIGNS = {
    "Connection refused": "The API server refuses connections.",
    "No route to host": "There is no way to the API server's host.",
    "RemoteDisconnected": CLOSED,
    "Connection reset": CLOSED,
    "IncompleteRead": CLOSED,
    "Failed to parse:": "The API server's address cannot be read.",
}


def certificate_sentence(text: str) -> str:
    """Which of the things that can be wrong with a certificate is wrong."""
    lower = text.lower()
    if "certificate has expired" in lower:
        return "The API server's certificate has expired."
    if "not yet valid" in lower:
        return "The API server's certificate is not valid yet; compare the clocks."
    if "hostname mismatch" in lower or "doesn't match" in lower or "ip address mismatch" in lower:
        return "The API server's certificate belongs to another host name."
    if "unable to get local issuer" in lower or "self-signed" in lower or "self signed" in lower:
        return "The API server's certificate was not signed by the given CA."
    if "bad signature" in lower or "signature failure" in lower:
        return "The API server's certificate was not signed by the given CA."
    if "wrong version number" in lower or "record layer" in lower:
        return NO_TLS
    if "alert" in lower:
        return "The API server refused our client certificate."
    return "The TLS connection to the API server failed."
