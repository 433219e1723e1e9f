"""Projects: who belongs to them, what they use, and the acts of their admins."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Max, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from deployments import glance, lines, services
from deployments.access import Can, allowed
from deployments.choices import Role
from deployments.forms import MemberForm, NameForm, ProjectForm, RenameForm, RoleForm
from deployments.models import AuditEntry, Membership, Project
from deployments.projects import MEMBER_SORTS, SORTS, counted, holding, members
from deployments.sorting import in_order
from deployments.views.asking import Done, ask
from deployments.views.common import Request, clean, is_fragment, only_platform_admins, posted
from deployments.views.list import Counted

PAGE_SIZE = 50
AUDIT_ROWS = 10
MOST_SECRETS = 200


def projects(request: Request) -> HttpResponse:
    """What may each group use, and what does it use?"""
    seen, filters = Project.objects.visible_to(request.user), read_filters(request)
    rows, clusters = counted(seen), per_cluster(seen)
    page = Paginator(chosen(rows, filters), PAGE_SIZE).get_page(request.GET.get("page"))
    roles = Membership.objects.roles(request.user, [row.pk for row in page.object_list])
    for row in page.object_list:
        row.role = roles.get(row.pk)
    context = {
        "page": page, "filters": filters, "clusters": clusters, "total": sum(count for _, count in clusters),
        "may_create": request.user.is_superuser,
    }  # fmt: skip
    template = "deployments/_projects.html" if is_fragment(request) else "deployments/projects.html"
    return render(request, template, context)


def per_cluster(rows: QuerySet[Project]) -> list[tuple[str, int]]:
    """How many projects each cluster has."""
    found = rows.order_by("cluster__name").values_list("cluster__name")
    return list(found.annotate(n=Count("pk", distinct=True)))


def read_filters(request: Request) -> dict[str, str]:
    """The state of the list from its address."""
    sort = request.GET.get("sort", "")
    given = {key: clean(request.GET.get(key, "")) for key in ("q", "cluster")}
    return given | {"sort": sort if sort.removeprefix("-") in SORTS else "name"}


def chosen(rows: QuerySet[Any], filters: dict[str, str]) -> QuerySet[Any]:
    """The projects that the filters leave, in order."""
    if filters["q"]:
        rows = holding(rows, filters["q"])
    if filters["cluster"]:
        rows = rows.filter(cluster__name=filters["cluster"])
    return in_order(rows, filters["sort"], SORTS)


def project(request: Request, pk: uuid.UUID) -> HttpResponse:
    """One project: members, deployments, use."""
    row = fetch(request, pk)
    role = row.role_of(request.user)
    living = glance.listed().visible_to(request.user).filter(project=row).order_by("name")
    page = Paginator(lines.values(living), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "project": row,
        "role": role,
        "can": {str(can): allowed(role, can) for can in Can},
        "page": page,
        "lines": lines.read(page.object_list),
        "audit": AuditEntry.objects.visible_to(request.user).filter(project=row)[:AUDIT_ROWS],
        "is_boss": request.user.is_superuser,
        "secrets": newest_secrets(row),
        **members_of(request, row),
    }
    template = "deployments/_project.html" if is_fragment(request) else "deployments/project.html"
    return render(request, template, context)


def newest_secrets(row: Project) -> list[Any]:
    """Each secret with its newest version, at most MOST_SECRETS."""
    found = row.secrets.order_by("name").values("name").annotate(version=Max("version"), at=Max("created_at"))
    return list(found[:MOST_SECRETS])


def members_of(request: Request, row: Any) -> dict[str, Any]:
    """A page of the members, and how it was asked for; its parameters are not those of the deployments beside it."""
    text, sort = clean(request.GET.get("member", "")), request.GET.get("by", "")
    sort = sort if sort.removeprefix("-") in MEMBER_SORTS else "role"
    rows, known = in_order(members(row, text), sort, MEMBER_SORTS), None if text else row.member_count
    found = Counted(rows, PAGE_SIZE, known=known)
    return {"members": found.get_page(request.GET.get("at")), "member": text, "by": sort}


def fetch(request: Request, pk: uuid.UUID, can: Can = Can.VIEW) -> Project:
    """The project: 404 when the person may not see it, 403 when they see it and may not do this."""
    row: Project = get_object_or_404(counted(Project.objects.visible_to(request.user)), pk=pk)
    if not row.allows(request.user, can):
        role = row.role_of(request.user)
        who = role.label.lower() if role else "nobody"
        may = "its admins" if can == Can.MEMBERS else "operators"
        raise PermissionDenied(f"You are {who} in project {row.name}; {may} may do this.")
    return row


def create_project(request: Request) -> HttpResponse:
    """A new project on a cluster."""
    only_platform_admins(request)
    form = ProjectForm(posted(request))

    def act() -> Done:
        data = form.cleaned_data
        made = services.create_project(
            name=data["name"], cluster=data["cluster"], namespace=data["namespace"], by=request.user,
            create_namespace=data["create_namespace"], key=data["idempotency_key"],
        )  # fmt: skip
        return at(made), f"{made.name} is made."

    page = {
        "title": "New project",
        "submit_label": "Create",
        "back": reverse("deployments:projects"),
        "back_label": "Projects",
    }
    return ask(request, form, act, page)


def rename_project(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Another name."""
    only_platform_admins(request)
    row = fetch(request, pk)
    form = RenameForm(posted(request), initial={"name": row.name})

    def act() -> Done:
        made = services.rename_project(project=row, name=form.cleaned_data["name"], by=request.user)
        return at(made), f"{made.name} has its new name."

    text = "Only the name changes: no pod restarts, and the namespace stays."
    return ask(request, form, act, of(row, f"Rename {row.name}", "Rename", text))


