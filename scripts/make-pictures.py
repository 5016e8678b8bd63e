#!/usr/bin/env python3
"""Make the picture of the README: the report of a broken conversion beside a browse image of the starter sample.

Renders the default collection into a temporary folder, exchanges two rows of the converter's table, processes the
starter sample, compares the products with the expected ones, and photographs the report with headless Chromium.
Takes about twenty seconds and needs the C libraries (scripts/native-up) and Chromium; `make pictures` runs it.

Exit status: 0 made, 1 a step failed, 2 usage, 3 a program is missing.
"""

import argparse
import html
import os
import shutil
import string
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GRANULE = "HS3_CPL_ATB_12203a_20120906"
PICTURE = "report-and-browse.png"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

# The first columns of two rows, exchanged: the channels of 532 nm and 1064 nm change places in the product.
EXCHANGED = {'{"/ATB_532", "", ': '{"/ATB_1064", "ATB_532", ', '{"/ATB_1064", "", ': '{"/ATB_532", "ATB_1064", '}

BROWSE = """
import sys
from cumulus.browse import write_browse
from cumulus.collection import BrowseRules
product, image = sys.argv[1:]
write_browse(product, image, BrowseRules(variable="ATB_532"))
"""

SIZE = 1600, 796  # of the picture, in pixels
SECONDS = 300  # after which a command has failed
REPORT_SIZE = 1000, 915  # of the window that shows the report
PAGE = string.Template("""<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #eef1f4; font: 22px/1.3 "DejaVu Sans", sans-serif; color: #1b1f24; }
main { display: grid; grid-template-columns: 800px 1fr; gap: 16px; padding: 12px 16px; }
figure { margin: 0; } figcaption { padding: 2px 0 8px; white-space: nowrap; }
img, pre { width: 100%; display: block; box-shadow: 0 0 6px #8899aa; }
pre { box-sizing: border-box; margin: 0 0 16px; padding: 10px 14px; background: #1b1f24; color: #e8ebee;
  font: 15px/1.4 "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
</style><main>
<figure><figcaption>Two rows of the table exchanged: the report</figcaption><img src="report.png"></figure>
<div><figure><figcaption>The same in the terminal</figcaption><pre>$output</pre></figure>
<figure><figcaption>A browse image</figcaption><img src="browse.png"></figure></div>
</main>""")


class StepFailed(Exception):
    """A command ended with another status than it should; the message holds its output."""


def run(*command, cwd=ROOT, status=0):
    """Run a command and return its output; raise StepFailed if it ends with another status."""
    # The programs of this Python's environment first: process.py of the rendered repository asks for `python3`.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([str(argument) for argument in command], cwd=cwd, env={**os.environ, "PATH": path},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=SECONDS)
    if done.returncode != status:
        raise StepFailed(f"{' '.join(map(str, command))} ended with status {done.returncode}, expected {status}:\n"
                         f"{done.stdout}")
    return done.stdout


def exchange_rows(table):
    """Edit the converter's table: two channels are read from each other's dataset."""
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        for right, wrong in EXCHANGED.items():
            if right in line:
                lines[number] = line.replace(right, wrong)
    text = "".join(lines)
    if not all(wrong in text for wrong in EXCHANGED.values()):
        raise StepFailed(f"{table.name} has no rows that begin with {' and '.join(EXCHANGED)}")
    table.write_text(text, encoding="utf-8")


def make_report(folder):
    """Render a repository in a folder, break its converter, and write folder/report.html.

    Returns the repository and what the comparison prints.
    """
    run(sys.executable, "-m", "cookiecutter", "--no-input", "--default-config", "--output-dir", folder, ROOT)
    project = folder / "docker-hs3-cpl"
    run("make", "-C", ROOT / "docker-base" / "converter", "install", f"PREFIX={project}/.venv",
        f"BUILD={folder}/library")
    exchange_rows(project / "convert" / "hs3cpl2nc.c")
    run("make", "-C", "convert", cwd=project)
    run(sys.executable, "process.py", "data/input", "data/test-output", cwd=project)
    output = run(sys.executable, "-m", "cumulus", "compare", "data/output", "data/test-output", "--rules",
                 "collection.toml", "--html", folder / "report.html", cwd=project, status=1)
    return project, output


def shorten(output):
    """The comparison's lines up to the second variable, and its totals, as HTML."""
    lines = output.splitlines()
    variables = [number for number, line in enumerate(lines) if line.startswith("    /")]
    totals = [line for line in lines if "files compared" in line]
    return html.escape("\n".join([*lines[:variables[1]], "    ...", *totals]))


def photograph(browser, page, image, size):
    """Write what a browser shows of a page in a window of a size (width, height) in pixels."""
    width, height = size
    run(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
        f"--user-data-dir={page.parent}/browser", f"--window-size={width},{height}", f"--screenshot={image}",
        page.as_uri())
    if not image.is_file():
        raise StepFailed(f"{browser} wrote no picture of {page}")


def make_picture(browser, target):
    """Write the picture to a file; an earlier one stays until the new one is complete."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project, output = make_report(folder)
        photograph(browser, folder / "report.html", folder / "report.png", REPORT_SIZE)
        run(sys.executable, "-c", BROWSE, project / "data" / "output" / f"{GRANULE}.nc", folder / "browse.png")
        (folder / "page.html").write_text(PAGE.substitute(output=shorten(output)), encoding="utf-8")
        photograph(browser, folder / "page.html", folder / PICTURE, SIZE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / PICTURE, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures", metavar="FOLDER",
                        help="where the picture goes (default: docs/pictures in this checkout)")
    folder = parser.parse_args().output.resolve()
    browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if browser is None:
        print("make-pictures: Chromium is missing: apt-get install chromium", file=sys.stderr)
        return 3
    try:
        make_picture(browser, folder / PICTURE)
    except (StepFailed, OSError, subprocess.TimeoutExpired) as failure:
        print(f"make-pictures: {failure}", file=sys.stderr)
        return 1
    print(folder / PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
