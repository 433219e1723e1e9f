"""Acts on projects and their members. Who may do them is the door's question; what is possible is answered here."""

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction

from deployments import audit, stream
from deployments.choices import Action, Role
from deployments.difference import change
from deployments.models import Cluster, Membership, Project
from deployments.services.idempotency import once
from deployments.services.refusals import InUse, LastAdmin, NothingChanged
from deployments.services.saving import clean, save

if TYPE_CHECKING:
    from llmdash.accounts.models import User


TAKEN = {"name": "Another project has this name.", "namespace": "Another project has this namespace of the cluster."}
AT_THIS_MOMENT = {"name": "Somebody took this name or namespace at this moment."}


def create_project(
    *, name: str, cluster: Cluster, namespace: str, by: "User", create_namespace: bool = False, key: str = ""
) -> Project:  # fmt: skip
    """Make a project of a namespace of a cluster. Raises ValidationError by field."""

    def make() -> Project:
        made = Project(name=name, cluster=cluster, namespace=namespace, create_namespace=create_namespace)
        clean(made, TAKEN)
        save(made, AT_THIS_MOMENT, force_insert=True)
        audit.record(by, Action.CREATE_PROJECT, made, project=made, cluster=cluster.name, namespace=namespace)
        tell(made)
        return made

    fingerprint = ["create project", name, str(cluster.pk), namespace, create_namespace]
    with transaction.atomic():
        return once(Project, make, by=by, key=key, fingerprint=fingerprint)


def rename_project(*, project: Project, name: str, by: "User") -> Project:
    """Give a project another name; nothing in the cluster restarts for it. Raises ValidationError, NothingChanged."""
    with transaction.atomic():
        locked = lock(project)
        if name == locked.name:
            raise NothingChanged("The project has this name already.")
        before, locked.name = locked.name, name
        clean(locked, TAKEN)
        save(locked, AT_THIS_MOMENT, update_fields=["name"])
        audit.record(by, Action.CHANGE, locked, project=locked, changes=[change("name", before, name)])
        tell(locked)
    return locked


def remove_project(*, project: Project, by: "User") -> None:
    """Forget a project that holds nothing; its namespace stays. Raises InUse."""
    with transaction.atomic():
        locked = lock(project)
        living = list(locked.deployments.filter(gone_at__isnull=True).values_list("name", flat=True))
        if living:
            raise InUse(f"The project still holds {', '.join(sorted(living)[:5])}; delete its deployments first.")
        tombstones = locked.deployments.count()
        if tombstones:
            raise InUse(
                f"Objects of {tombstones} deleted deployment{'s' if tombstones > 1 else ''} are looked for "
                "until the tombstones are forgotten; the project can be removed after that."
            )
        members = [str(row) for row in locked.memberships.select_related("user", "group")]
        audit.record(by, Action.REMOVE, locked, memberships=members)
        tell(locked)
        locked.delete()


def add_member(
    *, project: Project, role: Role, by: "User", user: "User | None" = None, group: "Group | None" = None,
    key: str = "",
) -> Membership:  # fmt: skip
    """Give a user or a group a role. Raises ValidationError for one who has a role here already."""

    def make() -> Membership:
        lock(project)
        made = Membership(project=project, user=user, group=group, role=role)
        made.full_clean()
        save(made, {"role": "This member was added at this moment."}, force_insert=True)
        audit.record(by, Action.ADD, made, project=project, member=made.holder, role=str(role))
        tell(project)
        return made

    who = [user.pk if user else None, group.pk if group else None]
    with transaction.atomic():
        return once(Membership, make, by=by, key=key, fingerprint=["add member", str(project.pk), str(role), *who])


def change_role(*, membership: Membership, role: Role, by: "User") -> Membership:
    """Give a member another role. Raises NothingChanged, LastAdmin."""
    with transaction.atomic():
        locked = lock_member(membership)
        if locked.role == role:
            raise NothingChanged("The member has this role already.")
        keep_an_admin(locked, by)
        before, locked.role = locked.role, role
        locked.save(update_fields=["role"])
        changed = [change("role", before, str(role))]
        audit.record(by, Action.CHANGE, locked, project=locked.project, member=locked.holder, changes=changed)
        tell(locked.project)
    return locked


def remove_member(*, membership: Membership, by: "User") -> None:
    """Take a member's role away. Raises LastAdmin."""
    with transaction.atomic():
        locked = lock_member(membership)
        keep_an_admin(locked, by)
        detail = {"member": locked.holder, "role": locked.role}
        audit.record(by, Action.REMOVE, locked, project=locked.project, **detail)
        tell(locked.project)
        locked.delete()


def person(name: str) -> "User | None":
    """The active person of that user name. Addresses do not count: people write their own, and nobody checks them."""
    return get_user_model().objects.filter(username=name, is_active=True).first()


def group(name: str) -> "Group | None":
    """The group of that name."""
    return Group.objects.filter(name=name).first()


def keep_an_admin(membership: Membership, by: "User") -> None:
    """Raise when a project admin would leave the project without one; a platform admin may."""
    if membership.role != Role.ADMIN or by.is_superuser:
        return
    others = Membership.objects.filter(project=membership.project, role=Role.ADMIN).exclude(pk=membership.pk)
    if not others.exists():
        raise LastAdmin("A project keeps one admin: make somebody else admin first.")


def lock(project: Project) -> Project:
    """The row, held until the end of the transaction: nothing of a project changes without it."""
    return Project.objects.select_for_update(of=("self",)).select_related("cluster").get(pk=project.pk)


def lock_member(membership: Membership) -> Membership:
    """The row with its project held, so that two admins cannot remove each other at once."""
    project = lock(membership.project)
    try:
        row = Membership.objects.select_related("user", "group").get(pk=membership.pk, project=project)
    except Membership.DoesNotExist as error:
        raise ValidationError("This member was removed meanwhile.") from error
    row.project = project
    return row


def tell(project: Project) -> None:
    """After the commit: open pages show it."""
    stream.publish(stream.PROJECT, [project.pk])