def remove_project(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Forget it; its namespace stays."""
    only_platform_admins(request)
    row = fetch(request, pk)
    form = NameForm(posted(request), name=row.name)

    def act() -> Done:
        services.remove_project(project=row, by=request.user)
        return reverse("deployments:projects"), f"Project {row.name} is removed."

    text = f"Its memberships and secrets go. The namespace {row.namespace} and its objects stay."
    page = of(row, f"Remove {row.name}", "Remove", text) | {"danger": True, "confirm_name": row.name}
    return ask(request, form, act, page)


def add_member(request: Request, pk: uuid.UUID) -> HttpResponse:
    """A user or a group joins."""
    row = fetch(request, pk, Can.MEMBERS)
    form = MemberForm(posted(request))

    def act() -> Done:
        role, key = Role(form.cleaned_data["role"]), form.cleaned_data["idempotency_key"]
        services.add_member(project=row, user=form.user, group=form.group, role=role, by=request.user, key=key)
        return at(row), f"{row.name} has a new member."

    text = "A person is found by user name, a group by its name."
    return ask(request, form, act, of(row, f"Add a member to {row.name}", "Add", text))


def change_role(request: Request, pk: uuid.UUID, member: uuid.UUID) -> HttpResponse:
    """Another role."""
    row = fetch(request, pk, Can.MEMBERS)
    found = get_object_or_404(members(row), pk=member)
    form = RoleForm(posted(request), initial={"role": found.role})

    def act() -> Done:
        services.change_role(membership=found, role=Role(form.cleaned_data["role"]), by=request.user)
        return at(row), f"{row.name} has a changed role."

    page = of(row, f"Role of {found.holder} in {row.name}", "Save", "")
    return ask(request, form, act, page)


def remove_member(request: Request, pk: uuid.UUID, member: uuid.UUID) -> HttpResponse:
    """A member leaves."""
    row = fetch(request, pk, Can.MEMBERS)
    found = get_object_or_404(members(row), pk=member)
    form = Form(posted(request))

    def act() -> Done:
        services.remove_member(membership=found, by=request.user)
        return at(row), f"{row.name} has one member less."

    text = f"{found.holder} no longer sees the project or its deployments; open pages notice within seconds."
    page = of(row, f"Remove {found.holder} from {row.name}", "Remove", text) | {"danger": True}
    return ask(request, form, act, page)


def at(row: Project) -> str:
    """The page of a project."""
    return reverse("deployments:project", args=[row.pk])


def of(row: Project, title: str, label: str, text: str) -> dict[str, Any]:
    """What the page of an act on a project says."""
    return {
        "title": title,
        "submit_label": label,
        "explanation": text,
        "back": at(row),
        "back_label": row.name,
    }
