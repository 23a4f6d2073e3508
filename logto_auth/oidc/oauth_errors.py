"""The OAuth errors of Logto: who has to act, and what the operator of this site can do.

This table serves the callback, the token endpoint with all its grants, and the endpoints that answer in the same form.

Sources: RFC 6749, sections 4.1.2.1 and 5.2; RFC 8707, section 2; OpenID Connect Core 1.0, section 3.1.2.6; the texts of
`error_description` are those of Logto.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Fault", "Meaning", "meaning_of", "with_remedy"]


class Fault(Enum):
    """Who has to act, so that the request succeeds."""

    USER = "user"
    OPERATOR = "operator"
    LOGTO = "Logto"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Meaning:
    """What an error means. `remedy` is a sentence for the operator, empty if there is nothing to do."""

    fault: Fault
    remedy: str = ""


_MEANINGS = {
    # The user is not signed in at Logto, has cancelled, or is not allowed.
    "access_denied": Meaning(
        Fault.USER, "A rule at Logto denies it: the access control of the application, or the custom claims script."
    ),
    "oidc.aborted": Meaning(Fault.USER),
    "login_required": Meaning(Fault.USER),
    "consent_required": Meaning(Fault.USER),
    "account_selection_required": Meaning(Fault.USER),
    "interaction_required": Meaning(
        Fault.USER,
        "Logto sends this error to applications of the type Native. This site needs one of the type Traditional Web.",
    ),
    "invalid_grant": Meaning(Fault.USER),
    # The settings of this site do not match the tenant.
    "insufficient_scope": Meaning(Fault.OPERATOR, "Add the scope to the scopes of this site, and sign in again."),
    "invalid_client": Meaning(Fault.OPERATOR, "Check the App ID."),
    "invalid_redirect_uri": Meaning(Fault.OPERATOR, "Register the redirect URI of this site at the application."),
    "invalid_request": Meaning(Fault.OPERATOR, "Logto does not accept a parameter. Check the settings of this site."),
    "invalid_scope": Meaning(
        Fault.OPERATOR, "Allow the scope to the application at Logto, or remove it from the scopes of this site."
    ),
    "invalid_target": Meaning(
        Fault.OPERATOR,
        "Create the API resource at Logto, or correct its indicator in the settings of this site. They must be equal "
        "character by character.",
    ),
    "registration_not_supported": Meaning(Fault.OPERATOR, "Remove the parameter from the parameters of the sign-in."),
    "request_not_supported": Meaning(Fault.OPERATOR, "Remove the parameter from the parameters of the sign-in."),
    "request_uri_not_supported": Meaning(Fault.OPERATOR, "Remove the parameter from the parameters of the sign-in."),
    "unauthorized_client": Meaning(
        Fault.OPERATOR, "The application may not do this. Check its type: Traditional Web for sign-ins."
    ),
    "unsupported_grant_type": Meaning(Fault.OPERATOR, "Check that the endpoint is that of Logto."),
    "unsupported_response_mode": Meaning(Fault.OPERATOR, "Remove the parameter from the parameters of the sign-in."),
    "unsupported_response_type": Meaning(
        Fault.OPERATOR, "The application may not do this. Check its type: Traditional Web for sign-ins."
    ),
    # Logto has failed.
    "server_error": Meaning(Fault.LOGTO, "See the log of Logto."),
    "temporarily_unavailable": Meaning(Fault.LOGTO),
}

# Descriptions that tell more than the error.
_MEANINGS_OF_DESCRIPTIONS = {
    ("access_denied", "user is not a member of the organization"): Meaning(Fault.USER),
    ("access_denied", "organization requires MFA but user has no MFA configured"): Meaning(
        Fault.USER, "The user has to set up multi-factor authentication at Logto."
    ),
    ("access_denied", "organization access is not granted to the application"): Meaning(
        Fault.OPERATOR, "The application is a third-party application. Use a first-party one."
    ),
    ("access_denied", "app has not associated with the organization"): Meaning(
        Fault.OPERATOR, "Add the machine-to-machine application to the organization at Logto."
    ),
    ("invalid_request", "client secret has expired"): Meaning(
        Fault.OPERATOR, "Create another App secret at Logto, and set it here."
    ),
    ("invalid_request", "requested grant type is not allowed for this client"): Meaning(
        Fault.OPERATOR,
        "Check the type of the application: Traditional Web for sign-ins, Machine-to-machine for machines.",
    ),
    ("invalid_request", "requested response_type is not allowed for this client"): Meaning(
        Fault.OPERATOR, "Check the type of the application: Traditional Web for sign-ins."
    ),
}


def meaning_of(error: str, description: str = "") -> Meaning:
    """Return the meaning of an `error` and its `error_description`. The fault of other errors is `Fault.UNKNOWN`."""
    meaning = _MEANINGS_OF_DESCRIPTIONS.get((error, description))
    return meaning or _MEANINGS.get(error) or Meaning(Fault.UNKNOWN)


def with_remedy(message: str, meaning: Meaning) -> str:
    """Return `message` with the remedy as another sentence."""
    return f"{message.rstrip(': .')}. {meaning.remedy}" if meaning.remedy else message
