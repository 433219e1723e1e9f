"""A namespace of a cluster, its members and what they may do."""

import uuid
from typing import TYPE_CHECKING, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from deployments.access import Can, allowed, strongest
from deployments.choices import Role
from deployments.models.cluster import dns_label

if TYPE_CHECKING:
    from llmdash.accounts.models import User


KUBERNETES_OWN = "kube-"  # https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: "User") -> Self:
        """Projects that the person is a member of, directly or by group; all for a platform admin."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        mine = Membership.objects.of(user).values("project")
        return self.filter(pk__in=mine)

    def where(self, user: "User", can: Can) -> Self:
        """Projects in which the person may do `can`."""
        if user.is_superuser and user.is_active:
            return self
        roles = [role for role in Role if allowed(role, can)]
        return self.visible_to(user).filter(pk__in=Membership.objects.of(user).filter(role__in=roles).values("project"))


class Project(models.Model):
    """One namespace of one cluster. The web writes what was wanted, the worker the `access_…` columns."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[dns_label])
    cluster = models.ForeignKey("deployments.Cluster", on_delete=models.PROTECT, related_name="projects")
    namespace = models.CharField(max_length=63, validators=[dns_label])
    create_namespace = models.BooleanField(default=False, help_text="Create the namespace when it does not exist.")
    created_at = models.DateTimeField(auto_now_add=True)
    access_ready_at = models.DateTimeField(null=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["cluster", "namespace"], name="one_project_a_namespace")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A cluster may be open to certain namespaces only, and Kubernetes' own are nobody's unless they are named."""
        if not self.cluster_id:
            return
        if not self.cluster.allows(self.namespace):
            allowed = ", ".join(self.cluster.allowed_namespaces)
            raise ValidationError({"namespace": f"Projects on {self.cluster} may have: {allowed}."})
        if not self._state.adding:
            return  # it has its namespace already
        if self.namespace.startswith(KUBERNETES_OWN) and self.namespace not in self.cluster.allowed_namespaces:
            text = "This namespace is Kubernetes' own. The allowed namespaces of the cluster can name it."
            raise ValidationError({"namespace": text})
        twins = self.cluster.twins().values("pk")
        if other := Project.objects.filter(cluster__in=twins, namespace=self.namespace).exclude(pk=self.pk).first():
            text = f"Project {other} has it: cluster {other.cluster} is the same one as {self.cluster}."
            raise ValidationError({"namespace": text})

    def role_of(self, user: "User") -> Role | None:
        """The person's strongest role here; a platform admin is admin everywhere."""
        if not user.is_active:
            return None
        if user.is_superuser:
            return Role.ADMIN
        roles = Membership.objects.of(user).filter(project=self).values_list("role", flat=True)
        return strongest([Role(role) for role in roles])

    def allows(self, user: "User", can: Can) -> bool:
        """Whether the person may do `can` here."""
        return allowed(self.role_of(user), can)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, user: "User") -> Self:
        """The memberships that a person holds, directly or by group."""
        return self.filter(Q(user=user) | Q(group__in=user.groups.all()))

    def roles(self, user: "User", projects: list[uuid.UUID]) -> dict[uuid.UUID, Role | None]:
        """The person's strongest role in each of these projects, by one query."""
        if user.is_superuser:
            return dict.fromkeys(projects, Role.ADMIN)
        held: dict[uuid.UUID, list[Role]] = {pk: [] for pk in projects}
        for pk, role in self.of(user).filter(project__in=projects).values_list("project", "role"):
            held[pk].append(Role(role))
        return {pk: strongest(found) for pk, found in held.items()}


class Membership(models.Model):
    """A user or a group holding a role in a project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, null=True, blank=True)
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, null=True, blank=True)
    role = models.CharField(max_length=20, choices=Role.pairs())

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["project", "role"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, group__isnull=False) | Q(user__isnull=False, group__isnull=True),
                name="member_is_user_or_group",
                violation_error_message="Choose either a user or a group.",
            ),
            models.UniqueConstraint(fields=["project", "user"], name="one_role_a_user"),
            models.UniqueConstraint(fields=["project", "group"], name="one_role_a_group"),
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.role} of {self.project}"

    @property
    def holder(self) -> str:
        """Who holds the role, by name."""
        return self.user.get_username() if self.user else str(self.group)
