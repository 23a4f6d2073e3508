"""Runs the scripts that a tenant has for sign-ins ("Actions"), in QuickJS. Their `fetch` sends real requests.

A script has the language itself and `fetch`. A self-hosted Logto lets it reach more, such as `process`, which is not
documented. A script that waits for longer than five seconds fails, as recorded from Logto 1.42.
"""

from __future__ import annotations

import json
import time
from typing import Any

import requests

from .claims_scripts import MEMORY_LIMIT_BYTES, STACK_LIMIT_BYTES, EngineMissing, ScriptFailed, engine

__all__ = ["EngineMissing", "ScriptFailed", "run_action"]

TIME_LIMIT_SECONDS = 5
# Those of Node's `fetch`, in the order that was recorded.
_NODE_HEADERS = {
    "accept": "*/*",
    "accept-language": "*",
    "sec-fetch-mode": "cors",
    "user-agent": "node",
    "accept-encoding": "gzip, deflate",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# The function takes ("run", script, payload) once, then ("requests"), ("respond", number, response) and ("outcome"). It
# takes and returns JSON. The engine cannot call Python while it has a time limit, so requests wait in a list.
_HARNESS = """
(() => {
  const { parse, stringify } = JSON;
  const evaluate = globalThis.eval, text = String, HostError = Error;
  const waiting = [], requests = [];
  let outcome = { state: "pending" };
  for (const name of ["atob", "btoa", "performance", "navigator", "DOMException"]) { delete globalThis[name]; }
  const responseOf = ({ status, body, headers }) => ({
    status,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => headers[text(name).toLowerCase()] ?? null },
    text: async () => body,
    json: async () => parse(body),
  });
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  const quiet = () => undefined;
  define("console", { debug: quiet, error: quiet, info: quiet, log: quiet, warn: quiet });
  define("fetch", (url, options = {}) => new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body = null, redirect = "follow" } = options;
    const number = waiting.push({ resolve, reject }) - 1;
    requests.push({ number, url: text(url), method, headers, body, redirect });
  }));
  const respond = (number, answer) => {
    const { resolve, reject } = waiting[number];
    if (answer.error) { reject(new TypeError("fetch failed")); } else { resolve(responseOf(answer)); }
  };
  const failed = (error) => {
    try {
      outcome = { state: "failed", message: error instanceof HostError ? text(error.message) : text(error) };
    } catch {
      outcome = { state: "failed", message: "Unknown error" };
    }
  };
  const settled = (result) => {
    try {
      outcome = result === undefined ? { state: "nothing" } : { state: "result", result: stringify(result) ?? "null" };
    } catch (error) { failed(error); }
  };
  const run = (script, payload) => {
    try {
      const action = evaluate(script + ";runAction;");
      if (typeof action !== "function") {
        throw new TypeError("The script does not have a function named `runAction`");
      }
      (async () => action(parse(payload)))().then(settled, failed);
    } catch (error) { failed(error); }
  };
  return (what, first, second) => {
    if (what === "run") { run(first, second); }
    if (what === "respond") { respond(first, parse(second)); }
    return stringify(what === "requests" ? requests.splice(0) : outcome);
  };
})()
"""


def run_action(script: str, *, event: Any, environment_variables: dict[str, str] | None) -> tuple[bool, Any]:
    """Return whether a script has returned something, and what. Raise ScriptFailed or EngineMissing."""
    payload: dict[str, Any] = {"event": event}
    if environment_variables is not None:
        payload["environmentVariables"] = environment_variables
    outcome = _outcome(script, json.dumps(payload))
    if outcome["state"] == "failed":
        raise ScriptFailed(outcome["message"])
    return (True, json.loads(outcome["result"])) if outcome["state"] == "result" else (False, None)


def _outcome(script: str, payload: str) -> dict[str, Any]:
    """Return what became of a script. The engine lives and dies in this call: it may not change its thread."""
    quickjs = engine()
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_LIMIT_BYTES)
    context.set_max_stack_size(STACK_LIMIT_BYTES)
    harness = context.eval(_HARNESS)
    deadline = time.monotonic() + TIME_LIMIT_SECONDS

    def call(*arguments: Any) -> Any:
        # The engine counts processor time, of which waiting takes none.
        context.set_time_limit(TIME_LIMIT_SECONDS)
        answer = json.loads(harness(*arguments))
        while context.execute_pending_job():
            if time.monotonic() > deadline:
                break
        return answer

    try:
        call("run", script, payload)
        while (requested := call("requests")) and time.monotonic() <= deadline:
            for request in requested:
                call("respond", request["number"], _send(request, deadline))
        outcome: dict[str, Any] = call("outcome")
    except quickjs.JSException as error:
        # Only what a script cannot catch arrives here.
        return {"state": "failed", "message": str(error).partition("\n")[0]}
    if time.monotonic() > deadline:
        return {"state": "failed", "message": f"Script execution timed out after {TIME_LIMIT_SECONDS} seconds"}
    if outcome["state"] == "pending":
        return {"state": "failed", "message": "The script waits for a promise that nothing settles."}
    return outcome


def _send(request: dict[str, Any], deadline: float) -> str:
    """Send a request of a script, and return the response as JSON."""
    try:
        with requests.Session() as session:
            # Use no proxy and no credentials of the environment.
            session.trust_env = False
            session.headers.clear()
            response = session.request(
                request["method"],
                request["url"],
                data=None if request["body"] is None else str(request["body"]).encode(),
                headers={**request["headers"], **_NODE_HEADERS},
                timeout=max(0.1, deadline - time.monotonic()),
                allow_redirects=request["redirect"] == "follow",
            )
    except (requests.RequestException, ValueError, UnicodeError) as error:
        return json.dumps({"error": type(error).__name__})
    if request["redirect"] == "error" and response.status_code in _REDIRECTS:
        return json.dumps({"error": "unexpected redirect"})
    headers = {name.lower(): value for name, value in response.headers.items()}
    return json.dumps({"status": response.status_code, "body": response.text, "headers": headers})
