"""A project as one file, and the secrets that do not go into it."""

import sys

import click

from deployments.difference import as_yaml
from llmdash.cli import documents, names
from llmdash.cli.apply import file_option, put
from llmdash.cli.documents import DEPLOYMENT, PROJECT, VERSION
from llmdash.cli.server import NOT_THERE, Failed, Row, Server, Target


@click.command()
@click.argument("project", shell_complete=names.projects)
@click.pass_obj
def export(target: Target, project: str) -> None:
    """Print a project as one YAML file.

    With its members and deployments; secrets stand by their names only.
    """
    server = target.server
    home = server.project(project)
    members = [
        {"user" if row["user"] else "group": row["user"] or row["group"], "role": row["role"]}
        for row in server.every(f"/projects/{home['id']}/members")
    ]
    spec = {"cluster": home["cluster"], "namespace": home["namespace"], "members": members}
    found = [{"apiVersion": VERSION, "kind": PROJECT, "metadata": {"name": home["name"]}, "spec": spec}]
    found += [documents.of(server, row) for row in server.every("/deployments", project=home["id"])]
    click.echo("---\n".join(as_yaml(one) for one in found), nl=False)


@click.command("import")
@file_option
@click.option("-p", "--project", help="Under this name, in place of the file's.")
@click.option("--cluster", help="On this cluster, in place of the file's.")
@click.option("--namespace", help="In this namespace, in place of the file's.")
@click.option("--dry-run", is_flag=True, help="Show what would change and do nothing.")
@click.pass_obj
def import_(
    target: Target, file: str, project: str | None, cluster: str | None, namespace: str | None, dry_run: bool
) -> None:  # fmt: skip
    """Make a project from a file of `llmdash export`.

    With its members and deployments; what is so already is left, and who is not known here is left out.
    """
    found = documents.read(file)
    homes = [one for one in found if one["kind"] == PROJECT]
    if len(homes) > 1:
        raise Failed(f"{file} holds {len(homes)} projects; import them one by one.")
    name = project
    for home in homes:
        name = project or home["metadata"]["name"]
        spec = home["spec"] | {key: value for key, value in (("cluster", cluster), ("namespace", namespace)) if value}
        if not make(target.server, str(name), spec, dry_run=dry_run):
            return
    for one in found:
        if one["kind"] == DEPLOYMENT:
            put(target.server, one, name, reason=f"Imported from {file}", dry_run=dry_run)


def make(server: Server, name: str, spec: Row, *, dry_run: bool) -> bool:
    """The project with its members; False when it is only tried and is not there."""
    try:
        home = server.project(name)
        click.echo(f"project {name} is there")
    except Failed as failed:
        if failed.exit_code != NOT_THERE:
            raise
        if dry_run:
            click.echo(f"project {name} would be made; its deployments can be judged when it is there")
            return False
        body = {"name": name, "cluster": spec.get("cluster"), "namespace": spec.get("namespace")}
        home = server("POST", "/projects", body)
        click.echo(f"project {name} made")
    here = {row["user"] or row["group"]: row for row in server.every(f"/projects/{home['id']}/members")}
    for member in spec.get("members") or []:
        join(server, home, member, here, dry_run=dry_run)
    return True


def join(server: Server, home: Row, member: Row, here: dict[str, Row], *, dry_run: bool) -> None:
    """One member; whoever is not known here is named and left out, since people differ between installations."""
    who = member.get("user") or member.get("group")
    if known := here.get(str(who)):
        if known["role"] != member.get("role"):
            click.echo(f"member {who} stays {known['role']} here", err=True)
        return
    if dry_run:
        click.echo(f"member {who} would join as {member.get('role')}")
        return
    try:
        server("POST", f"/projects/{home['id']}/members", member)
        click.echo(f"member {who} joined as {member.get('role')}")
    except Failed as failed:
        click.echo(f"member {who} was left out: {failed.message}", err=True)


@click.command()
@click.argument("project", shell_complete=names.projects)
@click.argument("name")
@click.pass_obj
def secret(target: Target, project: str, name: str) -> None:
    """Write a secret of a project.

    Its value is asked for, or read from standard input. Nobody reads it again.
    """
    server = target.server
    home = server.project(project)
    value = click.prompt(name, hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    made = server("POST", f"/projects/{home['id']}/secrets", {"name": name, "value": value})
    click.echo(f"{project} {name} version {made['version']}")
