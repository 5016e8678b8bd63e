"""What README and docs claim: questions, transcript, tree, commands, picture, messages, guarantees and their tests."""

import re
import sys
from pathlib import Path

import cookiecutter
import pytest
from programs import need
from support import ROOT, needs_c_libraries, read_json, run

PICTURE = ROOT / "docs" / "pictures" / "report-and-browse.png"
HIDDEN = {".dockerignore", ".env", ".env.example", ".gitattributes", ".gitignore"}  # not in the README's tree


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
    lines = table.split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def questions():
    """The questions of cookiecutter.json with their defaults."""
    return {name: value for name, value in read_json(ROOT / "cookiecutter.json").items() if not name.startswith("_")}


def test_questions_are_those_of_cookiecutter_json_with_their_rules():
    """The table of docs/questions.md, the questions and the rules agree."""
    allowed = {name: rule[1] for name, rule in rules().items()}
    for name, values in questions().items():
        if isinstance(values, list):
            allowed[name] = " or ".join(f"`{value}`" for value in values)
    rows = table_rows((ROOT / "docs" / "questions.md").read_text(), "# The questions")
    assert [row[0] for row in rows] == [f"`{name}`" for name in questions()]
    for name, _, rule in rows:
        assert rule == allowed[name.strip("`")], name


def transcript(readme):
    """The README's session as (prompt lines without answers, answers in order, lines that follow them)."""
    session = readme[readme.index("$ cookiecutter"):]
    lines = session[:session.index("```")].rstrip().splitlines()[1:]
    asking = max(number for number, line in enumerate(lines) if re.search(r"\):($| )", line)) + 1
    prompts, answers = [], []
    for line in lines[:asking]:
        prompt, separator, answer = line.partition("):")
        prompts.append(prompt + separator)
        if separator:
            answers.append(answer.strip())
    return prompts, answers, lines[asking:]


@pytest.fixture(scope="module")
def session(readme, template):
    """The README's answers typed beside a clone: the result of the program, and the rendered repository."""
    folder = template.parent
    command = re.search(r"^\$ (cookiecutter .*)", readme, re.M).group(1).split()
    typed = "\n".join(transcript(readme)[1]) + "\n"
    done = run(sys.executable, "-m", *command, cwd=folder, stdin=typed, COOKIECUTTER_CONFIG="/dev/null")
    return done, folder / re.search(r"^(docker-\S+)/$", readme, re.M).group(1)


def test_transcript_is_what_the_program_prints(readme, session):
    """Prompts, defaults and the lines after them are those of a real session with these answers."""
    prompts, _, after = transcript(readme)
    done, _ = session
    sample = next(line for line in after if line.startswith("the starter sample"))
    assert sample in done.stderr
    after.remove(sample)
    assert done.stdout.split() == "\n".join(prompts + after).split()


def test_transcript_shows_answers_of_somebodys_own_collection(session):
    """What identifies a collection is not the default."""
    answers = read_json(session[1] / ".cruft.json")["context"]["cookiecutter"]
    defaults = questions()
    for name in ("data_name", "description", "short_name", "version", "provider", "input_pattern"):
        assert answers[name] != defaults[name], name


