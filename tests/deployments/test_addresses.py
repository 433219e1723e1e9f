"""Which addresses llmdash may be told to call."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.addresses import AddressRefused, checked


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://kube.example.org:6443/", "https://kube.example.org:6443"),
        (" https://10.0.0.1:6443 ", "https://10.0.0.1:6443"),
        ("https://[2001:4860::1]:6443", "https://[2001:4860::1]:6443"),
        ("https://kubernetes.default.svc", "https://kubernetes.default.svc"),
        ("https://cafe", "https://cafe"),
    ],
)
def test_an_https_address_is_taken(url: str, kept: str) -> None:
    assert checked(url, allow_loopback=False) == kept


@pytest.mark.parametrize(
    "host",
    [
        *(
            "169.254.169.254",
            "169.254.1.1",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "[::ffff:169.254.169.254]",
            "[fd00:ec2::254]",
        ),
        *("metadata.google.internal", "METADATA.google.internal.", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376"),
        *("100.100.100.200", "[fd00:ec2::254]", "169.254.43518", "[2002:a9fe:a9fe::]"),
    ],
)
@pytest.mark.parametrize("allow_loopback", [True, False])
def test_a_link_local_or_metadata_address_is_refused_however_it_is_written(host: str, allow_loopback: bool) -> None:
    with pytest.raises(AddressRefused, match="metadata"):
        checked(f"https://{host}/", allow_loopback=allow_loopback)


LOOPBACK = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "localhost",
    "a.localhost",
    "LOCALHOST.",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "0",
)


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_taken_only_where_it_is_allowed(host: str) -> None:
    with pytest.raises(AddressRefused, match="LLMDASH_ALLOW_LOOPBACK"):
        checked(f"http://{host}:9090", allow_loopback=False)
    assert checked(f"http://{host}:9090", allow_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        *("", "kube", "//kube", "http://kube.example.org", "ftp://kube", "file:///etc/passwd", "javascript:alert(1)"),
        *("https://", "https://user@kube", "https://u:p@kube", "https://kube/?a=b", "https://kube/#a"),
        *("https://kube:99999", "https://kube:port", "https://[::1", "https://224.0.0.1", "https://255.255.255.255"),
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        checked(url, allow_loopback=True)


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for url in (text, f"https://{text}"):
        with contextlib.suppress(AddressRefused):
            assert checked(url, allow_loopback=False).startswith("https://")
