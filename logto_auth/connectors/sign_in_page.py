"""Which social connectors Logto's sign-in page offers, and which other methods to sign in and sign up.

The page offers targets. `alipay-native` and `alipay-web` both have the target `alipay` and are enabled together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from logto_auth.exceptions import ConnectorError
from logto_auth.management_api import ManagementAPI

if TYPE_CHECKING:
    from logto_auth.management_api.types import Connector, SignInExperienceChanges

__all__ = [
    "NO_SIGN_UP_IDENTIFIER",
    "SOCIAL_ONLY",
    "TARGETS",
    "apply_changes",
    "browser_targets",
    "find_target",
    "has_no_sign_in",
    "other_methods",
    "previous_sections",
    "requires_sign_up_identifier",
    "restored_sections",
    "with_target",
    "without_target",
]

TARGETS: Final = "socialSignInConnectorTargets"
# The sign-up identifier "Not applicable" of the Logto Console. Sign-in methods stay.
NO_SIGN_UP_IDENTIFIER: dict[str, dict[str, Any]] = {"signUp": {"identifiers": [], "password": False, "verify": False}}
# No sign-up identifier, and no sign-in method except the social ones.
SOCIAL_ONLY: dict[str, dict[str, Any]] = {**NO_SIGN_UP_IDENTIFIER, "signIn": {"methods": []}}


def find_target(connectors: Iterable[Connector], name: str) -> str:
    """Return the target `name`, or the target of the connector with this id or factory. Raise ConnectorError."""
    social = [each for each in connectors if each["type"] == "Social"]
    for each in social:
        if name in (each["target"], each["id"], each["connectorId"]):
            return each["target"]
    existing = ", ".join(dict.fromkeys(each["target"] for each in social)) or "none. Add a connector first"
    raise ConnectorError(f"No social connector has the target, id or factory {name!r}. Existing targets: {existing}.")


def with_target(
    experience: Mapping[str, Any], target: str, *, emptied: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the changes that offer `target` after all others.

    `emptied` are sections to empty as well, such as `SOCIAL_ONLY` or `NO_SIGN_UP_IDENTIFIER`.
    """
    targets = experience[TARGETS]
    changes: dict[str, Any] = {} if target in targets else {TARGETS: [*targets, target]}
    return {**changes, **{name: none for name, none in (emptied or {}).items() if any(experience[name].values())}}


def without_target(experience: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Return the changes that stop offering `target`. The other targets do not change."""
    targets = experience[TARGETS]
    return {TARGETS: [each for each in targets if each != target]} if target in targets else {}


def previous_sections(experience: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the present `signUp` and `signIn` of those that `changes` replaces, for `restored_sections`."""
    return {name: experience[name] for name in SOCIAL_ONLY if name in changes}


def restored_sections(experience: Mapping[str, Any], previous: str) -> dict[str, Any]:
    """Return the changes that restore the sections in the JSON text `previous`.

    The text is the result of `previous_sections`, or an object with it as `before`. Raise ConnectorError.
    """
    try:
        given = json.loads(previous)
    except (ValueError, RecursionError):
        given = None
    sections: Any = given.get("before", given) if isinstance(given, dict) else None
    if not _are_sections(sections):
        raise ConnectorError(
            'Expected JSON such as {"signUp": {...}, "signIn": {...}}, as `enable` printed it, or the output of '
            "`enable --json`."
        )
    return {name: value for name, value in sections.items() if experience[name] != value}


def _are_sections(value: Any) -> bool:
    is_named = isinstance(value, dict) and bool(value) and value.keys() <= SOCIAL_ONLY.keys()
    return is_named and all(isinstance(each, dict) for each in value.values())


def requires_sign_up_identifier(experience: Mapping[str, Any]) -> list[str]:
    """Return the identifiers that Logto asks new users for after a social sign-in. Empty: it asks for none."""
    if (experience.get("socialSignIn") or {}).get("skipRequiredIdentifiers"):
        return []
    return list(experience["signUp"]["identifiers"])


def apply_changes(api: ManagementAPI, changes: Mapping[str, Any]) -> list[str]:
    """Apply the changes, and return the targets that the page offers afterwards.

    Raise ConnectorError if Logto removed a target, which it does without an error if the target has no connector.
    """
    targets = api.sign_in_experience.update(cast("SignInExperienceChanges", changes))[TARGETS]
    if dropped := [each for each in changes.get(TARGETS, targets) if each not in targets]:
        raise ConnectorError(
            f"Logto removed {', '.join(dropped)} because no connector has this target. "
            f"Offered: {', '.join(targets) or 'none'}. Add the connector and enable it again."
        )
    return targets


def other_methods(experience: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Return the methods without a social connector that `changes` removes, in words."""
    methods = []
    for method in experience["signIn"]["methods"] if "signIn" in changes else []:
        proofs = {"a password": method["password"], "a code": method["verificationCode"]}
        methods.append(
            f"sign in by {method['identifier']} with {' or '.join(proof for proof in proofs if proofs[proof])}"
        )
    identifiers = experience["signUp"]["identifiers"] if "signUp" in changes else []
    return [*methods, *([f"sign up with {' or '.join(identifiers)}"] if identifiers else [])]


def has_no_sign_in(experience: Mapping[str, Any]) -> bool:
    """Return whether the page offers no method to sign in. Enterprise single sign-on is not considered."""
    return not experience[TARGETS] and not experience["signIn"]["methods"]


def browser_targets(connectors: Iterable[Connector], targets: Iterable[str]) -> list[str]:
    """Return the targets that the page shows in browsers. Native connectors are shown in apps only."""
    shown = {each["target"] for each in connectors if each["type"] == "Social" and each["platform"] != "Native"}
    return [target for target in targets if target in shown]
