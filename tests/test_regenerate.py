"""bin/regenerate merges a newer template in Git: nothing is lost or silently left out, and all can be undone."""

import json
import os
import resource
import shutil

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
    unmerged,
)

CHANGES = "A later thing of the template."


@pytest.fixture(scope="session")
def two_releases(template, tmp_path_factory):
    """The template as v0.1.0 and, with changes of each kind, v0.2.0; read only."""
    folder = copy_what_updates_use(template, tmp_path_factory.mktemp("releases") / "template")
    rendered = folder / TEMPLATE_FOLDER
    (rendered / "old-name.sh").write_text("".join(f"step {number}\n" for number in range(20)))
    (rendered / "goes.txt").write_text("this file goes\n" * 9)
    (rendered / "logo.bin").write_bytes(b"\0logo 1")
    release(folder, "v0.1.0")
    change(rendered / "Makefile", "# Shorthand", "# Later: shorthand")
    change(rendered / "process.py", "INPUT_DIR OUTPUT_DIR.", "INPUT_DIR OUTPUT_DIR, later.")
    change(rendered / "old-name.sh", "step 10\n", "step 10, later\n")
    (rendered / "old-name.sh").rename(rendered / "new-name.sh")
    (rendered / "goes.txt").unlink()
    (rendered / "logo.bin").write_bytes(b"\0logo 2")
    (rendered / "bin" / "image-tags").chmod(0o644)
    (rendered / "new.txt").write_text("new in the template\n")
    change(folder / "CHANGELOG.md", "## Unreleased\n", f"## Unreleased\n\n### Later\n\n- {CHANGES}\n")
    release(folder, "v0.2.0")
    return folder


@pytest.fixture(scope="session")
def first(two_releases, tmp_path_factory):
    """A repository rendered from v0.1.0 and committed; read only."""
    return make_repository(two_releases, tmp_path_factory.mktemp("first"), "v0.1.0")


@pytest.fixture
def project(first, tmp_path):
    """A copy of that repository for one test."""
    return shutil.copytree(first, tmp_path / first.name, symlinks=True)


