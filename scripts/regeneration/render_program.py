"""Render versions of a template with Cookiecutter, hooks off: render_program.py JOBS RESULTS, two JSON files.

This program runs with the Python that has Cookiecutter. A job is {"template": folder, "answers": {...}, "output":
folder, "check": whether the answers must obey the template's rules}; its result is {"answers": all answers,
"problems": one line each, "folder": what was rendered}. Where there are problems, nothing is rendered.
"""

import importlib.util
import json
import os
import sys

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.generate import generate_context, generate_files
from cookiecutter.prompt import prompt_for_config


def rules_broken(template, answers):
    """What the template's own check of answers says."""
    path = os.path.join(template, "hooks", "pre_gen_project.py")
    if not os.path.isfile(path):
        return []
    spec = importlib.util.spec_from_file_location("pre_gen_project", path)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module.problems(answers)


def choices_broken(template, answers):
    """One line for each answer that is none of its question's choices."""
    with open(os.path.join(template, "cookiecutter.json"), encoding="utf-8") as stream:
        questions = json.load(stream)
    return [f"{name}: {value!r} is not allowed: {', '.join(map(str, questions[name]))}"
            for name, value in answers.items()
            if isinstance(questions.get(name), list) and value not in questions[name]]


def render(job):
    """Do one job; see above."""
    template, given = job["template"], job["answers"]
    problems = choices_broken(template, given)
    if problems:
        return {"answers": given, "problems": problems, "folder": None}
    context = generate_context(context_file=os.path.join(template, "cookiecutter.json"), default_context={},
                               extra_context=given)
    context["_cookiecutter"] = {name: value for name, value in context["cookiecutter"].items() if name[0] != "_"}
    context["cookiecutter"].update(prompt_for_config(context, no_input=True))
    answers = {name: value for name, value in context["cookiecutter"].items() if not name.startswith("_")}
    problems = rules_broken(template, answers) if job["check"] else []
    name = answers.get("repo_name", "")
    if not problems and (os.path.basename(name) != name or name in ("", ".", "..")):
        problems = [f"repo_name: {name!r} is not allowed: it names another folder"]
    if problems:
        return {"answers": answers, "problems": problems, "folder": None}
    context["cookiecutter"].update(_template=template, _output_dir=job["output"], _repo_dir=template, _checkout=None)
    folder = generate_files(repo_dir=template, context=context, output_dir=job["output"], accept_hooks=False)
    return {"answers": answers, "problems": [], "folder": str(folder)}


def main(jobs, results):
    done = []
    with open(jobs, encoding="utf-8") as stream:
        for job in json.load(stream):
            try:
                done.append(render(job))
            except (CookiecutterException, ValueError, OSError) as error:
                reason = str(error).partition(" Context: ")[0]
                done.append({"answers": job["answers"], "problems": [f"Cookiecutter: {reason}"], "folder": None})
    with open(results, "w", encoding="utf-8") as stream:
        json.dump(done, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
