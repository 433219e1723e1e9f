"""Who may call which route: the table that `test_access_matrix` holds against the routes and the answers."""

from typing import Any, NamedTuple

WHO = ("anonymous", "viewer", "operator", "admin", "stranger", "boss")


class Says(NamedTuple):
    """The status for each of WHO: the stranger is admin of another project, the boss platform admin."""

    anonymous: int
    viewer: int
    operator: int
    admin: int
    stranger: int
    boss: int


EVERYBODY = Says(200, 200, 200, 200, 200, 200)
SIGNED_IN = Says(302, 200, 200, 200, 200, 200)
ELSEWHERE = Says(302, 302, 302, 302, 302, 302)

PAGE = Says(302, 200, 200, 200, 404, 200)  # read in a project
ASK = Says(302, 403, 200, 200, 404, 200)  # the page of an act
DO = Says(302, 403, 302, 302, 404, 302)  # the act

MANAGE = Says(302, 403, 403, 200, 404, 200)  # members, by the project's admins
MANAGE_REFUSED = Says(302, 403, 403, 422, 404, 422)
MANAGE_DOES = Says(302, 403, 403, 302, 404, 302)
BOSS = Says(302, 403, 403, 403, 403, 200)  # platform admins only, whether the row is there or not
BOSS_REFUSED = Says(302, 403, 403, 403, 403, 422)
BOSS_DOES = Says(302, 403, 403, 403, 403, 302)

LIST = Says(401, 200, 200, 200, 200, 200)
READ = Says(401, 200, 200, 200, 404, 200)
ACT = Says(401, 403, 202, 202, 404, 202)
SET = Says(401, 403, 200, 200, 404, 200)
STORE = Says(401, 403, 201, 201, 404, 201)
CREATE = Says(401, 403, 202, 202, 400, 202)  # the project stands in the body, so an unseen one is a bad value
UNCHANGED = Says(401, 403, 409, 409, 404, 409)
UNKNOWN = Says(401, 404, 404, 404, 404, 404)

OFFICE = Says(302, 403, 403, 403, 403, 200)
OFFICE_DONE = Says(302, 403, 403, 403, 403, 302)
OFFICE_CLOSED = Says(302, 403, 403, 403, 403, 403)
OFFICE_NOTHING = Says(302, 403, 403, 403, 403, 404)


class Case(NamedTuple):
    """One way of calling a route, and what each person is answered."""

    method: str
    says: Says
    body: dict[str, Any] | None = None


Table = dict[str, list[Case]]
JSON = "application/json"
ONE = "deployments/<uuid:pk>/"
API = "api/v1/deployments/<uuid:pk>"
SPEC = {"llm": "Qwen/Qwen3-8B", "replicas": 2}


def gets(says: Says, *routes: str) -> Table:
    return {route: [Case("GET", says)] for route in routes}


def asks_and_does(route: str, body: dict[str, Any] | None = None) -> Table:
    return {ONE + route: [Case("GET", ASK), Case("POST", DO, {"idempotency_key": "k"} | (body or {}))]}


