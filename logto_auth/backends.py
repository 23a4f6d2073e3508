"""LogtoBackend: from verified claims to a Django user.

It is a mozilla-django-oidc backend, for everything that looks for one; but each of the parent's doors to the network or
to a user goes through our own checks (decision 0001).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model, load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.module_loading import import_string
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from .clients import oidc_client
from .conf import conf
from .exceptions import ConfigurationError, LogtoError
from .models import LogtoIdentity, make_digest
from .oidc.types import Claims
from .users.provisioning import provision

logger = logging.getLogger("logto_auth")

PERMISSION_PREFIX = "logto."


class LogtoBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Authenticates by claims that `OIDCClient` has verified. To change a step, subclass it and name the subclass in
    `AUTHENTICATION_BACKENDS`."""

    def __init__(self) -> None:
        # The parent's __init__ would demand its own settings.
        self.UserModel = get_user_model()

    def authenticate(
        self, request: HttpRequest | None = None, *, id_token_claims: Claims | None = None, **credentials: Any
    ) -> AbstractBaseUser | None:
        """The user of `id_token_claims`, which must have passed `OIDCClient`'s checks. Raises SignInRefused.

        None for credentials of other backends, such as a username and a password.
        """
        return None if id_token_claims is None else self.identify(id_token_claims)[0].user

    def identify(self, claims: Claims) -> tuple[LogtoIdentity, bool]:
        """The identity, with its user, of the person in the verified `claims`, and whether the account is new.

        Raises SignInRefused. This is the method to override for a site that finds its users in another way.
        """
        return provision(claims)

    def get_user(self, user_id: Any) -> AbstractBaseUser | None:
        """The user with this key; None when there is none or the account is disabled, which ends the session."""
        # The parent forgets to ask whether the account is active; its own parent does not.
        return ModelBackend.get_user(self, user_id)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Django's permissions, and Logto's on `LOGTO_API_RESOURCE` as `logto.<scope>` (decision 0011).

        Those are the person's who makes the request, so they are known of `request.user` and of no other user object.
        """
        scope = perm.removeprefix(PERMISSION_PREFIX)
        if scope == perm:
            return super().has_perm(user_obj, perm, obj)  # type: ignore[no-any-return]
        return user_obj.is_active and obj is None and scope in _permissions(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """As for Django's; of "logto", whether the person has any permission on `LOGTO_API_RESOURCE`."""
        if app_label + "." != PERMISSION_PREFIX:
            return super().has_module_perms(user_obj, app_label)  # type: ignore[no-any-return]
        return user_obj.is_active and bool(_permissions(user_obj))

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """See `has_perm`."""
        return await sync_to_async(self.has_perm)(user_obj, perm, obj)

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """See `has_module_perms`."""
        return await sync_to_async(self.has_module_perms)(user_obj, app_label)

    # Django's own backend, at the root of the family, would take a password here.

    async def aauthenticate(self, request: HttpRequest | None = None, **credentials: Any) -> AbstractBaseUser | None:
        """See `authenticate`."""
        return await sync_to_async(self.authenticate)(request, **credentials)

    async def aget_user(self, user_id: Any) -> AbstractBaseUser | None:
        """See `get_user`."""
        return await sync_to_async(self.get_user)(user_id)

    # The parent's other doors. This package uses none of them.

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> AbstractBaseUser:
        """The user of the verified claims `payload`."""
        return self.identify(payload)[0].user

    def verify_token(self, token: str, **kwargs: Any) -> Claims:
        """The claims of an ID token that passed every check."""
        # As for the parent, a token without its nonce is not this sign-in's.
        return oidc_client().validate_id_token(token, nonce=kwargs.get("nonce") or "", access_token=None)

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> Mapping[str, Any]:
        """The userinfo of the person in `payload`."""
        return oidc_client().userinfo(access_token, sub=payload["sub"])

    def get_token(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Not offered: `OIDCClient.exchange_code` checks what it gets."""
        raise NotImplementedError("Use logto_auth.clients.oidc_client().exchange_code().")

    def filter_users_by_claims(self, claims: Claims) -> Any:
        """Users with the identity in `claims`; never by e-mail."""
        # By digest: a missing claim must not match users who have no identity, nor "a" one who is "A".
        digest = make_digest(claims.get("iss", ""), claims.get("sub", ""))
        return self.UserModel._default_manager.filter(logto_identities__digest=digest)

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        """mozilla-django-oidc's settings, as far as they have a counterpart here."""
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
    """The scopes of whoever makes the request of `user_obj`; none while they cannot be had."""
    principal = getattr(user_obj, "_logto", None)
    if principal is None:
        return frozenset()
    try:
        permissions: frozenset[str] = principal.permissions()
    except LogtoError as error:
        logger.error("Permissions of Logto cannot be had, and count as not held: %s", error)
        return frozenset()
    return permissions


def backend_path() -> str:
    """The dotted path of the site's LogtoBackend, or of its subclass, in `AUTHENTICATION_BACKENDS`.

    Raises ConfigurationError when there is none.
    """
    for path in settings.AUTHENTICATION_BACKENDS:
        if issubclass(import_string(path), LogtoBackend):
            return path
    raise ConfigurationError("AUTHENTICATION_BACKENDS must hold logto_auth.backends.LogtoBackend, or a subclass of it.")


def logto_backend() -> LogtoBackend:
    """The backend at `backend_path()`."""
    backend = load_backend(backend_path())
    assert isinstance(backend, LogtoBackend)
    return backend
