"""What bin/regenerate knows of the template: its versions, address, questions and migrations, and broken records."""

import json
import os
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from support import ROOT, TEMPLATE_FOLDER, commit_all, git, read_json, run
from updating import (
    change,
    copy_what_updates_use,
    make_repository,
    programs,
    regenerate,
    release,
    snapshot,
    state,
)


@pytest.fixture(scope="module")
def original(template, tmp_path_factory):
    """The template as v0.1.0, and a repository of it; read only."""
    folder = copy_what_updates_use(template, tmp_path_factory.mktemp("original") / "template")
    release(folder, "v0.1.0")
    return folder, make_repository(folder, tmp_path_factory.mktemp("original-repository"), "v0.1.0")


@pytest.fixture
def moving(original, tmp_path):
    """The template that a test may change."""
    return shutil.copytree(original[0], tmp_path / "template", symlinks=True)


@pytest.fixture
def project(original, moving, tmp_path):
    """A repository of it."""
    project = shutil.copytree(original[1], tmp_path / original[1].name, symlinks=True)
    rewrite(project, template=str(moving))
    return project


def rewrite(project, commit=None, template=None, **answers):
    """Change the record, and commit it."""
    record = read_json(project / ".cruft.json")
    record["commit"], record["template"] = commit or record["commit"], template or record["template"]
    record["context"]["cookiecutter"] |= {**answers, "_template": record["template"]}
    (project / ".cruft.json").write_text(json.dumps(record, indent=2) + "\n")
    commit_all(project, "Change the record")


def later(folder, line="# later"):
    """Add a line to the template's Makefile."""
    with (folder / TEMPLATE_FOLDER / "Makefile").open("a") as stream:
        stream.write(f"{line}\n")


def makefile(project):
    return (project / "Makefile").read_text()


def test_newest_release_is_the_default_not_the_branch(project, moving):
    later(moving, "# released")
    release(moving, "v0.10.0")
    later(moving, "# a release candidate")
    release(moving, "v0.11.0-rc1")
    later(moving, "# unreleased")
    commit_all(moving, "Unreleased")
    git(moving, "tag", "v0.9.0", "v0.1.0")
    regenerate(project, check=True)
    assert "# released" in makefile(project) and "# a release candidate" not in makefile(project)
    record = read_json(project / ".cruft.json")
    assert (record["commit"], record["checkout"]) == (git(moving, "rev-parse", "v0.10.0^0"), "v0.10.0")


def test_template_without_a_release_gives_its_default_branch_and_says_so(project, moving):
    git(moving, "tag", "--delete", "v0.1.0")
    later(moving)
    commit_all(moving, "Later")
    done = regenerate(project, check=True)
    assert "no release: its default branch counts" in done.stderr and "# later" in makefile(project)


def test_repository_newer_than_the_newest_release_is_not_taken_back(project, moving):
    later(moving)
    rewrite(project, commit=commit_all(moving, "Unreleased"))
    done = regenerate(project)
    assert done.returncode == 0 and "v0.1.0, or a later version" in done.stderr and "Nothing to update" in done.stdout
    assert regenerate(project, "--check").returncode == 0


@pytest.mark.parametrize("ref", ["feature", "v0.2.0", "commit"])
def test_version_is_named_by_branch_tag_or_commit(project, moving, ref):
    git(moving, "checkout", "--quiet", "-b", "feature")
    later(moving)
    commit = release(moving, "v0.2.0")
    later(moving, "# later still")
    git(moving, "checkout", "--quiet", "main") if commit_all(moving, "More") and ref != "feature" else None
    regenerate(project, commit if ref == "commit" else ref, check=True)
    assert ("# later still" in makefile(project)) == (ref == "feature") and "# later" in makefile(project)


def test_unknown_version_is_named_with_the_releases(project):
    done = regenerate(project, "v9.9.9")
    assert done.returncode == 1 and "no version v9.9.9; it has v0.1.0" in done.stderr


