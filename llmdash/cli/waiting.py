"""`--wait`: until what was asked for is so, telling how it goes."""

import time
from datetime import datetime

import click

from llmdash.cli.server import LATE, NOT_THERE, NOTHING, Failed, Row, Server

PAUSE = 1.0  # seconds between two looks
wait_option = click.option("--wait", is_flag=True, help="Wait until it is so; tell how it goes on standard error.")
timeout_option = click.option(
    "--timeout", default=1800, show_default=True, type=click.IntRange(1, 86400), metavar="SECONDS",
    help="How long to wait at most.",
)  # fmt: skip


class Progress:
    """Says each new sentence once, with the hour."""

    def __init__(self, timeout: int) -> None:
        self.end = time.monotonic() + timeout
        self.said = ""

    def say(self, sentence: str) -> None:
        if sentence != self.said:
            click.echo(f"{datetime.now().astimezone():%H:%M:%S}  {sentence}", err=True)
            self.said = sentence

    def rest(self) -> None:
        """Until the next look. Raises Failed when the time is over."""
        if time.monotonic() > self.end:
            raise Failed(f"Not in time. The last that was seen: {self.said}", LATE)
        time.sleep(PAUSE)


def until_up(server: Server, deployment: Row, timeout: int) -> None:
    """Until the newest revision is applied and has come up, or is stopped. Raises Failed when it comes to nothing."""
    path, progress = f"/deployments/{deployment['id']}", Progress(timeout)
    number = deployment["revision"]
    while True:
        revision, status = server("GET", f"{path}/revisions/{number}"), server("GET", f"{path}/status")
        progress.say(sentence(revision, status))
        if refused := hopeless(revision, status):
            raise Failed(refused, NOTHING)
        if is_up(revision, status):
            return
        progress.rest()


def until_gone(server: Server, deployment: Row, timeout: int) -> None:
    """Until nothing is left. Raises Failed when something is in the way for good."""
    progress = Progress(timeout)
    while True:
        try:
            status = server("GET", f"/deployments/{deployment['id']}/status")
        except Failed as failed:
            if failed.exit_code == NOT_THERE:
                progress.say("Gone.")
                return
            raise
        progress.say(status["sentence"])
        progress.rest()


def sentence(revision: Row, status: Row) -> str:
    """How it is."""
    if revision["outcome"] == "pending" and not status["stale"]:
        return f"Revision {revision['revision']} is being applied."
    stale = " (not heard of lately)" if status["stale"] else ""
    return f"{status['health'].capitalize()}: {status['sentence']}{stale}"


def hopeless(revision: Row, status: Row) -> str:
    """Why it will not come to be by itself; "" while it may."""
    if revision["outcome"] == "refused":
        return f"Revision {revision['revision']} was refused: {revision['outcome_detail'].get('message', '')}"
    if revision["outcome"] == "superseded" or status["revision"] > revision["revision"]:
        return f"Revision {status['revision']} was made meanwhile."
    if status["deleted_at"]:
        return "It is being deleted."
    if status["rollout"] == "stuck" and status["observed_revision"] >= revision["revision"]:
        return f"The rollout is stuck. {status['sentence']}"
    return ""


def is_up(revision: Row, status: Row) -> bool:
    """Whether this revision is what runs, all of it."""
    if revision["outcome"] != "applied" or status["stale"] or status["observed_revision"] < revision["revision"]:
        return False
    if status["health"] == "stopped":
        return not revision["spec"]["running"] or revision["spec"]["replicas"] == 0
    serves = status["health"] == "serving" and status["rollout"] == "complete"
    return bool(serves and status["ready"] >= status["wanted"])
