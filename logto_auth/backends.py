"""LogtoBackend: the Django user of verified claims, and the permissions `logto.<scope>`.

It is a subclass of mozilla-django-oidc's backend, so code that looks for such a backend finds it. Each method of the
parent that calls the network or returns a user is overridden, so that this package's checks apply (decision 0001).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model, load_backend
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.module_loading import import_string
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from .clients import oidc_client
from .conf import conf
from .exceptions import ConfigurationError, LogtoError
from .models import LogtoIdentity
from .oidc.types import Claims
from .users.accepted import GetUserMixin
from .users.current_request import principal_of_user
from .users.provisioning import provision

__all__ = ["PERMISSION_PREFIX", "LogtoBackend", "backend_path", "logto_backend"]

logger = logging.getLogger("logto_auth")

PERMISSION_PREFIX = "logto."


class LogtoBackend(GetUserMixin, OIDCAuthenticationBackend):  # type: ignore[misc]
    """Authenticate by claims that `OIDCClient` has verified.

    To change a step, write a subclass and put it in `AUTHENTICATION_BACKENDS`.
    """

    def __init__(self) -> None:
        # The parent's __init__ requires settings that a site of this package does not have.
        self.UserModel = get_user_model()

    def authenticate(
        self, request: HttpRequest | None = None, *, id_token_claims: Claims | None = None, **credentials: Any
    ) -> AbstractBaseUser | None:
        """Return the user of `id_token_claims`, which must have passed `OIDCClient`'s checks.

        Return None for credentials of other backends, such as a username and a password. Raise SignInRefused if the
        site refuses the user.
        """
        return None if id_token_claims is None else self.identify(id_token_claims)[0].user

    def identify(self, claims: Claims) -> tuple[LogtoIdentity, bool]:
        """Return the identity for the verified `claims`, with its user, and whether the account is new.

        Raise SignInRefused. Override this method on a site that finds its users in another way.
        """
        return provision(claims)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Return whether the user has a Django permission, or Logto's permission `logto.<scope>` (decision 0011).

        Logto's permissions on `LOGTO_API_RESOURCE` are those of the request. They are known only for the object
        `request.user` and only while `LogtoMiddleware` handles the request (decision 0020).
        """
        scope = perm.removeprefix(PERMISSION_PREFIX)
        if scope == perm:
            return super().has_perm(user_obj, perm, obj)  # type: ignore[no-any-return]
        return user_obj.is_active and obj is None and scope in _permissions(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """As in Django. For "logto", return whether the user has any permission on `LOGTO_API_RESOURCE`."""
        if app_label + "." != PERMISSION_PREFIX:
            return super().has_module_perms(user_obj, app_label)  # type: ignore[no-any-return]
        return user_obj.is_active and bool(_permissions(user_obj))

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """See `has_perm`."""
        return await sync_to_async(self.has_perm)(user_obj, perm, obj)

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """See `has_module_perms`."""
        return await sync_to_async(self.has_module_perms)(user_obj, app_label)

    # Without these, Django's ModelBackend would authenticate by password.

    async def aauthenticate(self, request: HttpRequest | None = None, **credentials: Any) -> AbstractBaseUser | None:
        """See `authenticate`."""
        return await sync_to_async(self.authenticate)(request, **credentials)

    async def aget_user(self, user_id: Any) -> AbstractBaseUser | None:
        """See `get_user`."""
        return await sync_to_async(self.get_user)(user_id)

    # The parent's other methods. This package does not call them.

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> AbstractBaseUser:
        """Return the user of the verified claims `payload`."""
        return self.identify(payload)[0].user

    def verify_token(self, token: str, **kwargs: Any) -> Claims:
        """Return the claims of an ID token that passed every check."""
        # As in the parent, a missing nonce is an error.
        return oidc_client().validate_id_token(token, nonce=kwargs.get("nonce") or "", access_token=None)

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> Mapping[str, Any]:
        """Return the userinfo of the user in `payload`."""
        return oidc_client().userinfo(access_token, sub=payload["sub"])

    def get_token(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Raise NotImplementedError: `OIDCClient.exchange_code` also checks the tokens."""
        raise NotImplementedError("Use logto_auth.clients.oidc_client().exchange_code().")

    def filter_users_by_claims(self, claims: Claims) -> Any:
        """Return the users with the identity in `claims`; e-mail addresses are not compared."""
        # A missing claim matches no identity.
        identities = LogtoIdentity.objects.for_sub(claims.get("iss", ""), claims.get("sub", ""))
        return self.UserModel._default_manager.filter(logto_identities__in=identities)

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        """Return a setting of mozilla-django-oidc, from the corresponding setting of this package if there is one."""
        counterparts = {
            "OIDC_RP_CLIENT_ID": lambda: conf.app_id,
            "OIDC_RP_CLIENT_SECRET": lambda: conf.app_secret,
            "OIDC_RP_SCOPES": lambda: " ".join(conf.scopes),
            "OIDC_RP_SIGN_ALGO": lambda: conf.signing_algorithms[0],
            "OIDC_CREATE_USER": lambda: conf.create_users,
            "OIDC_USE_PKCE": lambda: True,
            "OIDC_TIMEOUT": lambda: tuple(conf.http_timeout_seconds),
        }
        if attr in counterparts:
            return counterparts[attr]()  # type: ignore[no-untyped-call]
        return OIDCAuthenticationBackend.get_settings(attr, *args)


def _permissions(user_obj: Any) -> frozenset[str]:
    """Return the permissions of the principal of `user_obj`; none if they cannot be fetched."""
    principal = principal_of_user(user_obj)
    if principal is None:
        return frozenset()
    try:
        permissions: frozenset[str] = principal.permissions()
    except LogtoError as error:
        logger.error("Permissions cannot be fetched from Logto; they count as missing: %s", error)
        return frozenset()
    return permissions


def backend_path() -> str:
    """Return the dotted path of LogtoBackend, or of its subclass, in `AUTHENTICATION_BACKENDS`.

    Raise ConfigurationError if there is none.
    """
    for path in settings.AUTHENTICATION_BACKENDS:
        if issubclass(import_string(path), LogtoBackend):
            return path
    raise ConfigurationError(
        "AUTHENTICATION_BACKENDS must contain logto_auth.backends.LogtoBackend, or a subclass of it."
    )


def logto_backend() -> LogtoBackend:
    """Return an instance of the backend at `backend_path()`."""
    backend = load_backend(backend_path())
    assert isinstance(backend, LogtoBackend)
    return backend