def test_version_without_the_program_is_named(project, moving):
    shutil.rmtree(moving / "scripts")
    release(moving, "v0.2.0")
    done = regenerate(project)
    assert done.returncode == 1 and "no scripts/regenerate: name a later one" in done.stderr


def test_moved_template_is_recorded_without_credentials(project, moving, tmp_path):
    later(moving)
    release(moving, "v0.2.0")
    moved = moving.rename(tmp_path / "moved")
    lost = regenerate(project)
    assert lost.returncode == 1 and "Has the template moved? --template URL" in lost.stderr
    assert regenerate(project, "--template", moved).returncode == 0
    assert read_json(project / ".cruft.json")["template"] == str(moved) and "# later" in makefile(project)


def test_token_of_an_address_is_not_recorded(project, moving):
    """A proxy-free stand-in: Git rewrites the address, with its token, to the folder."""
    later(moving)
    release(moving, "v0.2.0")
    rewrite_rule = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{moving}.insteadOf",
                    "GIT_CONFIG_VALUE_0": "https://user:s3cret@example.org/template.git"}
    done = regenerate(project, "--template", "https://user:s3cret@example.org/template.git", **rewrite_rule)
    assert done.returncode == 0, done.stderr
    assert read_json(project / ".cruft.json")["template"] == "https://example.org/template.git"
    assert "s3cret" not in git(project, "diff", "--staged") + done.stdout
    assert "s3cret" not in git(project, "log", "-1", "--format=%B") + (project / ".git/MERGE_MSG").read_text()


def test_recorded_commit_that_is_gone_is_replaced_by_the_nearest(project, moving):
    """After the template's history was rewritten, the version that renders the same is taken for it."""
    text = (project / "Makefile").read_text()
    (project / "Makefile").write_text(text + "# the owner's line\n")
    commit_all(project, "Owner's work")
    git(moving, "checkout", "--quiet", "--orphan", "rewritten")
    same = commit_all(moving, "Rewritten")
    for number in range(3):
        later(moving, f"# later {number}")
        commit_all(moving, "Later")
    git(moving, "tag", "v0.2.0")
    git(moving, "branch", "--quiet", "-D", "main")
    git(moving, "tag", "--delete", "v0.1.0")
    git(moving, "reflog", "expire", "--expire=now", "--all")
    git(moving, "gc", "--quiet", "--prune=now")
    done = regenerate(project)
    assert f"({same[:9]}) renders nearest" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1 and "Makefile: both changed it" in done.stdout  # both appended
    assert "<<<<<<<" in makefile(project) and "# later 2" in makefile(project)


def test_new_and_gone_questions_are_said_before_anything_changes(project, moving):
    questions = read_json(moving / "cookiecutter.json")
    del questions["ci"]
    (moving / "cookiecutter.json").write_text(json.dumps({**questions, "team": "ghrc", "__ci": "none"}, indent=2))
    for path in (moving / TEMPLATE_FOLDER).rglob("*"):
        if path.is_file() and b"cookiecutter.ci" in path.read_bytes():
            path.write_text(path.read_text().replace("cookiecutter.ci", "cookiecutter.__ci"))
    shutil.rmtree(moving / TEMPLATE_FOLDER / ".circleci")
    later(moving, "# {{ cookiecutter.team }}")
    release(moving, "v0.2.0")
    done = regenerate(project, "--set", "team=nsidc", check=True)
    assert "new question: team = 'nsidc'" in done.stdout
    assert "question gone: ci (your answer was 'circleci')" in done.stdout
    assert done.stdout.index("new question") < done.stdout.index("Files:")
    assert "# nsidc" in makefile(project)
    answers = read_json(project / ".cruft.json")["context"]["cookiecutter"]
    assert answers["team"] == "nsidc" and "ci" not in answers


