"""Run a script for custom claims without Logto, in an engine of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import quickjs

__all__ = ["NODE", "call", "call_in_node"]

NODE = shutil.which("node")
# The way in which a self-hosted Logto runs a script: the global object is frozen, and the arguments come from outside.
PROGRAM = """
const { runInNewContext } = require("node:vm");
const { script, name, parameters } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const custom = runInNewContext(`${script};${name};`, Object.freeze({ fetch }));
Promise.resolve(custom(parameters)).then((answer) => process.stdout.write(JSON.stringify(answer)));
"""


def call(script: str, name: str, parameters: object) -> Any:
    """Return what the function `name` of a script returns, which is no promise."""
    context = quickjs.Context()
    context.eval(script)
    return json.loads(context.eval(f"JSON.stringify({name}({json.dumps(parameters)}))"))


def call_in_node(script: str, name: str, parameters: object) -> Any:
    """Return what the function `name` of a script returns, or what its promise becomes, in Node.js."""
    assert NODE is not None
    given = json.dumps({"script": script, "name": name, "parameters": parameters})
    done = subprocess.run([NODE, "-e", PROGRAM], input=given, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)
