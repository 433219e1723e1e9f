"""A kubeconfig is read to an allow-list: whatever else it holds is refused by name, and nothing runs or opens."""

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from deployments.kubeconfig import MAX_CHARS, Access, KubeconfigRefused, parse_kubeconfig
from tests.deployments.kube.servers import Authority

Document = dict[str, Any]
AUTHORITY = Authority.make()
CERTIFICATE, KEY = AUTHORITY.issue("client")
OTHER_KEY = AUTHORITY.issue("other")[1]
ENCRYPTED = (
    serialization.load_pem_private_key(KEY.encode(), None)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pass")
    )
    .decode()
)
watched: list[str] | None = None
happened: list[tuple[str, Any]] = []
ACTS = (
    "open",
    "subprocess",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "socket",
    "shutil",
    "import",
)


def note(event: str, arguments: tuple[Any, ...]) -> None:
    if watched is not None and event.startswith(ACTS):
        happened.append((event, arguments))


sys.addaudithook(note)


@pytest.fixture(autouse=True)
def nothing_happens() -> Iterator[None]:
    """Python itself tells of every file, program and connection that is opened while a kubeconfig is read."""
    happened.clear()
    yield
    assert happened == []


def parse(text: str) -> Access:
    global watched
    watched = []
    try:
        return parse_kubeconfig(text)
    finally:
        watched = None


def test_the_lookout_sees_files_and_programs() -> None:
    global watched
    watched = []
    subprocess.run(["true"], check=True)
    Path(__file__).read_bytes()
    watched = None
    assert {"subprocess.Popen", "open"} <= {event for event, _ in happened}
    happened.clear()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def document(user: Document | None = None, **cluster: Any) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://kube.example.com:6443"} | cluster}],
        "users": [{"name": "u", "user": {"token": "a-token"} if user is None else user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "default"}}],
        "current-context": "x",
    }


def written(made: Document) -> str:
    return yaml.safe_dump(made)


def changed(change: Callable[[Document], Any]) -> str:
    made = copy.deepcopy(document())
    change(made)
    return written(made)


def user(**fields: Any) -> str:
    return written(document(fields))


def cluster(**fields: Any) -> str:
    return written(document(None, **{name.replace("_", "-"): value for name, value in fields.items()}))


def test_a_token_with_its_ca_is_taken() -> None:
    text = cluster(certificate_authority_data=b64(AUTHORITY.pem), tls_server_name="kube.internal")
    assert parse(text) == Access("https://kube.example.com:6443", AUTHORITY.pem, "kube.internal", token="a-token")


def test_a_client_certificate_with_its_key_is_taken() -> None:
    access = parse(user(**{"client-certificate-data": b64(CERTIFICATE), "client-key-data": b64(KEY)}))
    assert access.secrets == {"client_certificate": CERTIFICATE, "client_key": KEY}


def test_json_is_taken_too() -> None:
    assert parse(json.dumps(document())).token == "a-token"


def test_the_current_context_is_chosen_among_several() -> None:
    made = document()
    made["contexts"].append({"name": "y", "context": {"cluster": "d", "user": "v"}})
    made["clusters"].append({"name": "d", "cluster": {"server": "https://two.example.com"}})
    made["users"].append({"name": "v", "user": {"token": "second", "exec": None}})
    assert parse(written(made)).token == "a-token"
    assert parse(written(made | {"current-context": "y"})) == Access("https://two.example.com", token="second")


def test_what_another_context_names_does_not_matter() -> None:
    made = document()
    made["users"].append({"name": "v", "user": {"exec": {"command": "touch"}}})
    assert parse(written(made)).token == "a-token"


def test_one_context_needs_no_current_one() -> None:
    assert parse(changed(lambda made: made.pop("current-context"))).token == "a-token"


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1", "https://[::1]:6443", "https://rancher.example.com/k8s/clusters/c-1/"]
)
def test_servers_are_named_by_host_address_or_path(url: str) -> None:
    assert parse(cluster(server=url)).url == url.rstrip("/")


def test_neither_token_nor_key_shows_in_its_representation() -> None:
    shown = repr(parse(written(document()))) + repr(
        parse(user(**{"client-certificate-data": b64(CERTIFICATE), "client-key-data": b64(KEY)}))
    )
    assert "a-token" not in shown
    assert "PRIVATE KEY" not in shown


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


