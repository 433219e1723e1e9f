"""Every value with a meaning for people: its word, colour and icon stand together here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


@dataclass(frozen=True)
class Look:
    """How a value is shown. `colour` names a tone of the style sheet, `icon` a symbol of the sprite."""

    label: str
    colour: str
    icon: str


class Shown(StrEnum):
    """A string enum whose members carry a Look."""

    look: Look

    def __new__(cls, value: str, label: str = "", colour: str = "", icon: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.look = Look(label, colour, icon)
        return member

    @property
    def label(self) -> str:
        return self.look.label

    @property
    def colour(self) -> str:
        return self.look.colour

    @property
    def icon(self) -> str:
        return self.look.icon

    @classmethod
    def pairs(cls) -> list[tuple[str, str]]:
        """(value, label) for a model field's choices."""
        return [(member.value, member.label) for member in cls]


class Role(Shown):
    """What a person may do in a project; each is a ServiceAccount in the project's namespace."""

    VIEWER = "viewer", "Viewer", "grey", "eye"
    OPERATOR = "operator", "Operator", "blue", "tool"
    ADMIN = "admin", "Admin", "purple", "shield"


class Outcome(Shown):
    """What the API server said when a Revision was applied."""

    PENDING = "pending", "Pending", "blue", "clock"
    APPLIED = "applied", "Applied", "grey", "check"
    PARTIAL = "partial", "Partly applied", "orange", "alert-triangle"
    REFUSED = "refused", "Refused", "red", "x"
    SUPERSEDED = "superseded", "Superseded", "grey", "arrow-right"


class DriftPolicy(Shown):
    """What happens when somebody else changes or removes an object of ours."""

    HEAL = "heal", "Heal: put it back", "green", "refresh"
    ADOPT = "adopt", "Adopt: make a revision of it", "blue", "arrow-down"
    LEAVE = "leave", "Leave: only show it", "grey", "eye"


class Problem(Shown):
    """Why a row is not applied yet, by what has to happen next."""

    WAIT = "wait", "Waits for an edit", "red", "alert-triangle"
    BACK_OFF = "back-off", "Trying again", "orange", "refresh"
    CLUSTER = "cluster", "Cluster refuses us", "red", "plug"
    CONTESTED = "contested", "Contested", "orange", "users"
    POISON = "poison", "Parked", "red", "alert-triangle"
    NEWER = "newer", "Cluster is newer", "orange", "clock"


# Reasons of an error for which others' changes stand in the way, and a person can take over.
BY_OTHERS = ("FieldConflict", "Removed")


class Newer(Shown):
    """What holds when the cluster has a revision that the database does not know."""

    ADOPT = "adopt", "Adopt what runs", "blue", "arrow-down"
    APPLY = "apply", "Apply what the database knows", "orange", "refresh"
    LEAVE = "leave", "Leave it as it runs", "grey", "eye"


class Health(Shown):
    """What the watcher saw, worst knowledge first: the first that holds is the word."""

    UNKNOWN = "unknown", "Unknown", "grey", "help"
    STOPPED = "stopped", "Stopped", "grey", "player-stop"
    FAILING = "failing", "Failing", "red", "x"
    WAITING = "waiting", "Waiting", "orange", "hourglass"
    STARTING = "starting", "Starting", "blue", "loader"
    DEGRADED = "degraded", "Degraded", "orange", "alert-triangle"
    SERVING = "serving", "Serving", "green", "check"

    @property
    def rank(self) -> int:
        """0 for unknown, 6 for serving: the order of precedence."""
        return list(Health).index(self)


class Connection(Shown):
    """How the connection to a cluster is."""

    NEVER = "never", "Not connected yet", "grey", "clock"
    CONNECTED = "connected", "Connected", "green", "check"
    UNREACHABLE = "unreachable", "Unreachable", "red", "plug"
    REJECTED = "rejected", "Credentials rejected", "red", "lock"
    CERTIFICATE = "certificate", "Certificate not trusted", "red", "shield"
    WRONG = "wrong", "Not a Kubernetes API", "red", "alert-triangle"
    OTHER = "other", "Another cluster", "red", "alert-triangle"


REFUSING = (Connection.REJECTED, Connection.CERTIFICATE, Connection.OTHER)  # nothing is tried until a person acts


class PrometheusAuth(Shown):
    """How llmdash shows Prometheus who it is."""

    NONE = "none", "No sign-in", "grey", "lock"
    BASIC = "basic", "User and password", "grey", "lock"
    TOKEN = "token", "Bearer token", "grey", "lock"


class Sign(Shown):
    """Whether a condition of a cluster is well."""

    WELL = "well", "OK", "green", "check"
    WARNING = "warning", "Look at this", "yellow", "alert-triangle"
    BAD = "bad", "Not OK", "red", "alert-circle"
    UNKNOWN = "unknown", "Unknown", "grey", "help"


class Stage(Shown):
    """The stages of a pod on its way to serve."""

    PENDING = "pending", "Waiting for a node", "orange", "hourglass"
    SCHEDULED = "scheduled", "Scheduled", "blue", "arrow-right"
    PULLING = "pulling", "Pulling the image", "blue", "download"
    LOADING = "loading", "Loading the weights", "blue", "loader"
    READY = "ready", "Ready", "green", "check"
    FAILED = "failed", "Failed", "red", "x"
    STOPPING = "stopping", "Stopping", "grey", "player-stop"


class Action(Shown):
    """What was done, as the audit names it, and in the words of a page: who "scaled" what."""

    CREATE = "create", "created"
    REVISE = "revise", "revised"
    SCALE = "scale", "scaled"
    STOP = "stop", "stopped"
    START = "start", "started"
    RESTART = "restart", "restarted"
    ROLL_BACK = "roll back", "rolled back"
    DELETE = "delete", "deleted"
    TAKE_OVER = "take over", "took over"
    TRY_AGAIN = "try again", "tried again"
    ADOPT = "adopt", "adopted"
    ADOPT_OBJECT = "adopt object", "adopted the object"
    ADOPT_NEWER = "adopt newer", "adopted what runs"
    APPLY_OVER = "apply over newer", "applied over what ran"
    LEAVE_NEWER = "leave newer", "left as it runs"
    HEAL = "heal", "healed"
    TAKE_FIELD = "take field", "took a field"
    CONTEST = "contested", "found contested"
    REMOVE_ORPHAN = "remove orphan", "removed an orphan"
    SECRET = "write secret", "wrote a secret"
    POLICY = "set drift policy", "set the drift policy"
    ADD = "add", "added"
    CHANGE = "change", "changed"
    REMOVE = "remove", "removed"
    ACCEPT = "accept identity", "accepted the identity"
    REGISTER = "register cluster", "registered the cluster"
    CHANGE_CLUSTER = "change cluster", "changed the cluster"
    FORGET = "forget cluster", "forgot the cluster"
    CREATE_PROJECT = "create project", "created the project"
    PASSWORD = "set password", "set the password"
    MAKE_TOKEN = "make token", "made a token"
    REVOKE_TOKEN = "revoke token", "revoked a token"
