"""What the database and the static files need before a start. Each step does nothing when it is done already."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from llmdash.demo import people

STAMP = ".collected"


def prepare() -> None:
    """Bring the state folder up to this version of the program, and print new people's passwords."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    collect_static_files()
    show(people.make())


def collect_static_files() -> None:
    """Collect and compress, unless nothing changed: compressing takes seconds."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    now = static_fingerprint()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == now:
        return
    # Django REST framework's pages are not served, and their files take as long to compress as all others together.
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=["rest_framework"])
    stamp.write_text(now, encoding="utf-8")


def static_fingerprint() -> str:
    """Path, size and time of every file that would be collected."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def show(made: list[tuple[people.Person, str]]) -> None:
    """The passwords, once."""
    if not made:
        return
    where = "" if settings.STATE_DIR == settings.BASE_DIR / "var" else f"LLMDASH_STATE_DIR={settings.STATE_DIR} "
    again = f"{where}.venv/bin/llmdash admin-password --user NAME"
    print(f"\nPasswords, shown this once (`{again}` sets a new one):\n")
    for person, password in made:
        print(f"  {person.name:<14} {password:<18} {person.may}")
    print(flush=True)
