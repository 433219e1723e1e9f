"""Which role may do what in a project. Pure: the rows behind it are in models.project."""

from enum import StrEnum

from deployments.choices import Role


class Can(StrEnum):
    """A thing that a person may be allowed to do in a project."""

    VIEW = "view"
    LOGS = "logs"
    DEPLOY = "deploy"
    DELETE = "delete"
    MEMBERS = "members"


ROLE_CAN: dict[Role, frozenset[Can]] = {
    Role.VIEWER: frozenset({Can.VIEW, Can.LOGS}),
    Role.OPERATOR: frozenset({Can.VIEW, Can.LOGS, Can.DEPLOY, Can.DELETE}),
    Role.ADMIN: frozenset(Can),
}


def allowed(role: Role | None, can: Can) -> bool:
    """True when `role` includes `can`; nobody (None) may do nothing."""
    return role is not None and can in ROLE_CAN[role]


def strongest(roles: list[Role]) -> Role | None:
    """The strongest of several roles, None for none."""
    return max(roles, key=list(Role).index, default=None)
