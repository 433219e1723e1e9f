"""The demo's people: one for each role."""

from typing import NamedTuple

from deployments.choices import Role
from deployments.models import Membership, Project
from llmdash.accounts.models import User
from llmdash.accounts.services import random_password


class Person(NamedTuple):
    """A user name, the role in the project (None: platform admin), and what that means."""

    name: str
    role: Role | None
    may: str


PEOPLE = [
    Person("admin", None, "platform admin: clusters, people, every project"),
    Person("project-admin", Role.ADMIN, "admin of the project"),
    Person("operator", Role.OPERATOR, "deploys"),
    Person("viewer", Role.VIEWER, "reads"),
]


def make() -> list[tuple[Person, str]]:
    """Make those who are missing; each with the password that is shown this once."""
    there = set(User.objects.filter(username__in=[person.name for person in PEOPLE]).values_list("username", flat=True))
    return [(person, _make_one(person)) for person in PEOPLE if person.name not in there]


def _make_one(person: Person) -> str:
    password = random_password()
    create = User.objects.create_user if person.role else User.objects.create_superuser
    create(person.name, password=password)
    return password


def join(project: Project) -> None:
    """Give each their role in a new project."""
    users = {user.username: user for user in User.objects.filter(username__in=[person.name for person in PEOPLE])}
    for person in PEOPLE:
        if person.role and person.name in users:
            Membership.objects.get_or_create(project=project, user=users[person.name], defaults={"role": person.role})
