"""Which connectors the sign-in page offers, and what else it does: the part of the sign-in experience that is at stake.

The page knows targets: `alipay-native` and `alipay-web` are both `alipay`, and are enabled as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from logto_auth.exceptions import ConnectorError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import Connector

TARGETS = "socialSignInConnectorTargets"
# Neither an identifier to sign up with, nor a way to sign in but the social ones.
SOCIAL_ONLY: dict[str, dict[str, Any]] = {
    "signUp": {"identifiers": [], "password": False, "verify": False},
    "signIn": {"methods": []},
}


def find_target(connectors: Iterable[Connector], name: str) -> str:
    """The target that `name` says, or that of the connector with this id or factory. Raises ConnectorError."""
    social = [each for each in connectors if each["type"] == "Social"]
    for each in social:
        if name in (each["target"], each["id"], each["connectorId"]):
            return each["target"]
    there_are = ", ".join(dict.fromkeys(each["target"] for each in social)) or "none; add one first"
    raise ConnectorError(f"No social connector has the target or the id {name!r}. Targets here: {there_are}.")


def enabling(experience: Mapping[str, Any], target: str, *, social_only: bool = False) -> dict[str, Any]:
    """The changes that offer `target`, after all others; with `social_only`, that leave no other ways in."""
    targets = experience[TARGETS]
    changes: dict[str, Any] = {} if target in targets else {TARGETS: [*targets, target]}
    if social_only:
        changes.update({name: none for name, none in SOCIAL_ONLY.items() if any(experience[name].values())})
    return changes


def disabling(experience: Mapping[str, Any], target: str) -> dict[str, Any]:
    """The changes that no longer offer `target`, and leave all others as they are."""
    targets = experience[TARGETS]
    return {TARGETS: [each for each in targets if each != target]} if target in targets else {}


def apply(api: ManagementAPI, changes: Mapping[str, Any]) -> list[str]:
    """Make the changes, and return the targets that are offered now. Raises ConnectorError.

    They are compared, for Logto drops targets without a connector and says nothing.
    """
    targets: list[str] = api.sign_in_experience.update(dict(changes))[TARGETS]
    if dropped := [each for each in changes.get(TARGETS, targets) if each not in targets]:
        raise ConnectorError(
            f"Logto has dropped {', '.join(dropped)}: no connector has such a target any more. "
            f"Offered now: {', '.join(targets) or 'none'}."
        )
    return targets


def ways_in(experience: Mapping[str, Any]) -> list[str]:
    """How people sign in and up without a social connector, in words."""
    ways = []
    for method in experience["signIn"]["methods"]:
        proofs = {"a password": method["password"], "a code": method["verificationCode"]}
        ways.append(f"sign in by {method['identifier']} with {' or '.join(proof for proof in proofs if proofs[proof])}")
    identifiers = experience["signUp"]["identifiers"]
    return [*ways, *([f"sign up with {' or '.join(identifiers)}"] if identifiers else [])]


def is_closed(experience: Mapping[str, Any]) -> bool:
    """Whether the page offers no way in at all, the single sign-on of companies aside."""
    return not experience[TARGETS] and not experience["signIn"]["methods"]


def shown_to_browsers(connectors: Iterable[Connector], targets: Iterable[str]) -> list[str]:
    """Those of the targets that a browser gets to see: native connectors are for apps alone."""
    shown = {each["target"] for each in connectors if each["type"] == "Social" and each["platform"] != "Native"}
    return [target for target in targets if target in shown]
