"""What README and docs claim: the table of questions, the commands, the guarantees and the tests that show them."""

import re

import pytest
from support import ROOT, read_json, run


@pytest.fixture(scope="module")
def readme():
    return (ROOT / "README.md").read_text()


def rules():
    namespace = {"__name__": "pre_gen"}
    path = ROOT / "hooks" / "pre_gen_project.py"
    exec(compile(path.read_text(), str(path), "exec"), namespace)  # noqa: S102
    return namespace["RULES"]


def table_rows(text, heading):
    """Cells of the first table after a heading, without its two head lines."""
    section = text[text.index(heading):]
    table = section[section.index("\n|") + 1:]
    lines = table[:table.index("\n\n")].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_questions_are_those_of_cookiecutter_json_with_their_rules(readme):
    questions = read_json(ROOT / "cookiecutter.json")
    allowed = {name: rule[1] for name, rule in rules().items()}
    for name, values in questions.items():
        if isinstance(values, list):
            allowed[name] = " or ".join(f"`{value}`" for value in values)
    rows = table_rows(readme, "## The questions")
    assert [row[0] for row in rows] == [f"`{name}`" for name in questions if not name.startswith("_")]
    for name, _, rule in rows:
        assert rule == allowed[name.strip("`")], name


def test_transcript_shows_the_prompts_as_they_are(readme):
    for name, prompt in read_json(ROOT / "cookiecutter.json")["__prompts__"].items():
        for text in prompt.values() if isinstance(prompt, dict) else [prompt]:
            assert text in readme, name


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"^make ([a-z-]+)", path.read_text(), re.M):
            assert re.search(rf"^{target}:", makefile, re.M), f"{path.name}: make {target}"


def test_tree_in_the_readme_is_the_tree_of_a_render(readme, default_project):
    """Every name in the README's tree is rendered."""
    tree = readme[readme.index("docker-hs3-cpl/\n"):]
    tree = tree[:tree.index("```")]
    for name in re.findall(r"── (\S+)", tree):
        assert list(default_project.rglob(name.rstrip("/"))), name


def guarantees():
    rows = []
    for line in (ROOT / "docs" / "guarantees.md").read_text().splitlines():
        rows += re.findall(r"`([\w/.-]+\.py)::(\w+)`", line)
    return rows


def test_there_are_guarantees():
    assert len(guarantees()) > 10


@pytest.mark.parametrize("path, name", guarantees(), ids=lambda value: value)
def test_guarantee_names_a_test_that_exists(path, name):
    assert f"def {name}(" in (ROOT / path).read_text()


def test_links_inside_the_documentation_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_rendered_files_name_the_pages_of_the_documentation(default_project):
    """Each page that they name is there; the README names all but the start page."""
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    named = {name: set(re.findall(r"docs/[\w-]+\.md", (default_project / name).read_text()))
             for name in ("README.md", "collection.toml", "convert/hs3cpl2nc.c")}
    assert named["README.md"] == pages - {"docs/index.md"}
    assert all(named.values()) and set().union(*named.values()) <= pages


def test_nothing_of_one_machine_is_committed():
    """No absolute path of a home or work folder; package mirrors are the user's configuration."""
    names = run("git", "-C", ROOT, "ls-files", "-z").stdout.split("\0")
    for name in filter(None, names):
        if not (ROOT / name).is_file():
            continue
        data = (ROOT / name).read_bytes()
        assert str(ROOT).encode() not in data, name
