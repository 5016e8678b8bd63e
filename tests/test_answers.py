"""Answers: each bad answer is named before anything is written; each legal answer renders without harm."""

import importlib.util
import json
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT, git, run

BAD = {
    "data_name": ["", "HS3", "3cpl", "hs3_cpl", "hs3--cpl", "hs3-", "a" * 41, "x;touch INJECTED", "../x"],
    "repo_name": ["a/b/c", "docker hs3", "Docker", "-x", "x.", "a" * 101],
    "description": ["", " padded ", "two\nlines", "tab\tbed", "nul\x00", "line\u2028separator", "x" * 251],
    "short_name": ["", "a b", "a'b", 'a"b', "a" * 86],
    "version": ["", "1 0", "1/0", "$(touch INJECTED)"],
    "provider": ["", "ghrc", "GHRC-DAAC", "GHRC;DAAC"],
    "input_pattern": ["no-star.hdf5", "a/*.hdf5", "**", "*.hdf5'", "*.{hdf5,nc}", "[ab]*", ".hidden*", "-*",
                      "*\n", "*;ls", "*a*b*c*d*e*"],
    "sample_data": ["bucket/x", "s3:/bucket", "s3://B", "s3://bucket/a b", "s3://bucket/$(ls)", "https://x/y"],
    "registry": ["a..b", "a.-b.org", "host/x//y",
                 "https://registry.example.org", "registry example", "-x", "REGISTRY.example.org/UPPER"],
    "base_image": ["a/-b:1", "a___b:1", "a..b/c:1", "a//b:1",
                   "docker-base", "docker-base:", "docker-base@sha256:0", "a b:c", "docker-base:latest; ls", "-v:1"],
}
HOSTILE = [
    """quotes ' and " and ''' and \"\"\" """.strip(),
    r"back\slash \n \u0041 \x41 \ ",
    "braces {x} }} ${HOME} %s %(x)s",
    "shell $(touch INJECTED) `touch INJECTED` ; touch INJECTED | & > <",
    '"); __import__("os").system("touch INJECTED"); ("',
    '*/ #include "x.h" /* ??/ \\',
    "# comment: [yaml] - &anchor *alias !!python/object",
    "'''\\''' <b>&amp;</b> ]]> <!-- --> 雲 ☁ 🛰",
]


def cookiecutter(template, output, *answers, **environment):
    return run(sys.executable, "-m", "cookiecutter", template, "--no-input", "--default-config", "--output-dir", output,
               *answers, check=False, **environment)


@pytest.fixture(scope="module")
def problems():
    """The hook's check as a function: answers -> list of lines."""
    spec = importlib.util.spec_from_loader("pre_gen", loader=None)
    module = importlib.util.module_from_spec(spec)
    text = (ROOT / "hooks" / "pre_gen_project.py").read_text()
    exec(compile(text, "pre_gen_project.py", "exec"), module.__dict__)  # noqa: S102
    return module.problems


GOOD = {"data_name": "hs3-cpl", "repo_name": "docker-hs3-cpl", "description": "HS3 CPL", "short_name": "hs3cpl",
        "version": "1", "provider": "GHRC_DAAC", "input_pattern": "HS3_CPL_*.hdf5", "sample_data": "", "registry": "",
        "base_image": "docker-base:latest"}


def test_the_default_answers_are_allowed(problems):
    assert problems(GOOD) == []


@pytest.mark.parametrize("question, value", [(question, value) for question in BAD for value in BAD[question]],
                         ids=lambda value: repr(value)[:40])
def test_bad_answer_is_named_with_the_rule_and_an_example(problems, question, value):
    (line,) = problems({**GOOD, question: value})
    assert line.startswith(f"{question}: {value!r} is not allowed: ") and " Example: " in line
    assert "\n" not in line


@pytest.mark.parametrize("question, value", [
    ("description", """O'Brien "quoted" \\ back\\n {x} $(id) `id` ${HOME} <b>&amp; 雲 ☁ 🛰"""),
    ("registry", "123456789012.dkr.ecr.us-east-1.amazonaws.com"), ("registry", "127.0.0.1:5000"),
    ("base_image", "registry.example.org:5000/nasa/docker-base:v1.2.3"), ("sample_data", "s3://my-bucket/a_b/c.d/"),
    ("short_name", "GPM_2A.DPR+x-1"), ("input_pattern", "*"), ("repo_name", "a"), ("version", "V003_R2.1"),
])
def test_unusual_legal_answer_is_allowed(problems, question, value):
    assert problems({**GOOD, question: value}) == []


def test_every_example_in_a_message_is_itself_allowed(problems):
    text = (ROOT / "hooks" / "pre_gen_project.py").read_text()
    namespace = {"__name__": "pre_gen"}
    exec(compile(text, "pre_gen_project.py", "exec"), namespace)  # noqa: S102
    examples = {name: example for name, (_, _, example) in namespace["RULES"].items()}
    assert problems({**GOOD, **examples}) == []


