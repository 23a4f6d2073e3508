"""The signed-in user's own account at Logto, as `request.logto.account`."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from asgiref.sync import sync_to_async

from logto_auth.account_api.client import AccountAPI
from logto_auth.account_api.errors import (
    AccessTokenRejected,
    AccountScopeMissing,
    InvalidValue,
    VerificationRequired,
)
from logto_auth.account_api.types import IdentifierKind, VerificationRecord
from logto_auth.clients import account_api
from logto_auth.exceptions import NotDuringImpersonation, ProviderError, SignInRequired
from logto_auth.oidc.secrets import Secret, as_secret, hide_frames

from . import store
from .outage import contact
from .store import AccessToken, StoredSession

__all__ = ["MAX_VERIFICATION_SECONDS", "SessionAccount", "refuse_impersonation"]

P = ParamSpec("P")
R = TypeVar("R")

# A verification record lives so long at Logto. If Logto's clock is ahead, a record counts no longer than this here.
MAX_VERIFICATION_SECONDS = 600
# The claims with the user's present addresses. Userinfo always has the present values, and needs no field permission.
ADDRESS_CLAIMS = {"email": "email", "phone": "phone_number"}


class SignedInUser(Protocol):
    """What an account needs of `SessionPrincipal`."""

    @property
    def own_session(self) -> StoredSession | None: ...

    @property
    def scopes(self) -> frozenset[str]: ...

    def opaque_token(self) -> AccessToken: ...

    def refresh(self) -> None: ...

    def user_info(self) -> Mapping[str, Any]: ...

    def send_account_edited(self, change: str) -> None: ...


def _with_token(method: Callable[Concatenate[AccountAPI, P], R]) -> Callable[Concatenate[SessionAccount, P], R]:
    """Return a method of `SessionAccount` that calls one of `AccountAPI` with the tokens of the session."""

    @wraps(method)
    @hide_frames
    def wrapper(self: SessionAccount, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._call(lambda api: method(api, *args, **kwargs))

    return wrapper


def _reading(method: Callable[Concatenate[AccountAPI, P], R]) -> Callable[Concatenate[SessionAccount, P], R]:
    """Do as `_with_token`, for a method that only reads: it shows whether Logto can be reached."""

    @wraps(method)
    @hide_frames
    def wrapper(self: SessionAccount, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._call(lambda api: method(api, *args, **kwargs), detects_outage=True)

    return wrapper


def _changing(method: Callable[Concatenate[AccountAPI, P], R]) -> Callable[Concatenate[SessionAccount, P], R]:
    """Do as `_with_token`, for a method that changes the account: `account_edited` is sent after it."""

    @wraps(method)
    @hide_frames
    def wrapper(self: SessionAccount, /, *args: P.args, **kwargs: P.kwargs) -> R:
        result = self._call(lambda api: method(api, *args, **kwargs))
        self._principal.send_account_edited(method.__name__)
        return result

    return wrapper


def _async(
    method: Callable[Concatenate[SessionAccount, P], R],
) -> Callable[Concatenate[SessionAccount, P], Coroutine[Any, Any, R]]:
    """Return the async twin of a method."""

    @wraps(method)
    async def wrapper(self: SessionAccount, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await sync_to_async(method)(self, *args, **kwargs)
        except Exception as error:
            # Frames of `sync_to_async` hold the arguments, which may be secrets: see `hide_frames`.
            del args, kwargs
            raise error.with_traceback(None) from None

    wrapper.__doc__ = f"See `{method.__name__}`."
    return wrapper


def refuse_impersonation(stored: StoredSession) -> None:
    """Raise NotDuringImpersonation if staff act as the user of this session."""
    if stored.is_impersonation:
        raise NotDuringImpersonation("Only the user may do this. A staff member acts as the user now.")


class SessionAccount:
    """The account of the signed-in user at Logto. See `account_api.AccountAPI` for what each method needs and raises.

    The access token of the session is refreshed if necessary, and the session's verification record is sent where it is
    needed. In place of AccessTokenRejected, a method raises SignInRequired: the session has ended at Logto. All methods
    raise SignInRequired if nobody is signed in through Logto, NotDuringImpersonation while staff act as the user, and
    what `request.logto.access_token` raises.

    While Logto cannot be reached, the methods raise ProviderUnreachable without waiting, as the refresh of tokens does.
    """

    def __init__(self, principal: SignedInUser) -> None:
        self._principal = principal

    def __repr__(self) -> str:
        return "<SessionAccount>"

    def has_scopes(self, *scopes: str) -> bool:
        """Return whether the access token of the session has all of these scopes."""
        return self._principal.scopes.issuperset(scopes)

    # The verification record of the session

    @property
    def is_verified(self) -> bool:
        """Whether the user has proved who they are in this session, and the record has not expired."""
        return self.verified_until > time.time()

    @property
    def verified_until(self) -> float:
        """When the verification record of the session expires, in seconds since the epoch; 0 if there is none."""
        stored = self._principal.own_session
        return stored.verified_until if stored is not None and stored.verification_id is not None else 0

    def forget_verification(self) -> None:
        """Let the session have no verification record."""
        stored = self._principal.own_session
        if stored is not None:
            store.forget_verification(stored)

    @hide_frames
    def verify_password(self, password: Secret | str) -> VerificationRecord:
        """See `AccountAPI.verify_password`. The record becomes that of the session."""
        password = as_secret(password)
        record = self._call(lambda api: api.verify_password(password))
        self._remember(record.id, record.expires_at)
        return record

    def send_own_code(self, kind: IdentifierKind) -> VerificationRecord:
        """Send a code to the user's present e-mail address or phone number, and return the record.

        Scope `email` or `phone`. Raise InvalidValue if the user has none, and what `send_code` raises.
        """
        return self.send_code(kind, self.own_address(kind))

    @hide_frames
    def verify_own_code(
        self,
        kind: IdentifierKind,
        record_id: Secret | str,
        code: Secret | str,
        *,
        expires_at: float | None = None,
    ) -> None:
        """Complete the record of `send_own_code`, which then becomes that of the session.

        `expires_at` is that of the record; without it, the record counts for 10 minutes from now, or until Logto
        refuses it. Raise what `verify_code` raises.
        """
        record_id, code = as_secret(record_id), as_secret(code)
        self.verify_code(kind, self.own_address(kind), record_id=record_id, code=code)
        self._remember(record_id, time.time() + MAX_VERIFICATION_SECONDS if expires_at is None else expires_at)

    def own_address(self, kind: IdentifierKind) -> str:
        """Return the user's present e-mail address or phone number at Logto.

        Scope `email` or `phone`. Raise InvalidValue if there is none, and what `request.logto.user_info` raises.
        It comes from userinfo, because the Account API hides a field that is Off, and claims may be stale.
        """
        self._refuse_impersonation()
        if not self.has_scopes(kind):
            raise AccountScopeMissing(f"A code to the user's own address needs the scope {kind}.", scopes=[kind])
        address = self._user_info().get(ADDRESS_CLAIMS[kind])
        if not isinstance(address, str) or not address:
            raise InvalidValue(f"The user has no address of the kind {kind} at Logto.", field=kind, code="no_address")
        return address

    def _user_info(self) -> Mapping[str, Any]:
        """Return userinfo. If Logto does not accept the token, refresh it once, as `_call` does."""
        self._refuse_impersonation()
        try:
            # A token that has expired is refreshed before: that is a contact of its own.
            self._principal.opaque_token()
            with contact():
                return self._principal.user_info()
        except ProviderError as error:
            if error.error != "invalid_token":
                raise
        self._principal.refresh()
        return self._principal.user_info()

    def _remember(self, record_id: Secret, expires_at: float) -> None:
        stored = self._principal.own_session
        if stored is not None:
            until = min(expires_at, time.time() + MAX_VERIFICATION_SECONDS)
            store.remember_verification(stored, record_id, until)

    # Calls

    @hide_frames
    def _call(self, call: Callable[[AccountAPI], R], *, detects_outage: bool = False) -> R:
        try:
            return self._call_once(call, detects_outage=detects_outage)
        except AccessTokenRejected:
            # A fresh token, or the end of the session here. The refused call has changed nothing.
            self._principal.refresh()
        try:
            return self._call_once(call, detects_outage=detects_outage)
        except AccessTokenRejected as error:
            raise SignInRequired("Logto does not accept the access token of the session.") from error

    def _call_once(self, call: Callable[[AccountAPI], R], *, detects_outage: bool) -> R:
        api = self._api()
        stored = self._principal.own_session
        try:
            with contact(detects_outage=detects_outage):
                return call(api)
        except VerificationRequired:
            if stored is not None and stored.encrypted_verification_id:
                store.forget_verification(stored)
            raise

    def _refuse_impersonation(self) -> None:
        stored = self._principal.own_session
        if stored is not None:
            refuse_impersonation(stored)

    def _api(self) -> AccountAPI:
        self._refuse_impersonation()
        token = self._principal.opaque_token()
        stored = self._principal.own_session
        verification_id = stored.verification_id if stored is not None and self.is_verified else None
        return account_api(token.token, scopes=token.scopes, verification_id=verification_id)

    get = _reading(AccountAPI.get)
    update = _changing(AccountAPI.update)
    update_profile = _changing(AccountAPI.update_profile)
    upload_avatar = _with_token(AccountAPI.upload_avatar)
    set_password = _changing(AccountAPI.set_password)
    set_email = _changing(AccountAPI.set_email)
    remove_email = _changing(AccountAPI.remove_email)
    set_phone = _changing(AccountAPI.set_phone)
    remove_phone = _changing(AccountAPI.remove_phone)
    send_code = _with_token(AccountAPI.send_code)
    verify_code = _with_token(AccountAPI.verify_code)
    start_social = _with_token(AccountAPI.start_social)
    verify_social = _with_token(AccountAPI.verify_social)
    link_identity = _changing(AccountAPI.link_identity)
    replace_identity = _changing(AccountAPI.replace_identity)
    unlink_identity = _changing(AccountAPI.unlink_identity)
    factors = _reading(AccountAPI.factors)
    generate_totp_secret = _with_token(AccountAPI.generate_totp_secret)
    add_totp = _changing(AccountAPI.add_totp)
    replace_totp = _changing(AccountAPI.replace_totp)
    backup_codes = _reading(AccountAPI.backup_codes)
    generate_backup_codes = _with_token(AccountAPI.generate_backup_codes)
    add_backup_codes = _changing(AccountAPI.add_backup_codes)
    passkey_options = _with_token(AccountAPI.passkey_options)
    verify_passkey = _with_token(AccountAPI.verify_passkey)
    add_passkey = _changing(AccountAPI.add_passkey)
    rename_factor = _changing(AccountAPI.rename_factor)
    remove_factor = _changing(AccountAPI.remove_factor)
    mfa_settings = _reading(AccountAPI.mfa_settings)
    update_mfa_settings = _changing(AccountAPI.update_mfa_settings)
    sessions = _reading(AccountAPI.sessions)
    end_session = _changing(AccountAPI.end_session)
    grants = _reading(AccountAPI.grants)
    revoke_grant = _changing(AccountAPI.revoke_grant)

    aget = _async(get)
    aupdate = _async(update)
    aupdate_profile = _async(update_profile)
    aupload_avatar = _async(upload_avatar)
    aset_password = _async(set_password)
    aset_email = _async(set_email)
    aremove_email = _async(remove_email)
    aset_phone = _async(set_phone)
    aremove_phone = _async(remove_phone)
    averify_password = _async(verify_password)
    asend_code = _async(send_code)
    averify_code = _async(verify_code)
    asend_own_code = _async(send_own_code)
    averify_own_code = _async(verify_own_code)
    aown_address = _async(own_address)
    aforget_verification = _async(forget_verification)
    astart_social = _async(start_social)
    averify_social = _async(verify_social)
    alink_identity = _async(link_identity)
    areplace_identity = _async(replace_identity)
    aunlink_identity = _async(unlink_identity)
    afactors = _async(factors)
    agenerate_totp_secret = _async(generate_totp_secret)
    aadd_totp = _async(add_totp)
    areplace_totp = _async(replace_totp)
    abackup_codes = _async(backup_codes)
    agenerate_backup_codes = _async(generate_backup_codes)
    aadd_backup_codes = _async(add_backup_codes)
    apasskey_options = _async(passkey_options)
    averify_passkey = _async(verify_passkey)
    aadd_passkey = _async(add_passkey)
    arename_factor = _async(rename_factor)
    aremove_factor = _async(remove_factor)
    amfa_settings = _async(mfa_settings)
    aupdate_mfa_settings = _async(update_mfa_settings)
    asessions = _async(sessions)
    aend_session = _async(end_session)
    agrants = _async(grants)
    arevoke_grant = _async(revoke_grant)
