"""The admin site: who gets in, what can be read there, and that every page works under the content policy."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from deployments.choices import Role
from deployments.models import AuditEntry, ClusterStatus, Membership, Project, SecretValue
from llmdash.accounts.models import User
from tests import stage

pytestmark = pytest.mark.django_db
READ_ONLY = (
    "auditentry", "deployment", "revision", "appliedobject", "secretvalue", "clusterstatus", "nodestatus",
    "deploymentstatus",
)  # fmt: skip


@pytest.fixture
def team() -> Project:
    return stage.project()


# ---- who gets in


def test_the_anonymous_are_sent_to_the_one_sign_in(client: Client) -> None:
    for page in ("/admin/", "/admin/login/", "/admin/deployments/cluster/"):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=/admin/")


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
@pytest.mark.parametrize("page", ["/admin/", "/admin/login/", "/admin/deployments/cluster/", "/admin/jsi18n/"])
def test_only_platform_admins_get_in(client: Client, flags: dict[str, bool], page: str) -> None:
    client.force_login(stage.user("ada", **flags))
    assert client.get(page).status_code == 403


def test_a_project_admin_does_not_get_in(client: Client, team: Project) -> None:
    client.force_login(stage.member(team, "pat", Role.ADMIN))
    assert client.get("/admin/").status_code == 403


def test_a_platform_admin_gets_in_without_the_staff_flag(office: Client) -> None:
    assert office.get("/admin/").status_code == 200
    assert office.get("/admin/login/")["Location"] == "/admin/"


# ---- pages


def test_every_page_of_the_admin_opens_and_runs_no_inline_script(office: Client, boss: User, team: Project) -> None:
    made = stage.deployment(team, boss)
    SecretValue.objects.filter(project=team).delete()
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist")]
        if row := model._default_manager.first():
            pages += [reverse(f"{name}_change", args=[row.pk]), reverse(f"{name}_history", args=[row.pk])]
        if model_admin.has_add_permission(office.get("/admin/").wsgi_request):
            pages.append(reverse(f"{name}_add"))
        for page in pages:
            answer = office.get(page)
            assert answer.status_code == 200, page
            assert "script-src 'self'" in answer["Content-Security-Policy"]
            assert inline(answer.content.decode()) == [], page
    assert made.pk


def inline(html: str) -> list[str]:
    """Scripts, styles and handlers that the content policy would stop."""
    scripts = [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag]
    return scripts + re.findall(r"<style|\sstyle=\"[^\"]*\"|\son[a-z]+=\"[^\"]*\"|href=\"javascript:[^\"]*\"", html)


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_was_recorded_is_only_shown(office: Client, boss: User, team: Project, model: str) -> None:
    stage.deployment(team, boss)
    model_admin = next(a for m, a in admin.site._registry.items() if m._meta.model_name == model)
    request = office.get("/admin/").wsgi_request
    assert model_admin.has_view_permission(request)
    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_change_permission(request)
    assert not model_admin.has_delete_permission(request)
    assert office.get(f"/admin/deployments/{model}/add/").status_code == 403
    row = model_admin.model._default_manager.first()
    if row is not None:
        page = f"/admin/deployments/{model}/{row.pk}"
        assert office.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
        assert office.post(f"{page}/change/", {}).status_code == 403
        assert model_admin.model._default_manager.filter(pk=row.pk).exists()


def test_a_secret_is_shown_without_its_value(office: Client, boss: User, team: Project) -> None:
    from deployments import services

    secret = services.store_secret(project=team, name="HF_TOKEN", value="canary-value", by=boss)
    page = office.get(f"/admin/deployments/secretvalue/{secret.pk}/change/").content.decode()
    assert "HF_TOKEN" in page
    assert "canary" not in page
    assert "ealed" not in page


def test_a_second_factor_is_shown_without_its_secret_and_can_be_taken_away(office: Client) -> None:
    from allauth.mfa.models import Authenticator

    ada = stage.user("ada")
    factor = Authenticator.objects.create(user=ada, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    page = f"/admin/mfa/authenticator/{factor.pk}"
    assert "JBSWY3DPEHPK3PXP" not in office.get(f"{page}/change/").content.decode()
    assert office.post(f"{page}/change/", {"data": "{}"}).status_code == 403
    assert office.post(f"{page}/delete/", {"post": "yes"}).status_code == 302
    assert AuditEntry.objects.filter(action="remove", target_kind="authenticator").count() == 1


# ---- projects and members


def members(team: Project, *rows: dict[str, object], initial: int = 0) -> dict[str, object]:
    """The fields of the project page with its members."""
    fields: dict[str, object] = {"name": team.name, "cluster": team.cluster_id, "namespace": team.namespace}
    fields |= {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        fields |= {f"memberships-{number}-{key}": value for key, value in row.items()}
    return fields


def change(team: Project) -> str:
    return f"/admin/deployments/project/{team.pk}/change/"


def test_giving_changing_and_taking_a_role_are_each_audited(office: Client, team: Project) -> None:
    ada = stage.user("ada")
    office.post(change(team), members(team, {"user": ada.pk, "role": "viewer"}))
    membership = Membership.objects.get(user=ada)
    row = {"id": membership.pk, "project": team.pk, "user": ada.pk, "role": "operator"}
    office.post(change(team), members(team, row, initial=1))
    assert team.role_of(ada) is Role.OPERATOR
    office.post(change(team), members(team, row | {"DELETE": "on"}, initial=1))
    assert team.role_of(ada) is None
    entries = AuditEntry.objects.filter(target_kind="membership").order_by("id")
    assert [entry.action for entry in entries] == ["add", "change", "remove"]
    assert all(entry.actor_name == "boss" and entry.project_id == team.pk for entry in entries)
    assert {"field": "user", "before": None, "after": "ada"} in entries[0].detail["changes"]
    assert entries[1].detail["changes"] == [{"field": "role", "before": "viewer", "after": "operator"}]
    assert entries[2].target_name == "ada: operator of team"


def test_an_unchanged_page_writes_no_audit(office: Client, team: Project) -> None:
    assert office.post(change(team), members(team)).status_code == 302
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("both", [True, False])
def test_a_member_is_either_a_user_or_a_group(office: Client, team: Project, both: bool) -> None:
    ada, group = stage.user("ada"), Group.objects.create(name="g")
    row: dict[str, object] = {"user": ada.pk, "group": group.pk, "role": "viewer"} if both else {"role": "viewer"}
    answer = office.post(change(team), members(team, row))
    assert "Choose either a user or a group." in answer.content.decode()
    assert not Membership.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_second_role_for_the_same_person_is_refused_beside_the_form(office: Client, team: Project) -> None:
    ada = stage.member(team, "ada", Role.VIEWER)
    membership = Membership.objects.get(user=ada)
    first = {"id": membership.pk, "project": team.pk, "user": ada.pk, "role": "viewer"}
    answer = office.post(change(team), members(team, first, {"user": ada.pk, "role": "admin"}, initial=1))
    assert answer.status_code == 200
    assert Membership.objects.count() == 1


def test_a_group_gives_its_role_to_its_members_and_who_is_in_it_is_audited(office: Client, team: Project) -> None:
    ada = stage.user("ada")
    fields = {
        "name": "llm-team", "members": [ada.pk],
        "membership_set-TOTAL_FORMS": 1, "membership_set-INITIAL_FORMS": 0,
        "membership_set-0-project": team.pk, "membership_set-0-role": "operator",
    }  # fmt: skip
    assert office.post("/admin/auth/group/add/", fields).status_code == 302
    assert team.role_of(ada) is Role.OPERATOR
    entry = AuditEntry.objects.get(target_kind="group")
    assert {"field": "members", "before": None, "after": ["ada"]} in entry.detail["changes"]
    assert AuditEntry.objects.filter(target_kind="membership", action="add").count() == 1


def test_a_project_is_made_and_removed_with_an_audit_entry_each(office: Client, team: Project) -> None:
    fields = members(team) | {"name": "lab", "namespace": "lab"}
    assert office.post("/admin/deployments/project/add/", fields).status_code == 302
    lab = Project.objects.get(name="lab")
    office.post(f"/admin/deployments/project/{lab.pk}/delete/", {"post": "yes"})
    assert not Project.objects.filter(name="lab").exists()
    assert [e.action for e in AuditEntry.objects.filter(target_name="lab").order_by("id")] == ["add", "remove"]


def test_a_project_with_deployments_is_kept(office: Client, boss: User, team: Project) -> None:
    stage.deployment(team, boss)
    before = AuditEntry.objects.count()
    office.post(f"/admin/deployments/project/{team.pk}/delete/", {"post": "yes"})
    assert Project.objects.filter(pk=team.pk).exists()
    assert AuditEntry.objects.count() == before


def test_a_project_with_deployments_stays_in_its_namespace(office: Client, boss: User, team: Project) -> None:
    stage.deployment(team, boss)
    office.post(change(team), members(team) | {"namespace": "elsewhere"})
    team.refresh_from_db()
    assert team.namespace == "team"


def test_an_audit_that_cannot_be_written_stops_the_change(
    office: Client, team: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deployments import audit

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(audit, "record", fail)
    ada = stage.user("ada")
    with pytest.raises(OSError, match="disk full"):
        office.post(change(team), members(team, {"user": ada.pk, "role": "admin"}))
    assert not Membership.objects.exists()


# ---- people


def person(user: User, **changed: object) -> dict[str, object]:
    """The fields of a person's page."""
    fields: dict[str, object] = {"username": user.username, "email": user.email, "is_active": "on"}
    return fields | {"membership_set-TOTAL_FORMS": 0, "membership_set-INITIAL_FORMS": 0} | changed