def tree_paths(readme):
    """Paths of the README's tree, relative to the repository."""
    drawing = re.search(r"^docker-\S+/\n((?:[├└│].*\n)+)", readme, re.M).group(1)
    parents, paths = [], []
    for line in drawing.splitlines():
        indent, name = re.match(r"([│ ]*)[├└]── (\S+)", line).groups()
        parents = [*parents[:len(indent) // 4], name.rstrip("/")]
        paths.append("/".join(parents))
    return paths


def test_tree_in_the_readme_is_the_tree_of_a_render(readme, session):
    """Each path of the tree is rendered, and each rendered file is in the tree or below one of its folders."""
    _, project = session
    paths = tree_paths(readme)
    assert [path for path in paths if not (project / path).exists()] == []
    leaves = {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    files = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    shown = {name for name in files if any(name == leaf or name.startswith(f"{leaf}/") for leaf in leaves)}
    assert files - shown <= HIDDEN


def commands(text):
    """Commands of the `sh` blocks of a page, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_commands_of_the_readme_can_be_typed_as_they_are(readme):
    """No command holds a placeholder; each starts with a program of the system, Cookiecutter or the repository."""
    programs = {"make", "cd", "python3", ".", "pip", "cookiecutter", "git", "kill", "bin/regenerate"}
    for command in commands(readme):
        assert not re.search(r"\bORG\b|gh:|<\w|\.\.\.|/path/", command), command
        assert command.split()[0] in programs, command


def test_every_make_target_that_is_named_exists():
    """Each target is in this Makefile or in that of a rendered repository."""
    makefiles = [path.read_text() for path in (ROOT / "Makefile", *ROOT.glob("*cookiecutter.repo_name*/Makefile"))]
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"(?:^|`)make ([a-z][a-z-]+)", path.read_text(), re.M):
            assert any(re.search(rf"^{target}:", text, re.M) for text in makefiles), f"{path.name}: make {target}"


def test_readme_is_short(readme):
    assert len(readme.split()) <= 900


def png_size(path):
    """Width and height in pixels, from the header of a PNG file."""
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG\r\n\x1a\n"), path
    return int.from_bytes(header[16:20]), int.from_bytes(header[20:24])


def test_picture_of_the_readme_is_there_and_small(readme):
    assert f"]({PICTURE.relative_to(ROOT)})" in readme
    assert PICTURE.stat().st_size < 300_000


@pytest.mark.slow
@needs_c_libraries
def test_command_makes_the_picture_of_the_readme(tmp_path):
    """The command renders, breaks, compares and photographs; fonts differ between machines, the size does not."""
    need("chromium", "chromium-browser", "google-chrome")
    run(sys.executable, ROOT / "scripts" / "make-pictures.py", "--output", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PICTURE.name]
    assert png_size(tmp_path / PICTURE.name) == png_size(PICTURE)
    assert (tmp_path / PICTURE.name).stat().st_size > 100_000, "the picture is nearly empty"


def test_picture_without_chromium_is_one_sentence(tmp_path):
    """The message names the package, and nothing is written."""
    program = ROOT / "scripts" / "make-pictures.py"
    done = run(sys.executable, program, "--output", tmp_path / "new", check=False, PATH="")
    assert (done.returncode, done.stderr) == (3, "make-pictures: Chromium is missing: apt-get install chromium\n")
    assert list(tmp_path.iterdir()) == []


def test_messages_with_remedies_are_those_of_the_programs():
    """Each part of a message in docs/troubleshooting.md is in a source that prints it."""
    folders = ("hooks", "scripts", "docker-base", "{{cookiecutter.repo_name}}")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")
             if path.is_file() and path.suffix in ("", ".py")]
    paths += Path(cookiecutter.__file__).parent.glob("*.py")
    sources = "".join(path.read_text(errors="replace") for path in paths)
    for message, _ in table_rows((ROOT / "docs" / "troubleshooting.md").read_text(), "# Messages"):
        for part in re.sub("^Warning: ", "", message.strip("`")).split("..."):
            assert part.strip() in sources, message


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
    """Each page that they name exists; the README names the start page, which lists all others."""
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    named = {name: set(re.findall(r"docs/[\w-]+\.md", (default_project / name).read_text()))
             for name in ("README.md", "collection.toml", "convert/hs3cpl2nc.c")}
    assert "docs/index.md" in named["README.md"]
    listed = set(re.findall(r"\]\(([\w-]+\.md)", (ROOT / "docs" / "index.md").read_text()))
    assert {f"docs/{name}" for name in listed} == pages - {"docs/index.md"}
    assert all(named.values()) and set().union(*named.values()) <= pages


def test_nothing_of_one_machine_is_committed():
    """No file holds the absolute path of this checkout."""
    names = run("git", "-C", ROOT, "ls-files", "-z").stdout.split("\0")
    for name in filter(None, names):
        if not (ROOT / name).is_file():
            continue
        data = (ROOT / name).read_bytes()
        assert str(ROOT).encode() not in data, name