PAGES: Table = {
    **gets(
        SIGNED_IN,
        *("", "overview/traffic/", "deployments/", "deployments/traffic/", "clusters/", "projects/", "activity/"),
        "activity/export/",
    ),
    **gets(PAGE, ONE, f"{ONE}revisions/<int:number>/", f"{ONE}pods/<slug:pod>/logs/", f"{ONE}charts/"),
    **gets(PAGE, "clusters/<uuid:pk>/", "clusters/<uuid:pk>/nodes/", "projects/<uuid:pk>/"),
    "clusters/new/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"name": "Not A Name"})],
    "clusters/test/": [Case("POST", BOSS, {"name": "Not A Name"})],
    "clusters/<uuid:pk>/settings/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"name": "Not A Name"})],
    "clusters/<uuid:pk>/test/": [Case("POST", BOSS_DOES)],
    "clusters/<uuid:pk>/accept/": [Case("GET", BOSS), Case("POST", BOSS_DOES)],
    "clusters/<uuid:pk>/unknown/<uuid:deployment>/adopt/": [
        Case("GET", Says(302, 403, 403, 403, 403, 404)),  # nothing is unknown
    ],
    "clusters/<uuid:pk>/forget/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"confirm": "no"})],
    "projects/new/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"name": "Not A Name"})],
    "projects/<uuid:pk>/rename/": [Case("GET", BOSS), Case("POST", BOSS_DOES, {"name": "renamed"})],
    "projects/<uuid:pk>/remove/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"confirm": "no"})],
    "projects/<uuid:pk>/secrets/write/": [Case("GET", ASK), Case("POST", DO, {"name": "T", "value": "v"})],
    "projects/<uuid:pk>/secrets/<kept:secret>/remove/": [
        Case("GET", Says(302, 403, 404, 404, 404, 404)),  # there is none
        Case("POST", Says(302, 403, 404, 404, 404, 404)),
    ],
    "projects/<uuid:pk>/members/add/": [
        Case("GET", MANAGE),
        Case("POST", MANAGE_REFUSED, {"kind": "user", "name": "nobody", "role": "viewer"}),
    ],
    "projects/<uuid:pk>/members/<uuid:member>/role/": [
        Case("GET", MANAGE),
        Case("POST", MANAGE_DOES, {"role": "operator"}),
    ],
    "projects/<uuid:pk>/members/<uuid:member>/remove/": [Case("GET", MANAGE), Case("POST", MANAGE_DOES)],
    "deployments/new/": [
        Case("GET", Says(302, 403, 200, 200, 200, 200)),
        Case("POST", Says(302, 403, 422, 422, 422, 422), {"name": "Not A Name"}),
    ],
    "deployments/preview/": [Case("POST", Says(302, 403, 200, 200, 200, 200), {"name": "Not A Name"})],
    f"{ONE}preview/": [Case("POST", Says(302, 403, 200, 200, 404, 200), {"llm": "no slash"})],
    "deployments/bulk/": [  # each row says what it leaves out; nobody's rows are nobody's
        Case("GET", ELSEWHERE),
        Case("POST", ELSEWHERE, {"act": "stop", "pk": "nonsense"}),
    ],
    f"{ONE}edit/": [Case("GET", ASK), Case("POST", Says(302, 403, 422, 422, 404, 422), {"llm": "no slash"})],
    **asks_and_does("scale/", {"replicas": "3"}),
    **asks_and_does("stop/"),
    **asks_and_does("start/"),
    **asks_and_does("restart/"),
    **asks_and_does("delete/", {"confirm": "team-llm"}),
    **asks_and_does("take-over/"),
    **asks_and_does("try-again/"),
    **asks_and_does("drift-policy/", {"policy": "leave"}),
    f"{ONE}newer/": [Case("GET", ASK), Case("POST", Says(302, 403, 422, 422, 404, 422), {"choice": "adopt"})],
    **asks_and_does("revisions/<int:number>/roll-back/"),
    **gets(Says(401, 200, 200, 200, 200, 200), "stream/", "metrics"),
    **gets(EVERYBODY, "healthz", "readyz"),
}