def test_making_somebody_a_platform_admin_is_audited(office: Client) -> None:
    ada = stage.user("ada")
    office.post(f"/admin/accounts/user/{ada.pk}/change/", person(ada, is_superuser="on"))
    entry = AuditEntry.objects.get(target_kind="user")
    assert entry.detail["changes"] == [{"field": "is_superuser", "before": False, "after": True}]


def test_a_platform_admin_cannot_shut_themselves_out(office: Client, boss: User) -> None:
    fields = person(boss)
    del fields["is_active"]
    office.post(f"/admin/accounts/user/{boss.pk}/change/", fields)
    boss.refresh_from_db()
    assert boss.is_active
    assert boss.is_superuser
    assert office.post(f"/admin/accounts/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    assert office.post("/admin/accounts/user/", chosen).status_code == 403
    assert User.objects.filter(pk=boss.pk).exists()


def test_a_new_person_and_a_new_password_are_audited_without_the_password(office: Client) -> None:
    word = "brand new battery"
    made = {"username": "ada", "password1": word, "password2": word, "usable_password": "true"}
    assert office.post("/admin/accounts/user/add/", made).status_code == 302
    ada = User.objects.get(username="ada")
    other = {"password1": word + "2", "password2": word + "2", "usable_password": "true"}
    assert office.post(f"/admin/accounts/user/{ada.pk}/password/", other).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(word + "2")
    entries = AuditEntry.objects.filter(target_kind="user").order_by("id")
    assert [entry.action for entry in entries] == ["add", "set password"]
    assert word not in str([entry.detail for entry in entries])


def test_removing_somebody_tells_which_roles_went(office: Client, team: Project) -> None:
    ada = stage.member(team, "ada", Role.OPERATOR)
    office.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"})
    entry = AuditEntry.objects.get(target_kind="user", action="remove")
    assert entry.detail == {"memberships": ["ada: operator of team"]}
    assert not User.objects.filter(pk=ada.pk).exists()


def test_another_cluster_is_accepted_by_an_audited_act(office: Client, team: Project) -> None:
    row = ClusterStatus.objects.create(cluster=team.cluster, identity="old", answering="new")
    chosen = {"action": "accept_identity", "_selected_action": [str(team.cluster.pk)]}
    answer = office.post("/admin/deployments/cluster/", chosen, follow=True)
    assert "is the cluster new from now on" in answer.content.decode()
    row.cluster.refresh_from_db()
    assert (row.cluster.identity, ClusterStatus.identity_of(row.cluster)) == ("new", "new")
    [entry] = AuditEntry.objects.filter(action="accept identity")
    assert entry.detail == {"before": "old", "after": "new"}
