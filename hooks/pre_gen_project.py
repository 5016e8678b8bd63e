"""Check every answer before a file is written; report all problems, one line each.

Cookiecutter renders this file and runs it inside the new, still empty project directory.
The answers arrive as JSON inside a string literal: they are data, never part of the program.
"""

import contextlib
import json
import os
import re
import shlex
import sys
from pathlib import Path

# The grammar of image references: host.example.org:5000/path/name:tag.
HOST = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?"
COMPONENT = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"

# question: (pattern the whole answer must match, what is allowed, an example).
# The table in docs/questions.md repeats these; a test holds the two together.
RULES = {
    "data_name": (r"(?=.{1,40}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*",
                  "lower-case letters, digits and single hyphens, a letter first, 40 at most", "hs3-cpl"),
    "repo_name": (r"(?=.{1,100}\Z)" + COMPONENT,
                  "lower-case letters and digits with . _ - between them, no slash, 100 at most",
                  "docker-hs3-cpl"),
    "description": (r"(?=.{1,250}\Z)\S(.*\S)?",
                    "one line of text, no space at either end, 250 characters at most",
                    "HS3 Cloud Physics Lidar"),
    "short_name": (r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,84}",
                   "letters, digits and _ . + -, a letter or digit first, 85 at most", "hs3cpl"),
    "version": (r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}",
                "letters, digits and _ . -, a letter or digit first, 80 at most", "1"),
    "provider": (r"[A-Z][A-Z0-9_]{0,29}",
                 "capital letters, digits and _, a letter first, 30 at most", "GHRC_DAAC"),
    "input_pattern": (r"(?=.{1,200}\Z)(?=.*\*)(?!.*\*\*)(?!(.*\*){6})[A-Za-z0-9_*][A-Za-z0-9_.=,@~+*-]*",
                      "a file name with one to five *, no **, of letters, digits and _ . = , @ ~ + -, "
                      "200 at most; * may stand for a space", "HS3_CPL_*.hdf5"),
    "sample_data": (r"(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=+@~-]+)*/?)?",
                    "nothing, or an S3 URI: s3://BUCKET/PREFIX", "s3://my-bucket/sample-data/hs3cpl"),
    "registry": (rf"({HOST}(/{COMPONENT})*)?",
                 "nothing, or a registry host, optionally with :PORT and /PATH",
                 "123456789012.dkr.ecr.us-east-1.amazonaws.com"),
    "base_image": (rf"({HOST}/)?{COMPONENT}(/{COMPONENT})*:" r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,122}",
                   "an image with a tag, to which -dev is added for its sibling with the compiler",
                   "docker-base:latest"),
}


def problems(answers):
    """One line for each answer that is not allowed; choices are checked by Cookiecutter itself."""
    found = []
    for name, (pattern, allowed, example) in RULES.items():
        value = answers[name]
        # Every control and line-breaking character is refused, whatever the pattern says.
        if not isinstance(value, str) or not (value.isprintable() and re.fullmatch(pattern, value)):
            found.append(f"{name}: {value!r} is not allowed: {allowed}. Example: {example}")
    return found


def ask_again(answers, wrong):
    """The command that asks everything again, with the good answers as defaults."""
    words = ["cookiecutter", answers["_template"]]
    if answers.get("_checkout"):
        words += ["--checkout", answers["_checkout"]]
    if Path(answers["_output_dir"]) != Path(os.environ.get("PWD", "")):
        words += ["--output-dir", answers["_output_dir"]]
    # Cookiecutter would render what looks like Jinja once more.
    words += [f"{name}={value}" for name, value in answers.items()
              if not name.startswith("_") and name not in wrong and not re.search("[{][#%{]", str(value))]
    return shlex.join(words)


def remove_directories(repo_name, output):
    """Remove the empty directories that a repo_name with slashes made, deepest first, but not the output folder."""
    parts = Path(repo_name).parts
    for end in range(len(parts), 0, -1):
        directory = output.joinpath(*parts[:end]).resolve()
        if directory not in (output, *output.parents):
            with contextlib.suppress(OSError):  # not empty: somebody's files are in it
                directory.rmdir()


def main():
    answers = json.loads({{ cookiecutter | jsonify | tojson }})
    found = problems(answers)
    if "_commit" in answers and re.search(r"https?://[^/]*@", str(answers.get("_template"))):
        found.append("the template's address holds a user or token, which cruft would record: leave it out, and let a "
                     "credential helper of Git give it")
    if not found:
        return
    print("\nNothing was generated, because of " + ("this answer:" if len(found) == 1 else "these answers:"),
          file=sys.stderr)
    for line in found:
        print("  " + line, file=sys.stderr)
    if "_commit" not in answers and "_template" in answers:  # otherwise cruft renders, by its own command
        print("To answer again, with all other answers as defaults:\n  "
              + ask_again(answers, {line.partition(":")[0] for line in found}), file=sys.stderr)
    print("(What follows is Cookiecutter's own report that it stopped.)\n", file=sys.stderr, flush=True)
    if "/" in answers["repo_name"]:  # otherwise Cookiecutter removes the one directory that it made
        output = Path(answers["_output_dir"]).resolve()
        os.chdir(output.anchor)
        remove_directories(answers["repo_name"], output)
    sys.exit(1)


if __name__ == "__main__":
    main()
