#!/usr/bin/env python3
"""Run a command in this checkout on a fresh, minimal Debian that nobody has installed anything on.

The tests of a checkout can be green because somebody installed a program for another purpose. The fresh root holds the
packages that every Debian has, and the tracked files of this checkout as they are now, committed or not.
The root uses the network, certificates, and apt and pip settings of this machine. No Docker engine can run there.

Without COMMAND, the root runs all tests that need no engine: as root through .ci/run, which installs what is missing;
with --user through make test, which then skips what lacks a program.

The root disappears at the end. Its mounts are in a namespace of their own, and end with the last process in it.
After a SIGKILL, the next run removes the folder. mmdebstrap and about 6 GB in TMPDIR (default: /var/tmp) are needed.
With CUMULUS_TEST_DATA set, the root sees that folder.

Exit status: that of COMMAND; 1 the root cannot be made, 2 usage, 3 this machine cannot have one.
"""

import argparse
import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SUITE = "bookworm"  # the oldest Debian with Python 3.11
PARENT = Path(os.environ.get("TMPDIR") or "/var/tmp")
USER = "tester"
USER_PACKAGES = ("git", "make", "python3-venv")  # what make test needs to start, and only root can install
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
SETTINGS = re.compile(r"PIP_\w+|\w+_proxy|CUMULUS_TEST_DATA|" + "|".join(BUNDLES), re.IGNORECASE)
PIP_FILES = ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf")
# Without the right to administer networks, scripts/engine-up starts no engine in the root.
ENTER = ("setpriv", "--bounding-set", "-net_admin", "chroot")


class CannotRun(Exception):
    """What is missing, in words, and the exit status."""

    def __init__(self, sentence, status):
        super().__init__(sentence)
        self.status = status


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/fresh-root.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", action="store_true",
                        help=f"run as an ordinary user; the root has {', '.join(USER_PACKAGES)} then")
    parser.add_argument("--share", metavar="PATH", action="append", type=Path, default=[],
                        help="a file or folder of this machine that the root sees, read-only, at the same path")
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="a program and its arguments")
    options = parser.parse_args()
    for path in options.share:
        if not path.is_absolute() or not path.exists():
            parser.error(f"--share {path}: give the absolute path of an existing file or folder")
    return options


def check_machine():
    """Refuse before anything is changed."""
    if os.geteuid() != 0:
        raise CannotRun("only root can make a fresh root: sudo scripts/fresh-root.py", 3)
    packages = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "setpriv": "util-linux", "git": "git"}
    missing = sorted({package for program, package in packages.items() if not shutil.which(program)})
    if missing:
        raise CannotRun(f"{' and '.join(missing)} missing: apt-get install {' '.join(missing)}", 3)


def contained(*command, **options):
    """Run in mount and process namespaces of their own, which end when this program ends, however it ends."""
    return subprocess.run(["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child",
                           *map(str, command)], check=False, **options).returncode


