"""`llmdash logs` and `llmdash events`: what a deployment's pods write, and what the cluster says of them."""

import time

import click

from llmdash.cli import names
from llmdash.cli.get import place
from llmdash.cli.output import Column, ago, format_option, show
from llmdash.cli.server import Failed, Row, Server, Target

PAUSE = 2.0  # seconds between two looks of --follow
EVENTS: list[Column] = [
    ("AGE", lambda row: ago(row["at"])),
    ("TYPE", lambda row: row["type"]),
    ("REASON", lambda row: row["reason"]),
    ("OBJECT", lambda row: row["object"]),
    ("COUNT", lambda row: row["count"]),
    ("MESSAGE", lambda row: row["message"]),
]


@click.command()
@names.deployment
@names.project_option
@click.option("--pod", help="Which pod; the first that runs without it.")
@click.option("--tail", default=100, show_default=True, type=click.IntRange(1, 5000), help="How many lines.")
@click.option("--previous", is_flag=True, help="Of the container that ran before.")
@click.option("--timestamps", is_flag=True, help="Each line with its time.")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.pass_obj
def logs(
    target: Target, name: str, project: str | None, pod: str | None, tail: int, previous: bool, timestamps: bool,
    follow: bool,
) -> None:  # fmt: skip
    """Print the log of a pod."""
    server = target.server
    row = server.deployment(place(name, project))
    path = f"/deployments/{row['id']}/pods/{pod or first_pod(server, row)}/logs"
    asked = {"tail": tail, "previous": str(previous).lower(), "timestamps": "true"}
    lines: list[str] = server("GET", path, params=asked)["text"].splitlines()
    write(lines, timestamps=timestamps)
    while follow:
        time.sleep(PAUSE)
        last = lines[-1].partition(" ")[0] if lines else ""
        more = {"tail": 5000, "timestamps": "true"} | ({"since": last} if last else {})
        found = server("GET", path, params=more)["text"].splitlines()
        new = [line for line in found if line.partition(" ")[0] > last]
        write(new, timestamps=timestamps)
        lines = new or lines


def write(lines: list[str], *, timestamps: bool) -> None:
    """Lines that came with their times, which sort as texts."""
    for line in lines:
        click.echo(line if timestamps else line.partition(" ")[2])


def first_pod(server: Server, row: Row) -> str:
    """A pod whose container has begun, of the newest revision if there is one. Raises Failed when there is none."""
    pods = server("GET", f"/deployments/{row['id']}/pods")["results"]
    if not pods:
        raise Failed(f"{row['name']} has no pods now.", 3)
    begun = [pod for pod in pods if pod["stage"] in ("loading", "ready", "failed", "stopping")]
    best = max(begun or pods, key=lambda pod: (bool(pod["current"]), pod["stage"] == "ready"))
    return str(best["name"])


@click.command()
@names.deployment
@names.project_option
@format_option
@click.pass_obj
def events(target: Target, name: str, project: str | None, shape: str) -> None:
    """Print the cluster's events of a deployment, newest first."""
    server = target.server
    row = server.deployment(place(name, project))
    found = server("GET", f"/deployments/{row['id']}/events", params={"limit": 200})["results"]
    show(found, EVENTS, shape, "events")
