"""Which addresses llmdash may be told to call. Pure: names are judged as written, nothing is resolved.

Link-local and metadata addresses hand out the credentials of the machine that asks, so they are refused always;
loopback only serves a cluster on the same machine and is allowed by a setting.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
METADATA_NAMES = (
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
)
# AWS over IPv6, Alibaba Cloud, Oracle Cloud; the others use 169.254.169.254, which is link-local.
METADATA = tuple(ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
NUMERIC = frozenset("0123456789abcdefABCDEFxX.")
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(\.{LABEL})*", re.IGNORECASE)

NO_HOST = "This is no host, or no port from 1 to 65535."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ValueError):
    """The address may not be called; the message says why."""


def checked(url: str, *, allow_loopback: bool, is_secret: bool = True) -> str:
    """The address without a slash at its end. Raises AddressRefused.

    https; or http to this machine where that is allowed, and where nothing secret travels. No user, query or fragment.
    """
    if any(not "!" <= char <= "~" for char in url.strip()):
        raise AddressRefused("An address has visible ASCII characters only; a name in other letters begins with xn--.")
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError as error:
        raise AddressRefused(NO_HOST) from error
    if parts.scheme not in ("http", "https") or not host:
        raise AddressRefused("Write the whole address: https://host:port")
    if not is_host(host) or port == 0:
        raise AddressRefused(NO_HOST)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise AddressRefused("The address may hold no user, password, query or fragment.")
    local = refuse_special(host, allow_loopback=allow_loopback)
    if parts.scheme != "https" and is_secret and not local:
        raise AddressRefused("Use https: credentials travel on this connection.")
    return url.strip().rstrip("/")


def is_host(text: str) -> bool:
    """Whether this is a host's name or an IP address."""
    return literal(text) is not None or HOST.fullmatch(text) is not None


def refuse_special(host: str, *, allow_loopback: bool) -> bool:
    """Whether the host is this machine. Raises AddressRefused for what may not be called."""
    address = literal(host)
    if host in METADATA_NAMES or (address is not None and is_metadata(address)):
        raise AddressRefused("This is a link-local or metadata address, which llmdash never calls.")
    local = host in LOCAL_NAMES or host.endswith(".localhost")
    local = local or (address is not None and (address.is_loopback or address.is_unspecified))
    if not local and address is not None and (address.is_multicast or address.is_reserved):
        raise AddressRefused("This is no address of a server.")
    if local and not allow_loopback:
        raise AddressRefused("This is the machine that llmdash runs on; LLMDASH_ALLOW_LOOPBACK=yes allows it.")
    return local


def is_metadata(address: Address) -> bool:
    """Whether it stays on the link, where clouds put their metadata."""
    return address.is_link_local or address in METADATA


def literal(host: str) -> Address | None:
    """The IP address that the host is, in any of the ways that a resolver reads; None for a name."""
    try:
        address: Address = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        if not set(host) <= NUMERIC:
            return None
        try:  # 127.1, 0x7f000001, 2130706433, 0177.0.0.1
            address = ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address
