"""Migrations: changes of the owner's files and answers that a render cannot say.

The template ships them as migrations/NAME.toml; those that it had already at the recorded commit are done. A file holds

    why = "one sentence for the owner"
    rename = { "old/path" = "new/path" }                          # a file or a folder
    answer = { "old_question" = "new_question" }
    [[key]]                                                       # a key of a TOML file, its comments kept
    file = "collection.toml"
    from = "sample.source"
    to = "sample.uri"
"""

import re
import tomllib

from .git import Problem

__all__ = ["Migration", "move_key"]


class Migration:
    """One file of migrations."""

    def __init__(self, name, text):
        self.name = name
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise Problem(f"{name} of the template is broken ({error}): name another version") from error
        self.why = content["why"]
        self.renames = content.get("rename", {})
        self.answers = content.get("answer", {})
        self.keys = content.get("key", [])

    def lines(self):
        """What it does, one line each, for the owner to read before it runs."""
        yield f"{self.name.removeprefix('migrations/')}: {self.why}"
        for verb, pairs in (("rename", self.renames), ("take the answer of", self.answers)):
            yield from (f"  {verb} {old} -> {new}" for old, new in pairs.items())
        yield from (f"  {key['file']}: move {key['from']} -> {key['to']}" for key in self.keys)

    def rename_answers(self, answers):
        """The answers under the names of the newer questions."""
        return {self.answers.get(name, name): value for name, value in answers.items()}

    def rename_files(self, files):
        """The files under their newer paths; a path that exists already is left to the merge."""
        moved = {}
        for path, entry in files.items():
            target = path
            for old, new in self.renames.items():
                if path == old or path.startswith(f"{old}/"):
                    target = new + path[len(old):]
            moved[path if target in files else target] = entry
        return moved

    def move_keys(self, git, files):
        """The files with their keys moved, and one line for each key that the owner must move by hand."""
        files, left = dict(files), []
        for key in self.keys:
            if key["file"] not in files:
                continue
            mode, name = files[key["file"]]
            text = git.run("cat-file", "blob", name).stdout.decode("utf-8", "surrogateescape")
            try:
                moved = move_key(text, key["from"], key["to"])
            except ValueError as error:
                left.append(f"{key['file']}: move {key['from']} to {key['to']} by hand ({error})")
                continue
            data = moved.encode("utf-8", "surrogateescape")
            files[key["file"]] = (mode, git("hash-object", "-w", "--stdin", data=data))
        return files, left


def move_key(text, old, new):
    """A TOML text with one key moved to another name or table, everything else as it was.

    `old` and `new` are dotted: table, then key. Raises ValueError where the text cannot be changed so with certainty.

    >>> print(move_key("[sample]\\nsource = 's3://b'  # ours\\n", "sample.source", "sample.uri"), end="")
    [sample]
    uri = 's3://b'  # ours
    """
    before = tomllib.loads(text)
    (old_table, _, old_key), (new_table, _, new_key) = old.rpartition("."), new.rpartition(".")
    if get(before, old_table, old_key) is None:
        return text
    if get(before, new_table, new_key) is not None:
        raise ValueError(f"{new} is there, too")
    lines = text.splitlines(keepends=True)
    start = next((number for number in table_lines(lines, old_table)
                  if re.match(rf"\s*{re.escape(old_key)}\s*=", lines[number])), None)
    if start is None:
        raise ValueError("it is not written on lines of its own")
    end = next(end for end in range(start + 1, len(lines) + 1) if is_complete("".join(lines[start:end])))
    moved = [re.sub(rf"^(\s*){re.escape(old_key)}", rf"\g<1>{new_key}", lines[start], count=1), *lines[start + 1:end]]
    if old_table == new_table:
        lines[start:end] = moved
    else:
        del lines[start:end]
        insert(lines, new_table, moved)
    result = "".join(lines)
    if tomllib.loads(result) != expected(before, old, new):
        raise ValueError("its lines are written in a way that this cannot change")
    return result


def table_lines(lines, table):
    """The numbers of the lines that belong to a table, its head excluded."""
    current = ""
    for number, line in enumerate(lines):
        head = re.match(r"\s*\[([^\[\]]+)\]\s*(#.*)?$", line)
        if head or line.lstrip().startswith("[["):
            current = head[1].strip() if head else None
        elif current == table:
            yield number


def insert(lines, table, moved):
    """Add lines at the end of a table, or that table at the end of the text."""
    numbers = [number for number in table_lines(lines, table) if lines[number].strip()]
    head = next((number for number, line in enumerate(lines)
                 if re.match(rf"\s*\[{re.escape(table)}\]\s*(#.*)?$", line)), None)
    if head is None:
        lines += ["" if not lines or lines[-1].endswith("\n") else "\n", f"\n[{table}]\n"]
        head = len(lines) - 1
    position = max([head, *numbers]) + 1
    lines[position:position] = moved


def is_complete(text):
    """Whether lines are a TOML text of their own: a value may go over several."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def get(document, table, key):
    """The value of a key, or None."""
    for part in filter(None, table.split(".")):
        document = document.get(part, {})
    return document.get(key)


def expected(before, old, new):
    """The document with the key moved; its table stays, even where it is empty."""
    (old_table, _, old_key), (new_table, _, new_key) = old.rpartition("."), new.rpartition(".")
    value = get(before, old_table, old_key)
    document = before
    for part in filter(None, old_table.split(".")):
        document = document[part]
    del document[old_key]
    document = before
    for part in filter(None, new_table.split(".")):
        document = document.setdefault(part, {})
    document[new_key] = value
    return before
