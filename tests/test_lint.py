"""Linters find nothing in the rendered files and in the template's own."""

import pytest
from support import ROOT, needs_c_libraries, run

pytestmark = pytest.mark.slow
HADOLINT = ["hadolint", "--failure-threshold", "style"]


@pytest.fixture(params=["c", "none"])
def project(request, bake):
    return bake(converter=request.param)


def test_rendered_shell_programs_pass_shellcheck(project):
    run("shellcheck", project / "bin/image-tags", project / "bin/deploy")


def test_rendered_dockerfile_passes_hadolint(project):
    run(*HADOLINT, project / "Dockerfile")


def test_rendered_yaml_passes_yamllint(project):
    rules = "{extends: default, rules: {line-length: {max: 140}, document-start: disable, braces: disable, " \
            "brackets: disable, comments: {min-spaces-from-content: 1}, truthy: {check-keys: false}}}"
    run("yamllint", "--strict", "-d", rules, project / "docker-compose.yml", project / ".circleci/config.yml")


def test_rendered_python_passes_ruff(project):
    run("ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,I,UP,B,SIM,C4",
        project / "process.py", project / "tests",
        *(project / "bin" / name for name in ("accept-products", "base", "cumulus", "fetch-data")))


def test_rendered_handler_is_read_in_a_minute(project):
    """The handler has about 30 lines, as the README promises."""
    assert len((project / "process.py").read_text().splitlines()) <= 36


@needs_c_libraries
def test_rendered_converter_compiles_without_a_warning(bake, tmp_path):
    project = bake()
    run("make", "-C", ROOT / "docker-base" / "converter", "install", f"PREFIX={project}/.venv",
        f"BUILD={tmp_path}/library", "CFLAGS=-O0", "WERROR=1")
    run("make", "-C", project / "convert", "WERROR=1")
    assert (project / "_convert").is_file()


def test_own_dockerfile_passes_hadolint():
    run(*HADOLINT, ROOT / "docker-base" / "Dockerfile")


def test_own_shell_programs_pass_shellcheck():
    """Every tracked program with a shell's first line."""
    names = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout.split("\0")
    shell = [ROOT / name for name in filter(None, names)
             if "{{" not in name and (ROOT / name).is_file() and is_shell(ROOT / name)]
    assert shell
    run("shellcheck", *shell)


def is_shell(path):
    first = path.read_bytes()[:40].split(b"\n")[0]
    return first.startswith(b"#!") and first.endswith(b"sh")


def test_documentation_builds_without_a_warning(tmp_path):
    run("mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site", cwd=ROOT)
    assert (tmp_path / "site" / "tutorial" / "index.html").is_file()
