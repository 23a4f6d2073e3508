"""Runs the scripts for custom claims of a tenant, in QuickJS.

Logto runs a script in a new context of Node's `vm` module: beside the language itself it has `fetch` and a `console`
that prints nothing. Here it has the same names, but `fetch` always fails. `Intl` and `WebAssembly` do not exist. The
texts of errors that the engine raises are those of QuickJS.
"""

from __future__ import annotations

import json
import time
from typing import Any

# The engine counts the processor time of the whole process, so a busy machine needs longer.
TIME_LIMIT_SECONDS = 1
MEMORY_LIMIT_BYTES = 128 * 1024 * 1024
# Smaller than the default, as threads of some systems have small stacks.
STACK_LIMIT_BYTES = 256 * 1024
_NOT_JSON = "The script returned something that JSON cannot hold."

# The function takes ("run", script, payload) once and then ("outcome"), and returns JSON. It takes what it needs before
# the script can change it.
_HARNESS = """
(() => {
  const { parse, stringify } = JSON;
  const evaluate = globalThis.eval, text = String, HostError = Error, isArray = Array.isArray;
  const denials = new WeakMap();
  let outcome = { state: "pending" }, asked = false;
  const foreign = ["atob", "btoa", "performance", "queueMicrotask", "navigator", "DOMException", "InternalError",
    "DisposableStack", "AsyncDisposableStack", "SuppressedError", "Float16Array"];
  foreign.forEach((name) => { delete globalThis[name]; });
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  const quiet = () => undefined;
  const methods = ["debug", "error", "info", "log", "warn", "dir", "dirxml", "table", "trace", "group",
    "groupCollapsed", "groupEnd", "clear", "count", "countReset", "assert", "profile", "profileEnd", "time",
    "timeLog", "timeEnd", "timeStamp"];
  define("console", Object.fromEntries(methods.map((name) => [name, quiet])));
  define("fetch", async () => {
    asked = true;
    throw new TypeError("fetch failed: the emulator's scripts have no network");
  });
  const api = Object.freeze({
    denyAccess: (message = "Access denied") => {
      const denial = new HostError(message);
      denials.set(denial, message);
      throw denial;
    },
  });
  const messageOf = (error) => {
    try { return error instanceof HostError ? text(error.message) : text(error); } catch { return "Unknown error"; }
  };
  const failed = (error) => {
    const denial = denials.get(error);
    const state = typeof denial === "string" ? "denied" : "failed";
    outcome = { state, message: messageOf(error) };
  };
  const settled = (result) => {
    if (typeof result !== "object" || result === null || isArray(result)) {
      outcome = { state: "failed", message: "Invalid input" };
      return;
    }
    const claims = {};
    for (const name in result) { claims[name] = result[name]; }
    try {
      outcome = { state: "claims", claims: stringify(claims) };
    } catch (error) {
      outcome = { state: "not_json", message: messageOf(error) };
    }
  };
  const run = (script, payload) => {
    try {
      const custom = evaluate(script + ";getCustomJwtClaims;");
      if (typeof custom !== "function") {
        throw new TypeError("The script does not have a function named `getCustomJwtClaims`");
      }
      const { token, context, environmentVariables } = parse(payload);
      (async () => custom({ token, context, environmentVariables, api }))().then(settled, failed);
    } catch (error) {
      failed(error);
    }
  };
  return (what, script, payload) => {
    if (what === "run") { run(script, payload); }
    return stringify({ ...outcome, asked });
  };
})()
"""


class ScriptFailed(Exception):
    """A script threw, ran out of time or returned no object. The text is what Logto says of it."""


class AccessDenied(Exception):
    """A script called `api.denyAccess` with this text."""


class EngineMissing(Exception):
    """The engine is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "The emulator needs quickjs-ng to run scripts for custom claims. "
            'It is not installed: pip install "logto_auth[emulator]"'
        )


class NotJSON(ScriptFailed):
    """A script returned what JSON cannot hold, such as a BigInt."""


def run_script(
    script: str,
    *,
    token: dict[str, Any],
    context: dict[str, Any] | None,
    environment_variables: dict[str, str] | None,
) -> dict[str, Any]:
    """Return the claims of a script. Raise ScriptFailed, AccessDenied or EngineMissing.

    A script has one second of processor time. Logto gives it three seconds up to its first `await`, and no limit then.
    """
    payload: dict[str, Any] = {"token": token}
    if context is not None:
        payload["context"] = context
    if environment_variables is not None:
        payload["environmentVariables"] = environment_variables
    outcome = _outcome(script, json.dumps(payload))
    if outcome["state"] == "claims":
        return dict(json.loads(outcome["claims"]))
    if outcome["state"] == "denied":
        raise AccessDenied(outcome["message"])
    if outcome["state"] == "not_json":
        raise NotJSON(f"{_NOT_JSON} {outcome['message']}")
    network = " It called `fetch`, which always fails in the emulator." if outcome["asked"] else ""
    raise ScriptFailed(outcome["message"] + network)


def _outcome(script: str, payload: str) -> dict[str, Any]:
    """Return what became of a script. The engine lives and dies in this call: it may not change its thread."""
    quickjs = engine()
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_LIMIT_BYTES)
    context.set_max_stack_size(STACK_LIMIT_BYTES)
    harness = context.eval(_HARNESS)
    deadline = time.monotonic() + TIME_LIMIT_SECONDS
    try:
        context.set_time_limit(TIME_LIMIT_SECONDS)
        harness("run", script, payload)
        while context.execute_pending_job():
            left = deadline - time.monotonic()
            if left <= 0:
                return _failure(_timeout())
            context.set_time_limit(left)
    except quickjs.JSException as error:
        # Only what a script cannot catch arrives here.
        return _failure(_timeout() if "interrupted" in str(error) else str(error).partition("\n")[0])
    context.set_time_limit(TIME_LIMIT_SECONDS)
    outcome: dict[str, Any] = json.loads(harness("outcome"))
    if outcome["state"] == "pending":
        return _failure("The script waits for a promise that nothing settles. Logto would not answer at all.")
    return outcome


def _failure(message: str) -> dict[str, Any]:
    return {"state": "failed", "message": message, "asked": False}


def _timeout() -> str:
    return f"Script execution timed out after {TIME_LIMIT_SECONDS * 1000}ms of processor time"


def engine() -> Any:
    """Return the module of the engine, which only a tenant with a script needs. Raise EngineMissing."""
    try:
        import quickjs
    except ImportError:
        raise EngineMissing from None
    return quickjs