BOMB = "a: &a [x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)
HOSTILE: list[tuple[str, str, str]] = [
    ("exec", user(exec={"command": "touch", "args": ["/tmp/owned"]}), "'exec' is not taken: it runs a program"),
    ("exec beside a token", user(token="t", exec={"command": "touch"}), "'exec' is not taken"),
    ("auth-provider", user(**{"auth-provider": {"name": "gcp"}}), "'auth-provider' is not taken: it runs a login"),
    ("tokenFile", user(tokenFile="/etc/passwd"), "'tokenFile' is not taken: it reads a file"),
    ("tokenFile beside a token", user(token="t", tokenFile="/etc/passwd"), "'tokenFile'"),
    ("client-certificate", user(**{"client-certificate": "/etc/a.crt"}), "'client-certificate' is not taken"),
    ("client-key", user(token="t", **{"client-key": "/etc/a.key"}), "'client-key' is not taken: it reads a file"),
    ("certificate-authority", cluster(certificate_authority="/etc/ca"), "'certificate-authority' is not taken"),
    ("insecure", cluster(insecure_skip_tls_verify=True), "'insecure-skip-tls-verify' is not taken: it would"),
    ("insecure as text", cluster(insecure_skip_tls_verify="true"), "'insecure-skip-tls-verify'"),
    ("proxy", cluster(proxy_url="http://evil.example"), "'proxy-url' is not taken: it would send our credentials"),
    ("impersonation", user(token="t", **{"as": "system:admin"}), "'as' is not taken"),
    ("password", user(username="a", password="b"), "'password' is not taken"),
    ("unknown cluster key", cluster(disable_compression=True), "'disable-compression' is not taken"),
    ("aliases", "a: &a [1]\nb: *a\n" + written(document()), "aliases are not taken"),
    ("bomb", BOMB, "aliases are not taken"),
    ("merge", written(document()) + "<<: {current-context: y}\n", "merges are not taken"),
    ("depth", deep(10_000), "nested too deeply"),
    ("depth of mappings", "{a: " * 40 + "1" + "}" * 40, "nested too deeply"),
    ("a key twice", written(document()) + "current-context: y\n", "'current-context' stands twice"),
    ("a key twice in JSON", json.dumps(document()).replace('"token":', '"token": "x", "token":'), "'token' stands"),
    ("a key twice, once quoted", written(document()) + "'kind': Other\n", "'kind' stands twice"),
    ("a list as key", "? [a]\n: b\n", "keys must be plain text"),
    ("huge", "# " + "x" * MAX_CHARS, "at most 256 KiB"),
    ("no YAML", "a: [", "This is not YAML"),
    ("a tab", "\ta: b", "This is not YAML"),
    ("control characters", "a: \x00\x1b", "This is not YAML"),
    ("half a surrogate", "a: \ud800", "This is not YAML"),
    ("two documents", written(document()) + "---\na: b\n", "This is no kubeconfig"),
    ("a Python object", "!!python/object/apply:os.system ['touch /tmp/owned']", "This is not YAML"),
    ("a number without end", "a: " + "9" * 5000, "This is not YAML"),
    ("empty", "", "This is no kubeconfig"),
    ("a list", "[1, 2]", "This is no kubeconfig"),
    ("a text", "hello", "This is no kubeconfig"),
    ("a picture", "\x89PNG\r\n", "This is not YAML"),
    ("clusters as text", changed(lambda made: made.update(clusters="c")), "'clusters' is not a list"),
    ("users of texts", changed(lambda made: made.update(users=["u"])), "'users' is not a list"),
    ("a user as text", changed(lambda made: made["users"][0].update(user="u")), "is no mapping"),
    ("a context as list", changed(lambda made: made["contexts"][0].update(context=["c"])), "is no mapping"),
    ("a name as list", changed(lambda made: made["users"][0].update(name=["u"])), "'name' is not text"),
    ("a current context as list", changed(lambda made: made.update({"current-context": ["x"]})), "is not text"),
    ("a map as name", changed(lambda made: made["contexts"][0]["context"].update(cluster={})), "is not text"),
    ("a missing context", changed(lambda made: made.update({"current-context": "z"})), "no context named 'z'"),
    ("a missing user", changed(lambda made: made.update(users=[])), "no user named 'u'"),
    ("no context at all", changed(lambda made: [made.pop("contexts"), made.pop("current-context")]), "no context"),
    ("two users of a name", changed(lambda made: made["users"].append(made["users"][0] | {"user": {}})), "two users"),
    ("no credentials", written(document({"token": None})), "neither a token nor a client certificate"),
    ("half a pair", user(**{"client-certificate-data": b64(CERTIFICATE)}), "neither a token nor"),
    ("another's key", user(**{"client-certificate-data": b64(CERTIFICATE), "client-key-data": b64(OTHER_KEY)}),
     "does not belong"),
    ("an encrypted key", user(**{"client-certificate-data": b64(CERTIFICATE), "client-key-data": b64(ENCRYPTED)}),
     "is encrypted"),
    ("no certificate", user(**{"client-certificate-data": b64("x"), "client-key-data": b64(KEY)}), "cannot be read"),
    ("a token with a line feed", user(token="a\nX-Evil: 1"), "characters that no token has"),
    ("a token as number", user(token=5), "'token' is not text"),
    ("no base64", cluster(certificate_authority_data="%%%"), "is not base64"),
    ("no CA", cluster(certificate_authority_data=b64("hello")), "holds no certificate"),
    ("a CA as bytes", written(document()).replace("server:", "certificate-authority-data: !!binary aGk=\n    server:"),
     "is not text"),
    ("a server name with a path", cluster(tls_server_name="a/b"), "no host name"),
    ("no server", cluster(server=None), "must be an https:// address"),
    ("a user in the address", cluster(server="https://me:pw@kube.example.com"), "may hold no user"),
    ("a password in the address", cluster(server="https://:pw@kube.example.com"), "may hold no user"),
    ("a query in the address", cluster(server="https://kube.example.com/?a=b"), "may hold no user"),
    *((f"address {url!r}", cluster(server=url), "must be an https:// address")
      for url in ("http://a", "file:///etc/passwd", "https://", "https://[::1", "https://a:99999", "https://a\nb",
                  "https://a b", "https://ä.example", "gopher://a", "kube.example.com", 5, ["https://a"])),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_what_is_not_on_the_list_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(KubeconfigRefused) as refused:
        parse(text)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


def test_an_exec_plugin_is_told_the_way_out() -> None:
    with pytest.raises(KubeconfigRefused, match="create a ServiceAccount for llmdash and use its token"):
        parse(user(exec={"command": "aws"}))
    with pytest.raises(KubeconfigRefused, match="kubectl config view --raw --flatten --minify"):
        parse(user(**{"client-key": "/a"}))


@given(st.text(max_size=200) | st.text("{}[]:,&*!|>-?'\"# \nab", max_size=60))
def test_any_text_is_taken_or_refused_in_words(text: str) -> None:
    with pytest.raises(KubeconfigRefused):
        parse(text)