REST: Table = {
    "api/v1/^$": [Case("GET", LIST)],
    "api/v1/": [Case("GET", UNKNOWN), Case("POST", UNKNOWN, {})],
    "api/v1/deployments": [
        Case("GET", LIST),
        Case("POST", CREATE, {"project": "team", "name": "new", "spec": SPEC}),
    ],
    API: [
        Case("GET", READ),
        Case("PUT", ACT, {"spec": SPEC}),
        Case("PATCH", ACT, {"spec": SPEC}),
        Case("DELETE", ACT),
    ],
    f"{API}/scale": [Case("POST", ACT, {"replicas": 3})],
    f"{API}/stop": [Case("POST", ACT)],
    f"{API}/start": [Case("POST", UNCHANGED)],
    f"{API}/restart": [Case("POST", ACT)],
    f"{API}/rollback": [Case("POST", UNCHANGED, {"revision": 1})],
    f"{API}/take-over": [Case("POST", ACT)],
    f"{API}/try-again": [Case("POST", UNCHANGED)],
    f"{API}/newer": [Case("POST", Says(401, 403, 409, 409, 404, 409), {"choice": "adopt"})],
    f"{API}/drift-policy": [Case("POST", SET, {"drift_policy": "leave"})],
    **gets(READ, f"{API}/revisions", f"{API}/revisions/<int:number>", f"{API}/audit"),
    f"{API}/pods/<slug:pod>/logs": [Case("GET", Says(401, 409, 409, 409, 404, 409))],
    **gets(READ, f"{API}/status", f"{API}/pods", f"{API}/events", f"{API}/metrics"),
    **gets(LIST, "api/v1/projects", "api/v1/clusters"),
    **gets(READ, "api/v1/projects/<uuid:pk>", "api/v1/clusters/<uuid:pk>"),
    "api/v1/projects/<uuid:pk>/secrets/<kept:secret>": [Case("DELETE", Says(401, 403, 404, 404, 404, 404))],
    "api/v1/projects/<uuid:pk>/secrets": [Case("GET", READ), Case("POST", STORE, {"name": "T", "value": "v"})],
}

REST |= {
    "api/v1/tokens": [Case("GET", LIST), Case("POST", Says(401, 201, 201, 201, 201, 201), {"name": "ci"})],
    "api/v1/tokens/<uuid:pk>": [Case("DELETE", Says(401, 204, 404, 404, 404, 404))],  # the viewer's own
}

# Platform admins make, rename and remove projects; whoever does not see one finds nothing.
OWN = Says(401, 403, 403, 403, 404, 412)
MEMBERS = "api/v1/projects/<uuid:pk>/members"
JOIN = Says(401, 403, 403, 400, 404, 400)
RANK = Says(401, 403, 403, 412, 404, 412)

CLUSTER = "api/v1/clusters/<uuid:pk>"
REST["api/v1/clusters"].append(Case("POST", Says(401, 403, 403, 403, 403, 400), {"name": "new"}))
REST |= {
    f"{CLUSTER}/settings": [Case("GET", Says(401, 403, 403, 403, 404, 200)), Case("PATCH", OWN, {"max_in_flight": 3})],
    f"{CLUSTER}/test": [Case("POST", Says(401, 403, 403, 403, 404, 200))],
    f"{CLUSTER}/accept-identity": [Case("POST", Says(401, 403, 403, 403, 404, 409), {"identity": "x"})],
    f"{CLUSTER}/unknown": [
        Case("GET", Says(401, 403, 403, 403, 404, 200)),
        Case("POST", Says(401, 403, 403, 403, 404, 409), {"deployment": "0b1c2d3e-0000-4000-8000-000000000001"}),
    ],
    f"{CLUSTER}/forget": [Case("POST", Says(401, 403, 403, 403, 404, 400), {"name": "no"})],
    **gets(READ, f"{CLUSTER}/conditions", f"{CLUSTER}/nodes"),
}
REST["api/v1/projects"].append(Case("POST", Says(401, 403, 403, 403, 403, 400), {"name": "new"}))
REST["api/v1/projects/<uuid:pk>"] += [Case("PATCH", OWN, {"name": "renamed"}), Case("DELETE", OWN)]
REST |= {
    MEMBERS: [Case("GET", READ), Case("POST", JOIN, {"user": "nobody", "role": "viewer"})],
    f"{MEMBERS}/<uuid:member>": [Case("GET", READ), Case("PATCH", RANK, {"role": "admin"}), Case("DELETE", RANK)],
    **gets(LIST, "api/v1/audit", "api/schema/"),
    "api/v1/overview": [Case("GET", LIST)],
    "api/v1/projects/<uuid:pk>/use": [Case("GET", READ)],
    "api/v1/search": [Case("GET", Says(401, 400, 400, 400, 400, 400))],  # nothing to search for
}
PAGES |= {"api/docs/": [Case("GET", SIGNED_IN)]}

