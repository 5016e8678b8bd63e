"""A living repository: cruft brings a change of the template and keeps the owner's edits."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from support import ROOT, TEMPLATE_FOLDER, commit_all, git, read_json, render, run
from updating import IDENTITY, regenerate

pytestmark = pytest.mark.slow


@pytest.fixture
def moving_template(template, tmp_path):
    """A copy of the template that a test may commit to."""
    folder = tmp_path / "moving-template"
    shutil.copytree(template, folder)
    return folder


@pytest.fixture
def living(moving_template, tmp_path):
    """A repository rendered from it, committed, with edits of its owner."""
    project = render(moving_template, tmp_path / "out")
    git(project, "init", "--quiet", "--initial-branch=develop")
    commit_all(project, "Rendered")
    with (project / "process.py").open("a") as stream:
        stream.write("\n# the owner's line\n")
    (project / "src" / "beams.py").write_text("BEAMS = 3\n")
    commit_all(project, "Owner's work")
    return project


def cruft(project, *arguments):
    return run(sys.executable, "-m", "cruft", *arguments, cwd=project, check=False,
               GIT_AUTHOR_NAME="Test", GIT_AUTHOR_EMAIL="test@example.org",
               GIT_COMMITTER_NAME="Test", GIT_COMMITTER_EMAIL="test@example.org")


def change_template(folder):
    """Commit two changes: to a file of the template, and to a file of the owner."""
    rendered = folder / "{{cookiecutter.repo_name}}"
    with (rendered / "Makefile").open("a") as stream:
        stream.write("\n# a later template\n")
    commit_all(folder, "Change the Makefile")
    handler = rendered / "process.py"
    handler.write_text(handler.read_text().replace("INPUT_DIR OUTPUT_DIR.", "INPUT_DIR OUTPUT_DIR, later."))
    return commit_all(folder, "Change the first line of the handler, which is the owner's")


def test_check_says_up_to_date_and_then_out_of_date(living, moving_template):
    assert cruft(living, "check").returncode == 0
    change_template(moving_template)
    assert cruft(living, "check").returncode == 1


def test_update_brings_the_change_and_keeps_the_edits(living, moving_template):
    before = {path.name: path.read_bytes() for path in (living / "data" / "input").iterdir()}
    newest = change_template(moving_template)
    done = cruft(living, "update", "--skip-apply-ask")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# a later template" in (living / "Makefile").read_text()
    handler = (living / "process.py").read_text()
    assert ", later." not in handler and "# the owner's line" in handler
    assert (living / "src" / "beams.py").read_text() == "BEAMS = 3\n"
    assert read_json(living / ".cruft.json")["commit"] == newest
    assert {path.name: path.read_bytes() for path in (living / "data" / "input").iterdir()} == before
    assert cruft(living, "check").returncode == 0
    assert not list(living.rglob("*.rej"))


def test_conflict_of_cruft_is_seen_with_git_status(living, moving_template):
    """`git status` shows the conflict, although cruft ends with status 0."""
    for folder, word in {living: "Mine", moving_template / TEMPLATE_FOLDER: "Later"}.items():
        makefile = folder / "Makefile"
        makefile.write_text(makefile.read_text().replace("# Shorthand", f"# {word}: shorthand"))
    commit_all(living, "Edit the Makefile")
    commit_all(moving_template, "Edit it, too")
    done = cruft(living, "update", "-y")
    assert done.returncode == 0 and "Good work" in done.stdout
    assert "both modified:   Makefile" in git(living, "status") and "<<<<<<<" in git(living, "diff", "HEAD")
    assert '"__c_name"' in (living / ".cruft.json").read_text()


def test_update_downloads_nothing(moving_template, tmp_path):
    """The hooks run twice during an update; with an unreachable bucket, a download would fail visibly."""
    project = render(moving_template, tmp_path / "out", sample_data="s3://absent-bucket/x")
    git(project, "init", "--quiet")
    commit_all(project, "Rendered")
    change_template(moving_template)
    done = cruft(project, "update", "--skip-apply-ask")
    assert done.returncode == 0
    assert "# a later template" in (project / "Makefile").read_text()
    assert "fetch-data" not in done.stdout + done.stderr
    assert "+ aws" not in done.stdout


def test_update_by_cruft_is_seen_and_undone_as_the_page_says(living, moving_template):
    """docs/updates.md: after `git add --all` the update is seen with new files, and undone."""
    assert "undo with `git add --all`, then\n`git reset --hard`" in (ROOT / "docs" / "updates.md").read_text()
    change_template(moving_template)
    (moving_template / TEMPLATE_FOLDER / "NEW.md").write_text("new\n")
    commit_all(moving_template, "Add a file")
    before = git(living, "rev-parse", "HEAD^{tree}")
    assert cruft(living, "update", "-y").returncode == 0
    git(living, "add", "--all")
    shown = git(living, "diff", "--staged")
    assert "+# a later template" in shown and "+new" in shown
    git(living, "reset", "--quiet", "--hard")
    git(living, "add", "--all")
    assert git(living, "write-tree") == before


def test_cruft_works_on_the_record_that_regenerate_leaves(living, moving_template):
    """check, diff and update agree after an update by bin/regenerate, and the other way round."""
    change_template(moving_template)
    regenerate(living, check=True)
    git(living, "commit", "--quiet", "--no-edit")
    assert cruft(living, "check").returncode == 0
    assert cruft(living, "diff", "--exit-code").returncode == 0
    with (moving_template / TEMPLATE_FOLDER / "Makefile").open("a") as stream:
        stream.write("# still later\n")
    commit_all(moving_template, "Change it once more")
    assert cruft(living, "check").returncode == 1
    assert cruft(living, "update", "-y").returncode == 0
    commit_all(living, "Update by cruft")
    assert "Nothing to update" in regenerate(living, check=True).stdout or not git(living, "diff", "HEAD", "Makefile")


def test_update_of_the_tutorial_is_seen_and_kept_as_it_says(living, moving_template):
    """The commands of the tutorial, typed as they are."""
    change_template(moving_template)
    (moving_template / TEMPLATE_FOLDER / "NEW.md").write_text("new\n")
    commit_all(moving_template, "Add a file")
    text = (ROOT / "docs" / "tutorial.md").read_text()
    block = text[text.index("bin/regenerate --check"):].partition("```")[0]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = run("sh", "-c", block, cwd=living, PATH=path, **IDENTITY).stdout
    assert "+# a later template" in shown and "+new" in shown
    assert git(living, "status", "--porcelain") == "" and (living / "NEW.md").exists()


def test_answer_is_changed_as_the_readme_says(living):
    (command,) = (line for line in (living / "README.md").read_text().splitlines() if "bin/regenerate --set" in line)
    run("sh", "-c", command, cwd=living, PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert "registry.example.org/docker-hs3-cpl" in (living / "docker-compose.yml").read_text()


BEFORE_THE_LIBRARY_HELD_THEM = "e9e2e97"  # the last commit whose repositories hold all programs themselves


def test_repository_of_an_old_commit_is_updated_to_this_one(template, tmp_path):
    """By the documented command: edits are kept, the old programs go, fetching and own tests are green."""
    moving = tmp_path / "template"
    cloned = run("git", "clone", "--quiet", ROOT, moving, check=False)
    if cloned.returncode or run("git", "-C", moving, "checkout", "--quiet", BEFORE_THE_LIBRARY_HELD_THEM,
                                check=False).returncode:
        pytest.skip(f"this checkout has no commit {BEFORE_THE_LIBRARY_HELD_THEM} (a shallow clone)")
    project = render(moving, tmp_path / "out")
    git(project, "init", "--quiet")
    commit_all(project, "Rendered")
    for name, line in {"process.py": "# the owner's line\n", "convert/hs3cpl2nc.c": "/* the owner's line */\n"}.items():
        with (project / name).open("a") as stream:
            stream.write(line)
    commit_all(project, "Owner's work")
    for path in (path for path in moving.iterdir() if path.name != ".git"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(template, moving, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    commit_all(moving, "This commit")
    done = cruft(project, "update", "-y")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "both modified" not in git(project, "status") and not list(project.rglob("*.rej"))
    assert "the owner's line" in (project / "process.py").read_text()
    assert "the owner's line" in (project / "convert/hs3cpl2nc.c").read_text()
    assert {path.name for path in (project / "bin").iterdir()} == {
        "accept-products", "base", "cumulus", "deploy", "fetch-data", "image-tags", "regenerate"}
    assert {path.name for path in (project / "convert").iterdir()} == {"Makefile", "hs3cpl2nc.c"}
    shutil.copytree(project / "data/output", project / "data/test-output", dirs_exist_ok=True)
    run(project / "bin/fetch-data")
    run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests", cwd=project)


@pytest.mark.parametrize("converter", ["c", "none"])
def test_cruft_create_leaves_the_record_to_cruft(template, tmp_path, converter):
    done = run(sys.executable, "-m", "cruft", "create", template, "--no-input", "--default-config",
               "--output-dir", tmp_path, "--extra-context", json.dumps({"converter": converter}), check=False)
    project = tmp_path / "docker-hs3-cpl"
    assert done.returncode == 0, done.stderr
    assert read_json(project / ".cruft.json")["template"] == str(template)
    assert (project / "convert").exists() == (converter == "c")
    assert not (project / "data").exists() and not (project / ".env").exists()
    run(project / "bin" / "fetch-data")
    assert (project / "data" / "MANIFEST.sha256").is_file()


def test_cruft_records_no_token_of_an_address(template, tmp_path):
    """The hook refuses such an address, since cruft writes the record itself. Git stands in for the host."""
    rule = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{template}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://token@example.org/template.git"}
    done = run(sys.executable, "-m", "cruft", "create", "https://token@example.org/template.git", "--no-input",
               "--default-config", "--output-dir", tmp_path, check=False, **rule)
    assert done.returncode != 0 and "holds a user or token" in done.stderr
    assert not list(tmp_path.iterdir())
