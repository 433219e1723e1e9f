"""`manage.py cluster_access [--namespace NS ...]`."""

from typing import Any

import yaml
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployments.manifests import access
from deployments.models.cluster import dns_label

HINT = """\
For `kubectl apply -f -`, by an admin of the cluster. Then, for Clusters → Register a cluster:
  API server       kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}'
"""
LASTING = """\
  Token            kubectl -n llmdash get secret llmdash-token -o jsonpath='{.data.token}' | base64 -d
  CA certificates  kubectl -n llmdash get secret llmdash-token -o jsonpath='{.data.ca\\.crt}' | base64 -d
"""
PASSING = """\
  Token            kubectl -n llmdash create token llmdash --duration=24h
  CA certificates  kubectl -n llmdash get configmap kube-root-ca.crt -o jsonpath='{.data.ca\\.crt}'
"""
MORE = "How to make a kubeconfig of it, and how to renew it: docs/cluster-access.md\n"


class NoAliases(yaml.SafeDumper):
    """Writes what stands twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class Command(BaseCommand):
    help = "Print the rights that llmdash needs in a cluster, as YAML for `kubectl apply -f -`."
    requires_system_checks: list[str] = []  # it reads no row and reaches no server

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--namespace", action="append", default=[], metavar="NS",
            help="rights in this namespace only; may be given again (default: in the whole cluster)",
        )  # fmt: skip
        parser.add_argument(
            "--no-token", action="store_true", help="without the Secret of a token that does not end; make one by hand"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for namespace in options["namespace"]:
            checked(namespace)
        with_token = not options["no_token"]
        built = access.build(settings.LLMDASH["INSTALLATION"], options["namespace"], with_token=with_token)
        self.stdout.write(yaml.dump_all(built, Dumper=NoAliases, sort_keys=False), ending="")
        # Not among the YAML: what is piped to kubectl nobody reads.
        self.stderr.write(HINT + (LASTING if with_token else PASSING) + MORE, self.style.NOTICE, ending="")


def checked(namespace: str) -> None:
    """Raise CommandError for what is no name of a namespace."""
    try:
        dns_label(namespace)
    except ValidationError as error:
        raise CommandError(f"{namespace!r} is no name of a namespace: {error.messages[0]}") from error