ACCOUNTS: Table = {
    "accounts/tokens/": [
        Case("GET", SIGNED_IN),
        Case("POST", SIGNED_IN, {"name": "ci", "scope": "read", "days": "1"}),
    ],
    "accounts/tokens/<uuid:pk>/revoke/": [  # the viewer's own
        Case("GET", Says(302, 200, 404, 404, 404, 404)),
        Case("POST", Says(302, 302, 404, 404, 404, 404)),
    ],
    **gets(Says(200, 302, 302, 302, 302, 302), "accounts/login/", "accounts/signup/"),
    **gets(Says(302, 200, 200, 200, 200, 200), "accounts/logout/", "accounts/email/", "accounts/password/change/"),
    **gets(EVERYBODY, "accounts/inactive/", "accounts/confirm-email/", "accounts/password/reset/"),
    **gets(EVERYBODY, "accounts/password/reset/done/", "accounts/password/reset/key/done/"),
    **gets(EVERYBODY, r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"),
    **gets(EVERYBODY, r"accounts/^confirm-email/(?P<key>[-:\w]+)/$"),
    **gets(ELSEWHERE, "accounts/login/code/confirm/", "accounts/password/set/", "accounts/2fa/authenticate/"),
    **gets(SIGNED_IN, "accounts/2fa/", "accounts/reauthenticate/"),
    **gets(ELSEWHERE, "accounts/2fa/reauthenticate/"),
    **gets(ELSEWHERE, "accounts/2fa/totp/activate/", "accounts/2fa/recovery-codes/generate/"),  # the password again
    **gets(Says(302, 404, 404, 404, 404, 404), "accounts/2fa/totp/deactivate/"),
    **gets(Says(302, 404, 404, 404, 404, 404), "accounts/2fa/recovery-codes/"),
    **gets(Says(302, 404, 404, 404, 404, 404), "accounts/2fa/recovery-codes/download/"),
}

WRITTEN = ("deployments/cluster", "deployments/project", "accounts/user", "auth/group")
SHOWN = (
    *("deployments/auditentry", "deployments/deployment", "deployments/revision", "deployments/appliedobject"),
    *(
        "accounts/apitoken",
        "deployments/secretvalue",
        "deployments/clusterstatus",
        "deployments/nodestatus",
        "deployments/deploymentstatus",
    ),
)
REMOVED = ("mfa/authenticator",)  # shown, and taken away from somebody who lost theirs


def office(model: str) -> Table:
    """The pages of one model in the admin site."""
    at = f"admin/{model}/"
    add = OFFICE if model in WRITTEN else OFFICE_CLOSED
    change = OFFICE_CLOSED if model not in WRITTEN else OFFICE
    delete = OFFICE_CLOSED if model in SHOWN else OFFICE
    return {
        at: [Case("GET", OFFICE)],
        f"{at}add/": [Case("GET", add), Case("POST", add, {})],
        f"{at}<path:object_id>/": [Case("GET", OFFICE_DONE)],
        f"{at}<path:object_id>/change/": [Case("GET", OFFICE), Case("POST", change, {})],
        f"{at}<path:object_id>/history/": [Case("GET", OFFICE)],
        f"{at}<path:object_id>/delete/": [Case("GET", delete)],
    }


ADMIN: Table = {
    **gets(OFFICE, "admin/", "admin/jsi18n/", "admin/password_change/done/"),
    **gets(OFFICE_DONE, "admin/login/", "admin/password_change/"),
    "admin/logout/": [Case("POST", Says(302, 403, 403, 403, 403, 302), {})],
    **gets(OFFICE_CLOSED, "admin/autocomplete/"),  # no page of ours asks it for anything
    **gets(OFFICE_NOTHING, "admin/r/<path:content_type_id>/<path:object_id>/", "admin/(?P<url>.*)$"),
    **gets(OFFICE, "admin/^(?P<app_label>deployments|accounts|auth|mfa)/$", "admin/accounts/user/<id>/password/"),
    **{route: cases for model in (*WRITTEN, *SHOWN, *REMOVED) for route, cases in office(model).items()},
}

TABLE: Table = PAGES | REST | ACCOUNTS | ADMIN
