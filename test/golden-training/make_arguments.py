"""Writes arguments.json: the names and defaults of transformers' TrainingArguments.

    python make_arguments.py NEWER_PYTHON OLDER_PYTHON > arguments.json

Each PYTHON has a version of transformers; of the older one only the names that the newer one has no longer are kept.
"""
import json
import subprocess
import sys

LIST = """
import dataclasses, json, transformers
names = {}
for field in dataclasses.fields(transformers.TrainingArguments):
    value = getattr(field.default, 'value', field.default)
    names[field.name] = value if isinstance(value, (int, float, str, bool)) else None
print(json.dumps({'version': transformers.__version__, 'defaults': names}))
"""


def arguments_of(python):
    return json.loads(subprocess.run([python, "-c", LIST], check=True, capture_output=True, text=True).stdout)


newer, older = (arguments_of(python) for python in sys.argv[1:3])
removed = [name for name in older["defaults"] if name not in newer["defaults"] and not name.startswith("_")]
print(json.dumps({"transformers": newer["version"], "defaults": newer["defaults"], "removed": {"transformers": older["version"], "names": removed}}, indent=1))