def test_update_is_staged_and_keeps_the_owners_edits(project):
    """Edits of the template's files are merged, also in a file that the owner or the template renamed."""
    for name in ("Makefile", "docker-compose.yml", "old-name.sh"):
        with (project / name).open("a") as stream:
            stream.write("# the owner's line\n")
    git(project, "mv", "Makefile", "GNUmakefile")
    commit_all(project, "Owner's work")
    done = regenerate(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# Later: shorthand" in (project / "GNUmakefile").read_text()
    assert not (project / "Makefile").exists() and not (project / "goes.txt").exists()
    for name in ("GNUmakefile", "docker-compose.yml", "new-name.sh"):
        assert (project / name).read_text().endswith("# the owner's line\n")
    assert "step 10, later" in (project / "new-name.sh").read_text() and not (project / "old-name.sh").exists()
    assert not os.access(project / "bin/image-tags", os.X_OK)
    assert git(project, "diff", "--name-only") == "" and "new.txt" in git(project, "diff", "--staged", "--name-only")
    assert "v0.1.0 -> v0.2.0" in done.stdout and CHANGES in done.stdout
    git(project, "commit", "--quiet", "--no-edit")
    assert "v0.1.0 -> v0.2.0" in git(project, "log", "-1", "--format=%s")
    assert "Nothing to update" in regenerate(project, check=True).stdout


def test_owners_files_stay_and_the_new_lines_are_shown(project):
    before = (project / "process.py").read_bytes()
    done = regenerate(project, check=True)
    assert (project / "process.py").read_bytes() == before
    shown = done.stdout.partition("In your files new repositories have these lines")[2]
    assert "+++ b/process.py" in shown and "OUTPUT_DIR, later." in shown


def test_file_added_to_the_list_of_the_record_is_the_owners(project):
    record = read_json(project / ".cruft.json")
    (project / ".cruft.json").write_text(json.dumps({**record, "skip": [*record["skip"], "Makefile"]}))
    commit_all(project, "The Makefile is mine")
    before = (project / "Makefile").read_bytes()
    assert "# Later: shorthand" in regenerate(project, check=True).stdout
    assert (project / "Makefile").read_bytes() == before
    assert "Makefile" in read_json(project / ".cruft.json")["skip"]


def both_edit(project):
    change(project / "Makefile", "# Shorthand", "# Mine: shorthand")


def owner_edits_what_goes(project):
    change(project / "goes.txt", "this file goes", "this file stays")


def owner_removes_what_changes(project):
    (project / "old-name.sh").unlink()


def both_change_a_binary(project):
    (project / "logo.bin").write_bytes(b"\0my logo")


def both_add(project):
    (project / "new.txt").write_text("mine\n")


CONFLICTS = {both_edit: "Makefile: both changed it", owner_edits_what_goes: "goes.txt: you changed it",
             owner_removes_what_changes: "you removed it, the template changes it",
             both_change_a_binary: "logo.bin: both changed it", both_add: "new.txt: both added it"}


@pytest.mark.parametrize("edit", CONFLICTS, ids=lambda edit: edit.__name__)
def test_conflict_is_gits_own_and_abort_gives_back_the_tree(project, edit):
    """Exit 1, the file is named and unmerged, both versions are in the index, and --abort undoes all."""
    edit(project)
    commit_all(project, "Owner's work")
    before = state(project)
    done = regenerate(project)
    assert done.returncode == 1 and CONFLICTS[edit] in done.stdout, done.stdout + done.stderr
    assert len(unmerged(project)) == 1 and "Unmerged paths" in git(project, "status")
    assert (project / "new.txt").exists()  # what is in no conflict came
    assert regenerate(project, "--abort").returncode == 0
    assert state(project) == before


def test_conflict_is_resolved_and_committed_with_gits_commands(project):
    both_edit(project)
    commit_all(project, "Owner's work")
    regenerate(project)
    text = (project / "Makefile").read_text()
    assert "<<<<<<<" in text and ">>>>>>> template-v0.2.0" in text
    (project / "Makefile").write_text("all:\n")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--no-edit")
    assert regenerate(project, "--check").returncode == 0
    refused = regenerate(project, "--abort")
    assert refused.returncode == 1 and "git revert" in refused.stderr


def test_dry_run_says_all_and_changes_nothing(project):
    both_edit(project)
    commit_all(project, "Owner's work")
    before, objects = state(project), snapshot(project / ".git")
    dry = regenerate(project, "--dry-run")
    assert dry.returncode == 1 and state(project) == before
    assert {name for name in snapshot(project / ".git") if name != "index"} == {
        name for name in objects if name != "index"}
    assert dry.stdout.partition("\nNothing is changed")[0] in regenerate(project).stdout


@pytest.mark.parametrize("staged", [False, True], ids=["edited", "staged"])
def test_uncommitted_changes_are_refused(project, staged):
    (project / "Makefile").write_text("mine\n")
    if staged:
        git(project, "add", "--all")
    before = state(project)
    done = regenerate(project)
    assert done.returncode == 1 and "uncommitted changes (Makefile): commit or stash" in done.stderr
    assert state(project) == before


@pytest.mark.parametrize("ignored", [False, True], ids=["untracked", "ignored"])
def test_untracked_file_in_the_way_is_refused(project, ignored):
    """Also one that Git ignores, which Git itself would overwrite."""
    (project / "new.txt").write_text("precious\n")
    if ignored:
        (project / ".git/info/exclude").write_text("new.txt\n")
    before = state(project)
    done = regenerate(project)
    assert done.returncode == 1 and "does not track (new.txt): commit them, or move them away" in done.stderr
    assert state(project) == before


def test_other_untracked_files_are_left_alone(project):
    (project / "notes.txt").write_text("mine\n")
    assert regenerate(project).returncode == 0 and (project / "notes.txt").read_text() == "mine\n"
    assert regenerate(project, "--abort").returncode == 0 and (project / "notes.txt").read_text() == "mine\n"


def test_check_tells_whether_it_is_behind(project):
    behind = regenerate(project, "--check", "--json")
    answer = json.loads(behind.stdout)
    assert behind.returncode == 2 and answer["behind"] is True
    assert (answer["version"], answer["newest_version"]) == ("v0.1.0", "v0.2.0")
    regenerate(project)
    commit_all(project, "Update")
    newest = regenerate(project, "--check", "--json")
    assert newest.returncode == 0 and json.loads(newest.stdout)["behind"] is False


def test_branch_gets_the_update_and_a_repeat_changes_nothing(project):
    """Index and working tree stay, uncommitted edits too; after a further commit the branch is made anew."""
    (project / "Makefile").write_text("not committed\n")
    before = state(project)
    first = regenerate(project, "--branch", "template-update")
    assert first.returncode == 0, first.stderr
    assert state(project) == before
    commit = git(project, "rev-parse", "template-update")
    assert "# Later: shorthand" in git(project, "show", "template-update:Makefile")
    assert "already" in regenerate(project, "--branch", "template-update", check=True).stdout
    assert git(project, "rev-parse", "template-update") == commit
    git(project, "checkout", "--quiet", "Makefile")
    (project / "notes.txt").write_text("mine\n")
    head = commit_all(project, "Owner's work")
    assert regenerate(project, "--branch", "template-update").returncode == 0
    assert git(project, "rev-parse", "template-update^") == head


def test_branch_with_other_work_is_refused(project):
    git(project, "branch", "mine")
    done = regenerate(project, "--branch", "mine")
    assert done.returncode == 1 and "branch mine holds other work" in done.stderr


def test_branch_gets_no_conflict(project):
    both_edit(project)
    commit_all(project, "Owner's work")
    done = regenerate(project, "--branch", "template-update")
    assert done.returncode == 1 and "Makefile: both changed it" in done.stdout
    assert "nothing is committed on branch template-update" in done.stderr
    assert not git(project, "branch", "--list", "template-update")


def test_line_ends_of_the_owner_stay(project):
    """A file that the owner turned to CRLF gets the template's change with CRLF, without a conflict."""
    text = (project / "Makefile").read_bytes()
    (project / "Makefile").write_bytes(text.replace(b"\n", b"\r\n") + b"# mine\r\n")
    commit_all(project, "Owner's work")
    assert regenerate(project).returncode == 0
    text = (project / "Makefile").read_bytes()
    assert b"# Later: shorthand" in text and text.count(b"\n") == text.count(b"\r\n") and text.endswith(b"# mine\r\n")


def test_hooks_and_settings_of_the_user_do_not_count(project, tmp_path):
    """Git hooks, signing, and merge settings of the user neither run nor change the outcome."""
    for hook in ("post-checkout", "pre-commit", "post-merge", "post-index-change"):
        path = project / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {tmp_path}/RAN\nexit 1\n")
        path.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text("[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n[merge]\n\trenames = false\n"
                      "[core]\n\tautocrlf = input\n[safe]\n\tdirectory = *\n")
    with (project / "old-name.sh").open("a") as stream:
        stream.write("# the owner's line\n")
    git(project, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-a", "-m", "Owner's work")
    done = regenerate(project, GIT_CONFIG_GLOBAL=config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "new-name.sh").read_text().endswith("# the owner's line\n")
    assert not (tmp_path / "RAN").exists()


def test_folder_of_a_larger_repository_is_updated_alone(project, tmp_path):
    """Other folders, and edits there that are not committed, stay as they are."""
    shutil.rmtree(project / ".git")
    top = tmp_path / "larger"
    (top / "other").mkdir(parents=True)
    (top / "other" / "notes").write_text("1\n")
    inner = shutil.copytree(project, top / "collections" / "cpl", symlinks=True)
    both_edit(inner)
    git(top, "init", "--quiet")
    commit_all(top, "All")
    (top / "other" / "notes").write_text("2\n")
    before = state(top)
    done = regenerate(inner)
    assert done.returncode == 1 and unmerged(inner) == {"Makefile"}, done.stdout + done.stderr
    assert (inner / "new.txt").exists() and (top / "other" / "notes").read_text() == "2\n"
    assert regenerate(inner, "--abort").returncode == 0
    assert state(top) == before


def test_shallow_clone_is_updated(project, tmp_path):
    commit_all(project, "Same") if git(project, "status", "--porcelain") else None
    run("git", "clone", "--quiet", "--depth", "1", f"file://{project}", tmp_path / "shallow")
    done = regenerate(tmp_path / "shallow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "shallow" / "new.txt").exists()


def test_update_costs_at_most_three_seconds(project):
    """Of processor time, Git's and Cookiecutter's own included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    regenerate(project, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime <= 3


def test_program_of_the_template_works_in_any_folder(project, two_releases):
    """scripts/regenerate of a checkout brings the version of that checkout."""
    done = programs(two_releases, "scripts/regenerate", "--repository", project)
    assert done.returncode == 0 and "# Later: shorthand" in (project / "Makefile").read_text()


@pytest.mark.parametrize("program", [ROOT / "scripts/regenerate", ROOT / TEMPLATE_FOLDER / "bin/regenerate"],
                         ids=["template", "repository"])
def test_help_names_every_option(program):
    text = run("python3", program, "--help").stdout
    for option in ("--set", "--restore", "--dry-run", "--branch", "--check", "--json", "--abort", "--adopt"):
        assert option in text