def test_all_problems_are_reported_at_once_and_nothing_is_left(template, tmp_path):
    done = cookiecutter(template, tmp_path, "data_name=HS3", "provider=ghrc", "input_pattern=a/*.h5")
    assert done.returncode == 1
    for question in ("data_name: 'HS3'", "provider: 'ghrc'", "input_pattern: 'a/*.h5'"):
        assert done.stderr.count(question) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", HOSTILE + ["plain", "-o /tmp"])
def test_refused_answers_need_not_all_be_typed_again(template, tmp_path, title):
    """The printed command keeps the good answers; only the wrong answer is typed again."""
    output = tmp_path / "my output"
    done = cookiecutter(template, output, f"description={title.strip()}", "provider=ghrc", "ci=none")
    (command,) = (line.strip() for line in done.stderr.splitlines() if line.startswith("  cookiecutter "))
    assert "provider=" not in command
    run("sh", "-c", f"{sys.executable} -m {command} --no-input --default-config provider=GHRC_DAAC", cwd=tmp_path)
    answers = json.loads((output / "docker-hs3-cpl" / ".cruft.json").read_text())["context"]["cookiecutter"]
    assert (answers["description"], answers["ci"], answers["provider"]) == (title.strip(), "none", "GHRC_DAAC")
    assert not list(tmp_path.rglob("INJECTED"))


@pytest.mark.parametrize("name", ["a/b/c", "docker-x/", "x/../y", "a/b/../../c/d"])
def test_repository_name_with_slashes_leaves_no_parent_behind(template, tmp_path, name):
    output = tmp_path / "output"
    output.mkdir()
    done = cookiecutter(template, output, f"repo_name={name}")
    assert done.returncode == 1
    assert f"repo_name: {name!r} is not allowed" in done.stderr
    assert list(output.iterdir()) == []


def test_absolute_repository_name_leaves_nothing_behind(template, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("")
    assert cookiecutter(template, tmp_path / "output", f"repo_name={elsewhere}/x/y").returncode == 1
    assert [path.name for path in elsewhere.iterdir()] == ["mine"]


def test_files_beside_a_refused_project_survive(template, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "precious.txt").write_text("mine")
    assert cookiecutter(template, tmp_path, "repo_name=a/b").returncode == 1
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["precious.txt"]


@pytest.mark.parametrize("text", [text.strip() for text in HOSTILE], ids=range(len(HOSTILE)))
def test_hostile_title_arrives_as_it_was_typed_and_runs_nothing(bake, text):
    project = bake(description=text)
    assert tomllib.loads((project / "collection.toml").read_text())["collection"]["title"] == text
    assert text in (project / "README.md").read_text()
    assert json.loads((project / ".cruft.json").read_text())["context"]["cookiecutter"]["description"] == text
    assert not list(project.parent.rglob("INJECTED"))
    compile((project / "process.py").read_text(), "process.py", "exec")


@given(title=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_title_is_either_refused_or_survives_toml(problems, title):
    """collection.toml quotes each title that passes the check completely."""
    if problems({**GOOD, "description": title}) == []:
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        assert tomllib.loads(f'title = "{quoted}"')["title"] == title


@pytest.mark.slow
def test_template_is_found_by_path_file_url_and_relative_path(template, tmp_path):
    """All three ways record the same commit, and a template that others can reach."""
    commit = git(template, "rev-parse", "HEAD")
    for index, spelling in enumerate((str(template), f"git+file://{template}", template.name)):
        output = tmp_path / str(index)
        done = run(sys.executable, "-m", "cookiecutter", spelling, "--no-input", "--config-file",
                   config_file(tmp_path), "--output-dir", output, cwd=template.parent, PWD=template.parent)
        recorded = json.loads((output / "docker-hs3-cpl" / ".cruft.json").read_text())
        assert recorded["commit"] == commit, done.stderr
        assert recorded["template"].removeprefix("file://") == str(template)


@pytest.mark.slow
def test_abbreviation_gh_reaches_a_host_through_the_same_code(template, tmp_path):
    """gh:ORG/NAME is an abbreviation of a Git URL; another for a local folder uses the same code."""
    config = tmp_path / "config.yaml"
    config.write_text(f"cookiecutters_dir: {tmp_path}/clones\nreplay_dir: {tmp_path}/replay\n"
                      f"abbreviations:\n  gh: git+file://{template.parent}/{{0}}\n")
    done = run(sys.executable, "-m", "cookiecutter", f"gh:{template.name}", "--no-input", "--config-file", config,
               "--output-dir", tmp_path / "out")
    assert (tmp_path / "out" / "docker-hs3-cpl" / ".cruft.json").is_file(), done.stderr


def config_file(folder):
    """A user configuration that keeps clones and replays inside the test's folder."""
    path = folder / "config.yaml"
    path.write_text(f"cookiecutters_dir: {folder}/clones\nreplay_dir: {folder}/replay\n")
    return path
