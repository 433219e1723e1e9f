"""`python -m llmdash.demo.step STEP [KUBECONFIG PROMETHEUS_URL]`: a step with Django. STEP is prepare, people, read,
sandbox, real, own or look.

A process of its own: the supervisor forks often and lives long, so it does without Django and its memory.
"""

import sys
from pathlib import Path

import django

django.setup()

from deployments.kubeconfig import KubeconfigRefused  # noqa: E402  (after Django is set up)
from llmdash.demo import people  # noqa: E402
from llmdash.demo.prepare import prepare, show  # noqa: E402
from llmdash.demo.register import look_at_new, read, register_own, register_started  # noqa: E402


def main(step: str, kubeconfig: str = "", prometheus_url: str = "") -> int:
    """Run one step; 1 when it was refused, with the reason on the error output."""
    try:
        if step == "prepare":
            prepare()
        elif step == "people":
            show(people.make())
        elif step == "read":
            read(Path(kubeconfig))
        elif step == "look":
            look_at_new()
        elif step == "own":
            tell(register_own(Path(kubeconfig), prometheus_url))
        else:
            tell(register_started(step, Path(kubeconfig), prometheus_url))
    except KubeconfigRefused as refused:
        print(f"{kubeconfig}: {refused}", file=sys.stderr)
        return 1
    return 0


def tell(name: str) -> None:
    print(f"The cluster is called {name}.", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