def lock(folder, how):
    """Lock a folder until the descriptor that this returns is closed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def new_folder():
    """Make a folder in PARENT, locked while this program runs, and remove those of killed runs, which no one locks."""
    turn = lock(PARENT, fcntl.LOCK_EX)  # nobody's folder is seen before it is locked
    for left in PARENT.glob("fresh-root.*"):
        with suppress(OSError):  # in use, or another user's
            if left.lstat().st_uid == os.geteuid():
                os.close(lock(left, fcntl.LOCK_EX | fcntl.LOCK_NB))
                remove(left)
    folder = Path(tempfile.mkdtemp(prefix="fresh-root.", dir=PARENT))
    lock(folder, fcntl.LOCK_EX)
    os.close(turn)
    folder.chmod(0o755)  # an ordinary user in the root passes through it
    return folder


def remove(folder):
    """Remove a root; what was killed in it a moment ago may still be writing."""
    for _ in range(50):
        if subprocess.run(["rm", "-rf", "--one-file-system", folder], stderr=subprocess.DEVNULL, check=False,
                          start_new_session=True).returncode == 0:
            return
        time.sleep(0.2)
    print(f"fresh-root: cannot remove {folder}", file=sys.stderr)


def mirrors():
    """Where this Debian gets its packages from, as lines of a sources.list for SUITE; nothing on other systems."""
    system = dict(re.findall(r'^(\w+)="?([^"\n]*)', Path("/etc/os-release").read_text(), re.MULTILINE))
    if system.get("ID") != "debian":
        return []
    own = system["VERSION_CODENAME"]
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(COMPONENT) $(CREATED_BY)"],
                            capture_output=True, text=True, check=True).stdout
    wanted = re.findall(rf"^(\S+) {own}((?:-updates|-security)?) main Packages$", listed, re.MULTILINE)
    return [f"deb {site} {SUITE}{part} main" for site, part in wanted]


def make_root(root, with_user):
    """A minimal Debian that downloads packages as this machine does."""
    dumped = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    settings = root.parent / "apt.conf"
    settings.write_text("".join(line for line in dumped.splitlines(keepends=True)
                                if re.match("Acquire::(?!IndexTargets)", line)))
    packages = ["ca-certificates", *(USER_PACKAGES if with_user else ())]
    log = root.parent / "mmdebstrap.log"
    with log.open("w") as output:
        status = contained("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}",
                           f"--aptopt={settings}", f'--customize-hook=chroot "$1" useradd --create-home {USER}',
                           SUITE, root, *mirrors(), stdout=output, stderr=subprocess.STDOUT,
                           env={**os.environ, "TMPDIR": str(root.parent)})
    if status:
        sys.stderr.write("".join(log.read_text().splitlines(keepends=True)[-20:]))
        raise CannotRun(f"mmdebstrap ended with status {status}: see above", 1)


def hand_in_settings(root, home):
    """Copy name resolution, certificates and pip's settings; returns the variables that belong to them."""
    variables = {name: value for name, value in os.environ.items() if SETTINGS.fullmatch(name)}
    files = {path: path for path in ("/etc/resolv.conf", "/etc/hosts", SYSTEM_BUNDLE)}
    files |= {variables[name]: variables[name] for name in BUNDLES if name in variables}
    files |= {os.path.expanduser(path): path.replace("~", home) for path in PIP_FILES}
    for source, target in files.items():
        if os.path.isfile(source):
            copy = root / target.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            shutil.copyfile(source, copy)
    return variables


def copy_checkout(target):
    """Clone this checkout, then make the tracked files as they are now."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", CHECKOUT, target], check=True)
    changes = subprocess.run(["git", "-C", CHECKOUT, "diff-index", "--binary", "--patch", "HEAD"],
                             stdout=subprocess.PIPE, check=True).stdout
    if changes:
        subprocess.run(["git", "-C", target, "apply", "--index", "-"], input=changes, check=True)


def mounts(root, shared):
    """The shell commands that mount what a running system has, and what is shared."""
    # The root is a mount itself, since unshare in it asks for that.
    lines = [f"mount --bind {root} {root}", f"mount --rbind /dev {root}/dev",
             f"mount -t tmpfs -o mode=1777 tmpfs {root}/dev/shm", f"mount -t proc proc {root}/proc",
             f"mount --rbind /sys {root}/sys"]
    for path in shared:
        target = root / str(path).lstrip("/")
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        source, target = shlex.quote(str(path)), shlex.quote(str(target))
        lines += [f"mount --bind {source} {target}", f"mount -o remount,bind,ro {target}"]
    return lines


def run_inside(folder, options):
    """Make the root in `folder` and run the command there; returns its exit status."""
    root = folder / "root"
    print(f"fresh-root: making a minimal Debian {SUITE} in {root}", file=sys.stderr)
    make_root(root, options.user)
    home = f"/home/{USER}" if options.user else "/root"
    variables = hand_in_settings(root, home)
    variables |= {"HOME": home, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    checkout = f"{home}/cumulus-docker-template"
    copy_checkout(root / checkout.lstrip("/"))
    enter = [*ENTER, root]
    if options.user:
        subprocess.run(["chroot", root, "chown", "-R", f"{USER}:{USER}", home], check=True)
        enter[-1:] = [f"--userspec={USER}:{USER}", root]
    shared = [*options.share, *(Path(variables[name]) for name in ["CUMULUS_TEST_DATA"] if name in variables)]
    only = 'ARGS=-m "not engine"'
    command = options.command or (["make", "test", only] if options.user else
                                  ["env", "REQUIRE_ENGINE=0", only, ".ci/run"])
    print(f"fresh-root: {shlex.join(command)}", file=sys.stderr)
    # The shell stays, as the first process: it waits for orphans, which not every command does.
    script = "\n".join(["set -e", *mounts(root, shared), '"$@"', "exit 0"])
    return contained("sh", "-c", script, "sh", *enter, "env", "-i", "--default-signal", f"--chdir={checkout}",
                     *(f"{name}={value}" for name, value in variables.items()), *command)


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        check_machine()
        folder = new_folder()
        try:
            return run_inside(folder, options)
        finally:
            remove(folder)
    except CannotRun as problem:
        print(f"fresh-root: {problem}", file=sys.stderr)
        return problem.status


if __name__ == "__main__":
    sys.exit(main())
