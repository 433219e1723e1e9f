"""``python -m llmdash.sandbox.hollow --kubeconfig FILE [--speed 10] [--nodes default|small] [--state-dir DIR]``"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from llmdash.sandbox.hollow.agent import Ports, Settings, run_until_signal
from llmdash.sandbox.hollow.catalog import NODE_SETS
from llmdash.sandbox.hollow.client import ApiError
from llmdash.sandbox.hollow.kubeconfig import KubeconfigError, load


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m llmdash.sandbox.hollow", description="Hollow GPU nodes.")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the cluster to join; needs cluster-admin")
    parser.add_argument("--speed", type=float, default=10.0, help="how many times faster than real (default 10)")
    parser.add_argument("--nodes", choices=sorted(NODE_SETS), default="default", help="which machines to make")
    parser.add_argument("--heartbeat", type=float, default=3.0, help="seconds between lease renewals (default 3)")
    parser.add_argument("--state-dir", type=Path, help="keeps ports and certificate, so that a restart finds them")
    return parser


def _announce(ports: Ports) -> None:
    print(f"ready kubelet={ports.kubelet} runtime={ports.runtime}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM; 2 when the kubeconfig or the identity is no good."""
    given = _parser().parse_args(arguments)
    settings = Settings(given.nodes, given.speed, given.heartbeat, given.state_dir)
    try:
        asyncio.run(run_until_signal(load(given.kubeconfig), settings, on_ready=_announce))
    except (KubeconfigError, OSError, ApiError) as error:
        print(f"hollow: {error}", file=sys.stderr)
        return 2
    except ExceptionGroup as group:
        print(f"hollow: {group.exceptions[0]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
