"""`python -m llmdash.sandbox serve --port N --state-dir DIR --kubeconfig OUT [--speed S] [--nodes default|small]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from llmdash.sandbox.cluster import Settings, run_until_signal
from llmdash.sandbox.hollow.catalog import NODE_SETS
from llmdash.sandbox.tls import NAMES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m llmdash.sandbox", description="A simulated Kubernetes cluster.")
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="run it until SIGTERM")
    serve.add_argument("--port", type=int, default=0, help="of the API server on loopback; any free one by default")
    hosts = ["127.0.0.1", *NAMES]
    serve.add_argument("--host", choices=hosts, default=hosts[0], help="listen to others, who reach it by this name")
    serve.add_argument("--state-dir", type=Path, required=True, help="keeps objects, certificates, token and ports")
    serve.add_argument("--kubeconfig", type=Path, required=True, help="written when the API server answers")
    serve.add_argument("--speed", type=float, default=10.0, help="how many times faster than real (default 10)")
    nodes = ["none", *sorted(NODE_SETS)]
    serve.add_argument("--nodes", choices=nodes, default="default", help="which machines to play")
    serve.add_argument("--node-grace", type=float, default=12.0, help="seconds that a node may be silent (default 12)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM; 2 when the port is taken or a folder cannot be written."""
    given = _parser().parse_args(arguments)
    nodes = "" if given.nodes == "none" else given.nodes
    settings = Settings(given.state_dir, given.kubeconfig, given.port, nodes, given.speed, given.node_grace, given.host)

    def announce(url: str) -> None:
        print(f"ready {url} (simulated cluster, kubeconfig {given.kubeconfig})", flush=True)

    try:
        asyncio.run(run_until_signal(settings, announce))
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
