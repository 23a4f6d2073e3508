"""The output of a plan, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logto_auth.tenant.plan import Plan
from logto_auth.tenant.steps import Difference, Step

__all__ = ["plan_data", "plan_lines"]

SIGNS = {"create": "+", "change": "~", "nothing": "="}


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a line for each change, followed by its properties, and a line with the number of unchanged objects."""
    for step in plan.changes:
        yield f"{SIGNS[step.action]} {step}"
        for difference in step.differences:
            yield from _difference_lines(difference)
    if unchanged := len(plan.steps) - len(plan.changes):
        yield f"{SIGNS['nothing']} {unchanged} as declared"


def plan_data(plan: Plan) -> list[dict[str, Any]]:
    """Return all steps, including unchanged objects, as data for JSON."""
    return [_step_data(step) for step in plan.steps]


def _difference_lines(difference: Difference) -> Iterator[str]:
    if isinstance(difference.after, list):
        yield f"    {difference.name}:"
        yield from (f"      - {each}" for each in difference.removed)
        yield from (f"      + {each}" for each in difference.added)
    elif difference.before is None:
        yield f"    {difference.name}: {_text(difference.after)}"
    else:
        yield f"    {difference.name}: {_text(difference.before)} -> {_text(difference.after)}"


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _step_data(step: Step) -> dict[str, Any]:
    return {
        "action": step.action,
        "kind": step.kind,
        "name": step.name,
        "differences": [
            {"property": each.name, "before": each.before, "after": each.after} for each in step.differences
        ],
    }