@pytest.mark.parametrize("setting, message", [
    ("provider=ghrc", "provider: 'ghrc' is not allowed: capital letters"),
    ("ci=jenkins", "ci: 'jenkins' is not allowed: circleci, none"),
    ("colour=red", "has no question colour; it has base_image"),
    ("repo_name=../../outside", "repo_name: '../../outside' is not allowed"),
    ("description={{ 1/0 }}", "holds Jinja"),
    ("description", "is not QUESTION=VALUE")])
def test_answer_that_is_not_allowed_is_refused(project, tmp_path, setting, message):
    before = state(project)
    done = regenerate(project, "--set", setting)
    assert done.returncode in (1, 2) and message in done.stderr, done.stdout + done.stderr
    assert state(project) == before and not list(tmp_path.rglob("outside"))


def test_recorded_answer_that_a_newer_version_refuses_is_named(project, moving):
    questions = read_json(moving / "cookiecutter.json")
    questions["ci"] = ["github", "none"]
    (moving / "cookiecutter.json").write_text(json.dumps(questions, indent=2))
    release(moving, "v0.2.0")
    before = state(project)
    done = regenerate(project)
    assert done.returncode == 1 and "ci: 'circleci' is not allowed: github, none" in done.stderr
    assert "--set QUESTION=VALUE" in done.stderr and state(project) == before
    assert regenerate(project, "--set", "ci=none").returncode == 0


def test_answer_is_changed_in_the_files_that_hold_it(project):
    done = regenerate(project, "--set", "registry=registry.example.org")
    assert done.returncode == 0, done.stderr
    assert "registry.example.org/docker-hs3-cpl" in (project / "docker-compose.yml").read_text()
    assert read_json(project / ".cruft.json")["context"]["cookiecutter"]["registry"] == "registry.example.org"


def test_jinja_in_a_record_is_refused_and_does_not_run(project, tmp_path):
    """The answers come with a pull request, and must not run on the maintainer's machine."""
    attack = f"{{{{ cycler.__init__.__globals__.os.popen('touch {tmp_path}/INJECTED').read() }}}}"
    rewrite(project, description=attack)
    before = state(project)
    done = regenerate(project)
    assert done.returncode == 1 and "answer to description" in done.stderr and "--set description=VALUE" in done.stderr
    assert not (tmp_path / "INJECTED").exists() and state(project) == before
    assert regenerate(project, "--set", "description=A title").returncode == 0


@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"template": "FOLDER"}', "<<<<<<< HEAD\n{}\n",
    '{"template": "FOLDER", "commit": "--all", "context": {"cookiecutter": {}}}'], ids=range(6))
def test_broken_record_is_one_sentence(project, moving, text):
    (project / ".cruft.json").write_text(text.replace("FOLDER", str(moving)))
    commit_all(project, "Break the record")
    done = regenerate(project)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "--adopt URL" in done.stderr


def test_folder_without_a_commit_is_one_sentence(project):
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    done = regenerate(project)
    assert done.returncode == 1 and "has no commit yet: git add --all, and git commit" in done.stderr


def migrate(moving):
    """The template renames a folder of the owner, a key of collection.toml and a question, and says so."""
    (moving / "migrations").mkdir()
    (moving / "migrations" / "1-names.toml").write_text("""\
why = "the sample's address has another name"
rename = { "src" = "modules" }
answer = { "provider" = "daac" }
[[key]]
file = "collection.toml"
from = "sample.uri"
to = "data.address"
""")
    rendered = moving / TEMPLATE_FOLDER
    (rendered / "src").rename(rendered / "modules")
    questions = (moving / "cookiecutter.json").read_text()
    (moving / "cookiecutter.json").write_text(questions.replace('"provider"', '"daac"'))
    for path in [*rendered.rglob("*"), moving / "hooks" / "pre_gen_project.py"]:
        if path.is_file() and b"\0" not in path.read_bytes() and "sample" not in path.parts:
            path.write_text(path.read_text().replace("cookiecutter.provider", "cookiecutter.daac")
                            .replace('    "provider": (', '    "daac": ('))


