"""Finish a new project: record where it came from, prepare its data, say what to do next.

Nothing here may fail the generation: what cannot be done is said in one line, with the command to retry.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


def warn(message):
    print(f"Warning: {message}", file=sys.stderr)


class GitSays(Exception):
    """Why Git would not answer, in its own words."""


def git(folder, *arguments):
    """The output of a Git command run in `folder`."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False,
                              timeout=30, env={"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **os.environ,
                                               "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"})
    except OSError as error:
        raise GitSays(f"git: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise GitSays("it does not answer") from error
    if done.returncode:
        raise GitSays(" ".join(done.stderr.split()) or "git gives no reason")
    return done.stdout.strip()


def without_credentials(url):
    """The URL without password and query, over HTTP without the user: no token ends up in a committed file."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    user, at, host = parts.netloc.rpartition("@")
    kept = user.partition(":")[0] + at if "ssh" in parts.scheme else ""
    return urlunsplit(parts._replace(netloc=kept + host, query="", fragment=""))


def is_local(url):
    """Whether an address is a folder: neither a URL nor HOST:PATH."""
    return url.startswith("file://") or not re.match(r"[a-z+]+://|[^/]+:", url)


def has_commit(template, remote, commit):
    """Whether a remote has the commit, by its branches as they were fetched, or by its tags as it lists them now."""
    if any(line.strip().startswith(f"{remote}/") for line in
           git(template, "branch", "--remotes", "--contains", commit).splitlines()):
        return True
    tags = git(template, "tag", "--contains", commit).split()
    if not tags:
        return False
    try:
        listed = git(template, "ls-remote", "--tags", remote)
    except GitSays as reason:
        warn(f"the remote {remote} of the template cannot be asked whether it has the tag {tags[0]} ({reason}): if it "
             "has not, push the tag.")
        return True
    return any(f"refs/tags/{tag}" in listed.split() for tag in tags)


def origin(template, commit):
    """Where others find this commit of the template: a remote that has it, else this very folder."""
    remotes = sorted(git(template, "remote").split(), key=lambda name: name != "origin")
    remotes = [remote for remote in remotes if has_commit(template, remote, commit)]
    addresses = [git(template, "remote", "get-url", remote) for remote in remotes]
    url = next((url for url in addresses if not is_local(url)), next(iter(addresses), template))
    if is_local(url) and not url.startswith("file://"):
        return str(Path(template, url).resolve())
    return without_credentials(url)


def release_of(template, commit):
    """The release that is checked out, vX.Y.Z, or None."""
    tags = git(template, "tag", "--points-at", commit, "--sort=version:refname").split()
    return next((tag for tag in reversed(tags) if re.fullmatch(r"v\d+(\.\d+)*", tag)), None)


def template_folder(answers):
    """The template's folder. Cookiecutter names it as it was typed, but works in it while this hook runs."""
    for folder in (f"/proc/{os.getppid()}/cwd", Path(os.environ.get("PWD", "/"), answers["_repo_dir"])):
        if Path(folder, "cookiecutter.json").is_file():
            return Path(folder).resolve()
    return Path(answers["_repo_dir"])


def record_template(answers):
    """Write .cruft.json, with which `cruft check` and `cruft update` bring later changes of the template."""
    template = str(template_folder(answers))
    try:
        if Path(git(template, "rev-parse", "--show-toplevel")).resolve() != Path(template):
            raise GitSays("it is a folder inside another repository")
        commit = git(template, "rev-parse", "--verify", "HEAD")
        changed, url = git(template, "status", "--porcelain"), origin(template, commit)
        release = release_of(template, commit)
    except GitSays as reason:
        remedy = "render again from a Git clone of it" if shutil.which("git") else "install Git and render again"
        warn(f"{template} cannot be recorded as a Git repository ({reason}): without .cruft.json this project "
             f"cannot be updated from it, and bin/base and make native cannot build its library. To mend it: {remedy}.")
        return
    if changed:
        warn(f"{template} has uncommitted changes: they are in this project, but not in the commit that "
             ".cruft.json records.")
    if is_local(url):
        warn(f"{url} is recorded as the template's address, which only this machine knows. For others and "
             "for CI: push its commit to a remote and render again, or answer base_image with an image of your "
             "registry.")
    # Only the questions, in their order: derived values would override a later template's own derivation.
    questions = json.loads(Path(template, "cookiecutter.json").read_text(encoding="utf-8"))
    recorded = {name: answers[name] for name in questions if not name.startswith("_")}
    state = {"template": url, "commit": commit, "checkout": release or answers.get("_checkout") or None,
             "context": {"cookiecutter": {**recorded, "_template": url}}, "directory": None,
             "skip": ["data", *answers.get("_yours", "").split()]}
    Path(".cruft.json").write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def make_executable():
    """An unpacked archive has lost the permission to run the programs."""
    for program in (Path("process.py"), *Path("bin").iterdir()):
        program.chmod(program.stat().st_mode | 0o111)


def remove_empty_directories():
    """Remove the directories whose files the answers left out; not the user's own, where -f renders over a project."""
    for name in ("convert", "tests/sample/input", "tests/sample/output", "tests/sample", ".circleci"):
        with contextlib.suppress(OSError):  # absent, or not empty
            Path(name).rmdir()


def prepare_data(template):
    """Whether data/ is ready: bin/fetch-data as the template's own folder holds it, which needs no network for that."""
    library = template / "docker-base" / "py-cumulus" / "src"
    done = subprocess.run([sys.executable, "-B", "-P", "-m", "cumulus", "fetch"], check=False,
                          env=os.environ | {"PYTHONPATH": str(library)})
    if done.returncode:
        warn("the sample data is not here yet; the project is complete without it. "
             "To try again: bin/fetch-data")
    return done.returncode == 0


def finish(answers):
    record_template(answers)
    again = "" if prepare_data(template_folder(answers)) else "  bin/fetch-data            # get the sample data\n"
    print(f"""
{answers["repo_name"]} is ready. Next:

  cd {answers["repo_name"]}
{again}  bin/base                  # make sure of the base image {answers["base_image"]}
  docker compose run build  # build the image
  docker compose run test   # process data/input and compare with data/output

Without Docker: make native. What to edit, and how to publish: README.md.""", flush=True)


def main():
    answers = json.loads({{ cookiecutter | jsonify | tojson }})
    make_executable()
    remove_empty_directories()
    if "_commit" in answers:  # cruft renders; it writes its own record, and data is not its business
        return
    try:
        finish(answers)
    except BrokenPipeError:  # nobody reads any more; Python would fail once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # Cookiecutter would remove the whole project
        warn(f"the project is rendered, but not all is prepared ({error}). To try again: bin/fetch-data")


if __name__ == "__main__":
    main()
