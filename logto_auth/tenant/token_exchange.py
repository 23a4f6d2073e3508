"""The part of a plan about token exchange, which Logto allows for each application separately."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI

from .application import DeclaredApplication
from .declaration import TenantDeclaration
from .steps import Difference, Step, change_step, creation_step, exact_difference

if TYPE_CHECKING:
    from logto_auth.management_api.types import Application

__all__ = ["TOKEN_EXCHANGE", "allows_token_exchange", "token_exchange_steps"]

TOKEN_EXCHANGE: Final = "token exchange of the application"  # noqa: S105 - a kind of step
ALLOWED: Final = "allowed"


def token_exchange_steps(
    api: ManagementAPI, declaration: TenantDeclaration, application: DeclaredApplication
) -> Iterator[Step]:
    """Yield the step that allows token exchange, if it is declared and the site has an application.

    The step follows that of `application`, which may create it. Raise ConfigurationError if the application does not
    exist or is third-party. Raise ManagementAPIError.
    """
    if not declaration.token_exchange:
        return
    if declaration.token_exchange_id:
        yield _step(api, _existing(api, declaration.token_exchange_id))
    elif application.id is not None:
        yield _step(api, _existing(api, application.id))
    elif application.is_needed:
        yield creation_step(
            TOKEN_EXCHANGE, declaration.application, {ALLOWED: True}, lambda: _allow(api, application.id or "")
        )


def allows_token_exchange(application: Application) -> bool:
    """Return whether Logto accepts token exchanges of the application."""
    return application["customClientMetadata"].get("allowTokenExchange", False)


def _step(api: ManagementAPI, application: Application) -> Step:
    difference: Difference | None = exact_difference(ALLOWED, allows_token_exchange(application), True)
    name = f"{application['name']} ({application['id']})"
    return change_step(TOKEN_EXCHANGE, name, [difference], partial(_allow, api, application["id"]))


def _existing(api: ManagementAPI, id: str) -> Application:
    try:
        application = api.applications.get(id)
    except ManagementAPIError as error:
        if not error.is_not_found:
            raise
        raise ConfigurationError(
            f"token_exchange is declared for the application {id!r}, but the tenant at {api.base_url} has no such "
            "application. Correct LOGTO_APP_ID, or LOGTO_M2M_APP_ID on a site without LOGTO_APP_ID."
        ) from error
    if application["isThirdParty"]:
        raise ConfigurationError(
            f'token_exchange is declared, but the application "{application["name"]}" ({id}) is third-party. Logto '
            "allows token exchange for first-party applications only: set LOGTO_APP_ID to one."
        )
    return application


def _allow(api: ManagementAPI, id: str) -> None:
    # Logto replaces the whole object. Read it again, to keep what was changed since the plan was made.
    stored = api.applications.get(id)["customClientMetadata"]
    api.applications.update(id, {"customClientMetadata": {**stored, "allowTokenExchange": True}})