def test_migration_is_shown_and_moves_files_keys_and_answers(project, moving):
    """The owner's comments and files move along; the next update does not migrate again."""
    (project / "src" / "mine.py").write_text("MINE = 1\n")
    change(project / "collection.toml", "uri =", "# the owner's comment\nuri =")
    commit_all(project, "Owner's work")
    uri = tomllib.loads((project / "collection.toml").read_text())["sample"]["uri"]
    migrate(moving)
    release(moving, "v0.2.0")
    done = regenerate(project)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("the sample's address has another name", "rename src -> modules",
                 "collection.toml: move sample.uri -> data.address", "take the answer of provider -> daac"):
        assert line in done.stdout and done.stdout.index(line) < done.stdout.index("\nFiles:")
    assert (project / "modules" / "mine.py").read_text() == "MINE = 1\n" and not (project / "src").exists()
    document = tomllib.loads((project / "collection.toml").read_text())
    assert document["data"]["address"] == uri and "uri" not in document["sample"]
    assert "# the owner's comment" in (project / "collection.toml").read_text()
    assert read_json(project / ".cruft.json")["context"]["cookiecutter"]["daac"] == "GHRC_DAAC"
    commit_all(project, "Update")
    later(moving)
    release(moving, "v0.3.0")
    assert "Migrations" not in regenerate(project, check=True).stdout


@pytest.fixture
def move_key():
    sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]
    from regeneration.migrations import move_key

    yield move_key
    del sys.path[:2]


@pytest.mark.parametrize("text, expected", [
    ("[a]\nk = 1 # why\nl = 2\n", "[a]\nl = 2\n\n[b]\nm = 1 # why\n"),
    ("[a]\nk = [\n  1,\n  2,\n]\n\n[b]\nx = 1\n\n[c]\n", "[a]\n\n[b]\nx = 1\nm = [\n  1,\n  2,\n]\n\n[c]\n"),
    ('[a]\nk = """\n[b]\n"""\n', '[a]\n\n[b]\nm = """\n[b]\n"""\n'),
    ("[a]\nl = 2\n", "[a]\nl = 2\n")], ids=["comment", "several lines", "text like a table", "absent"])
def test_key_moves_with_its_comment_and_lines(move_key, text, expected):
    assert move_key(text, "a.k", "b.m") == expected


@pytest.mark.parametrize("text", ["a = {k = 1}\n", "[a]\nk = 1\n[b]\nm = 2\n", "a.k = 1\n"],
                         ids=["inline", "there already", "dotted"])
def test_key_that_cannot_be_moved_with_certainty_is_refused(move_key, text):
    with pytest.raises(ValueError):
        move_key(text, "a.k", "b.m")


def test_removed_file_comes_back_where_it_is_asked_for(project, moving):
    """Otherwise a file that the owner removed stays away, although the template has changed others."""
    git(project, "rm", "--quiet", "bin/image-tags", "Dockerfile")
    commit_all(project, "Owner's work")
    later(moving)
    release(moving, "v0.2.0")
    assert regenerate(project, check=True) and not (project / "Dockerfile").exists()
    commit_all(project, "Update")
    assert regenerate(project, "--restore", "bin").returncode == 0
    assert os.access(project / "bin/image-tags", os.X_OK) and not (project / "Dockerfile").exists()


def test_starter_sample_that_was_removed_does_not_come_back(project, moving):
    """Also where the template changes it; one that is unchanged follows the template."""
    sample = next((moving / TEMPLATE_FOLDER / "tests/sample/input").iterdir())
    sample.write_bytes(sample.read_bytes() + b"\0more")
    (moving / TEMPLATE_FOLDER / "tests/sample/extra").write_text("new\n")
    release(moving, "v0.2.0")
    assert regenerate(project).returncode == 0 and (project / "tests/sample/extra").exists()
    regenerate(project, "--abort", check=True)
    git(project, "rm", "-r", "--quiet", "tests/sample")
    commit_all(project, "Own sample")
    assert regenerate(project).returncode == 0 and not (project / "tests/sample").exists()


