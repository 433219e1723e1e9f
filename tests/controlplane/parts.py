"""What each part of the control plane is started with: pure functions from a layout to arguments."""

from dataclasses import dataclass
from pathlib import Path

from tests.controlplane.certs import Certificates

SERVICE_RANGE = "10.96.0.0/16"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One port on loopback for each server of a plane."""

    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int


@dataclass(frozen=True)
class Options:
    """What callers may choose; durations as Kubernetes writes them.

    `durable` has etcd flush to disk, which a folder that is kept needs and one that is thrown away does not.
    `node_grace` is how long a node may be silent before its pods are marked, 50 s where nobody shortens it.
    `progress_notify` is etcd's interval of progress notices on watches, its default when empty.
    """

    durable: bool = False
    node_grace: str = "12s"
    progress_notify: str = ""


@dataclass(frozen=True)
class Layout:
    """Where a plane's files are and which ports its servers have."""

    directory: Path
    certificates: Certificates
    ports: Ports

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.ports.apiserver}"

    @property
    def etcd_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.etcd}"

    @property
    def tokens(self) -> Path:
        return self.directory / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        return self.directory / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        return self.directory / "audit.log"

    def kubeconfig(self, user: str) -> Path:
        return self.directory / f"{user}.kubeconfig"

    def log(self, part: str) -> Path:
        return self.directory / f"{part}.log"


def etcd(layout: Layout, options: Options) -> list[str]:
    """One member. It elects itself in a tenth of the usual second, since nobody else can win."""
    peer = f"http://{LOOPBACK}:{layout.ports.etcd_peer}"
    arguments = [
        "--name=default",
        f"--data-dir={layout.directory / 'etcd'}",
        f"--listen-client-urls={layout.etcd_url}",
        f"--advertise-client-urls={layout.etcd_url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--heartbeat-interval=10",
        "--election-timeout=100",
        "--log-level=warn",
    ]
    if not options.durable:
        arguments.append("--unsafe-no-fsync")
    if options.progress_notify:
        arguments.append(f"--watch-progress-notify-interval={options.progress_notify}")
    return arguments


def kube_apiserver(layout: Layout, options: Options) -> list[str]:
    """The API server with RBAC, an audit log and whatever admission it enables by default.

    No kubelet CA is given, so it fetches logs from kubelets with certificates of their own making. It keeps no
    endpoints for the `kubernetes` Service: it would refuse its own loopback address in them.
    """
    del options
    certificates = layout.certificates
    return [
        f"--etcd-servers={layout.etcd_url}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={layout.ports.apiserver}",
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allow-privileged=true",
        f"--tls-cert-file={certificates.server.certificate}",
        f"--tls-private-key-file={certificates.server.key}",
        f"--client-ca-file={certificates.ca.certificate}",
        f"--token-auth-file={layout.tokens}",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={certificates.service_accounts.certificate}",
        f"--service-account-signing-key-file={certificates.service_accounts.key}",
        f"--kubelet-client-certificate={certificates.kubelet_client.certificate}",
        f"--kubelet-client-key={certificates.kubelet_client.key}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
    ]


def kube_controller_manager(layout: Layout, options: Options) -> list[str]:
    """Every controller that is on by default, none of them waiting for a lease.

    What a quota counts is counted anew every 10 s and not 5 min: an object made just before the quota may be missed.
    Its rate limits are raised ten times, or a test that makes a hundred pods would time the limiter.
    """
    certificates = layout.certificates
    return [
        f"--kubeconfig={layout.kubeconfig('kube-controller-manager')}",
        "--leader-elect=false",
        *_secure_port(layout, layout.ports.controller_manager),
        f"--root-ca-file={certificates.ca.certificate}",
        f"--service-account-private-key-file={certificates.service_accounts.key}",
        f"--cluster-signing-cert-file={certificates.ca.certificate}",
        f"--cluster-signing-key-file={certificates.ca.key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allocate-node-cidrs=false",
        f"--node-monitor-grace-period={options.node_grace}",
        "--node-monitor-period=1s",
        "--resource-quota-sync-period=10s",
        "--kube-api-qps=200",
        "--kube-api-burst=300",
    ]


def kube_scheduler(layout: Layout, options: Options) -> list[str]:
    """The default scheduler, not waiting for a lease."""
    del options
    return [
        f"--kubeconfig={layout.kubeconfig('kube-scheduler')}",
        "--leader-elect=false",
        *_secure_port(layout, layout.ports.scheduler),
        "--kube-api-qps=200",
        "--kube-api-burst=300",
    ]


def _secure_port(layout: Layout, port: int) -> list[str]:
    """Certificates are given since a server without one makes an RSA key at every start."""
    server = layout.certificates.server
    return [
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={server.certificate}",
        f"--tls-private-key-file={server.key}",
    ]


ARGUMENTS = {
    "etcd": etcd,
    "kube-apiserver": kube_apiserver,
    "kube-controller-manager": kube_controller_manager,
    "kube-scheduler": kube_scheduler,
}