def test_squashed_and_amended_history_does_not_matter(project, moving):
    later(moving)
    release(moving, "v0.2.0")
    regenerate(project, check=True)
    git(project, "commit", "--quiet", "--no-edit")
    git(project, "checkout", "--quiet", "--orphan", "squashed")
    commit_all(project, "All")
    git(project, "branch", "--quiet", "-D", "develop")
    later(moving, "# later still")
    release(moving, "v0.3.0")
    done = regenerate(project)
    assert done.returncode == 0 and "v0.2.0 -> v0.3.0" in done.stdout and "# later still" in makefile(project)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["after", "during"])
def test_killed_update_loses_nothing(project, moving, tmp_path, moment):
    """kill -9 after, or in the middle of, any Git command: --abort gives back what was there."""
    with (project / "README.md").open("a") as stream:
        stream.write("mine\n")
    (project / "untracked").write_text("mine\n")
    git(project, "commit", "--quiet", "-a", "-m", "Owner's work")
    later(moving)
    (moving / TEMPLATE_FOLDER / "folder").mkdir()
    (moving / TEMPLATE_FOLDER / "folder" / "new").write_text("new\n")
    (moving / TEMPLATE_FOLDER / ".env.example").unlink()
    release(moving, "v0.2.0")
    before = state(project)
    stand_in, real = tmp_path / "stand-in" / "git", shutil.which("git")
    stand_in.parent.mkdir()
    stand_in.write_text(f"""#!/bin/sh
echo x >>{tmp_path}/count
[ "$(wc -l <{tmp_path}/count)" = "$DEADLY" ] || exec {real} "$@"
if [ {moment} = after ]; then {real} "$@"; else {real} "$@" & sleep 0.002; kill -9 $!; fi
kill -9 $PPID
""")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ("scripts/regenerate", "--repository", project)
    programs(moving, *command, check=True, PATH=path, DEADLY=0)
    total = len((tmp_path / "count").read_text().split())
    regenerate(project, "--abort", check=True)
    assert state(project) == before
    killed = 0
    for deadly in [3, total // 2, *range(total - 6, total + 1)]:
        (tmp_path / "count").unlink()
        killed += programs(moving, *command, PATH=path, DEADLY=deadly).returncode == -9
        if (project / ".git/regenerate").exists():
            regenerate(project, "--abort", check=True)
        assert state(project) == before
    assert killed >= 7


def test_interpreter_without_cookiecutter_is_told_what_to_do(project, moving, tmp_path):
    """Where no Python here has Cookiecutter, and none can be installed, one sentence says so."""
    bare = tmp_path / "bare"
    run(sys.executable, "-m", "venv", bare)
    later(moving)
    release(moving, "v0.2.0")
    before = snapshot(project)
    git_folder = Path(shutil.which("git")).parent
    done = run(bare / "bin/python", project / "bin/regenerate", check=False, PIP_INDEX_URL="http://127.0.0.1:9/",
               PIP_RETRIES=0, PIP_NO_CACHE_DIR=1, PIP_CONFIG_FILE=os.devnull, PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="",
               PATH=f"{git_folder}{os.pathsep}/bin")
    assert done.returncode == 1 and "pip install cookiecutter" in done.stderr.splitlines()[-1], done.stderr
    assert snapshot(project) == before


def test_cookiecutter_of_the_path_is_enough(project, moving, tmp_path):
    """The Python of an installed cookiecutter program renders where the running Python has none."""
    bare = tmp_path / "bare"
    run(sys.executable, "-m", "venv", "--without-pip", bare)
    later(moving)
    release(moving, "v0.2.0")
    done = run(bare / "bin/python", project / "bin/regenerate", check=False,
               PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0 and "# later" in makefile(project), done.stderr
