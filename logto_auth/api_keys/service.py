"""What users do with their API keys, by Logto's Management API: `ApiKeys` is made for one request."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.access.clients import is_third_party
from logto_auth.access.principal import Principal, django_request
from logto_auth.api.api_keys import forget
from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError, SignInRefused, SignInRequired
from logto_auth.management_api.answers import is_suspended, is_unknown
from logto_auth.sessions.principal import SessionPrincipal, request_principal
from logto_auth.signals import api_key_changed
from logto_auth.site_cache import cached, known
from logto_auth.users.locks import user_locked

from .errors import (
    ApiKeyGone,
    ClientRefused,
    ExpiryNotAllowed,
    InvalidKeyName,
    KeyNameTaken,
    ProofRequired,
    SessionRequired,
    TooManyApiKeys,
)
from .proof import has_proof
from .values import EPOCH, KEY_ID, ApiKey, NewApiKey, api_key_in, new_api_key_in

__all__ = ["MAX_NAME_LENGTH", "ApiKeys", "latest_expiry", "valid_name"]

# Logto stores twice as many. It counts as JavaScript does: most emoji are two units of UTF-16.
MAX_NAME_LENGTH = 128
# A page, for which a visitor waits: one repetition, after half a second at most.
MAX_TRIES = 2
# The categories of control characters, halves of surrogate pairs, and separators of lines.
NOT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})

# A date has at most four digits for the year.
MAX_DAYS = 365 * 1000

# For how long a form that is sent again returns the key that it has made, and the kind of this memory in the cache.
REPEAT_SECONDS, MADE = 60, "made-api-keys"
NAME_TAKEN = "user.personal_access_token_name_exists"


class ApiKeys:
    """The API keys of the signed-in user of a request, or of the user of its access token.

    An access token must be for the API of the site, and of a first-party application. It can list, rename and revoke
    the keys of its user. It cannot make one, and an API key cannot manage keys: an attacker who has stolen one could
    otherwise keep the access after the key is revoked.

    Raise ConfigurationError without `LOGTO_M2M_APP_ID` and its secret, SignInRequired if there is no user who has
    signed in through Logto, and ClientRefused for an application, an API key, and the token of a third-party
    application. All methods raise ManagementAPIError and ProviderError if Logto fails. They raise SignInRequired if
    Logto no longer knows the user: end the session.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = django_request(request)
        self._api = management_api(max_tries=MAX_TRIES)
        principal = request_principal(self._request)
        self._sub = _user_of(principal)
        self._has_session = isinstance(principal, SessionPrincipal)

    @sensitive_variables()
    def all(self) -> list[ApiKey]:
        """Return the keys of the user, the newest first, also those that have expired. One call."""
        keys = [api_key_in(row) for row in self._rows()]
        return sorted(keys, key=lambda key: (key.created_at, key.name), reverse=True)

    def get(self, key_id: str) -> ApiKey:
        """Return a key of the user. Raise ApiKeyGone. One call."""
        found = next((key for key in self.all() if key.id == key_id), None)
        if found is None:
            raise _gone(key_id)
        return found

    @sensitive_variables()
    def create(self, name: str, *, expires_at: datetime | None = None, form: str = "") -> NewApiKey:
        """Make a key, and return it with its value, which nothing returns again.

        `form` is a random text of the form, for a button that is pressed twice: for a minute, a second call with the
        same text returns the same key.

        `expires_at` is aware; None is a key that never expires. Raise InvalidKeyName, KeyNameTaken, ExpiryNotAllowed
        and TooManyApiKeys, and SessionRequired with an access token. Raise ProofRequired if the user has not proved in
        the last minutes who they are: send them to `proof.proof_url`. Raise SignInRefused if the user is suspended at
        Logto: end the session. Three calls.
        """
        self._require_proof()
        wanted = valid_name(name)
        _check_expiry(expires_at)
        # One at a time, because the number of keys is limited.
        with user_locked(conf.issuer, self._sub):
            rows = self._rows()
            if (made := self._made_by(form, rows)) is not None:
                return made
            if len(rows) >= conf.api_keys_per_user:
                raise TooManyApiKeys(f"The user {self._sub} has {len(rows)} API keys.")
            self._check_user()
            with self._translated():
                row = self._api.users.create_personal_access_token(
                    self._sub, {"name": wanted, "expiresAt": _milliseconds(expires_at)}
                )
            created = new_api_key_in(row)
            if form:
                cached(MADE, self._name_of(form), lambda: created.id, timeout_seconds=REPEAT_SECONDS)
        self._changed("created", created)
        return created

    def rename(self, key_id: str, name: str) -> ApiKey:
        """Give a key another name, and return it. Raise InvalidKeyName, KeyNameTaken, ApiKeyGone. Two calls."""
        wanted, key = valid_name(name), self.get(key_id)
        if wanted == key.name:
            return key
        with self._translated(key=key):
            renamed = api_key_in(self._api.users.rename_personal_access_token(self._sub, key.name, wanted))
        self._changed("renamed", renamed)
        return renamed

    def revoke(self, key_id: str) -> None:
        """Revoke a key. Raise ApiKeyGone. Two calls.

        It stops working at once in this process, and in the others after `LOGTO_API_KEY_SECONDS` at most. Access tokens
        for which another application has exchanged the key remain valid until they expire.
        """
        key = self.get(key_id)
        with self._translated(key=key):
            self._api.users.delete_personal_access_token(self._sub, key.name)
        forget(self._sub)
        self._changed("revoked", key)

    @property
    def may_create(self) -> bool:
        """Whether the request may make keys at all: those with an access token may not."""
        return self._has_session

    @property
    def has_proof(self) -> bool:
        """Whether the user has proved in the last minutes who they are, as `create` requires."""
        return has_proof(self._request)

    # Logto

    def _rows(self) -> list[Any]:
        with self._translated():
            return self._api.users.personal_access_tokens(self._sub)

    def _made_by(self, form: str, rows: Iterable[Any]) -> NewApiKey | None:
        """Return the key that the same form has just made; None if there is none, or the cache cannot be reached."""
        key_id = known(MADE, self._name_of(form)) if form else None
        return next((key for key in map(new_api_key_in, rows) if key.id == key_id), None) if key_id else None

    def _name_of(self, form: str) -> str:
        return f"{conf.issuer}\n{self._sub}\n{form}"

    def _check_user(self) -> None:
        """Raise SignInRefused for a suspended user, for whom Logto would make a key."""
        with self._translated():
            refused = is_suspended(self._api.users.get(self._sub))
        if refused:
            raise SignInRefused(f"The user {self._sub} is suspended at Logto.", code="account_disabled")

    @contextmanager
    def _translated(self, *, key: ApiKey | None = None) -> Iterator[None]:
        """Raise errors of this package for those that Logto has codes for. `key` is the key that is changed."""
        try:
            yield
        except ManagementAPIError as error:
            if error.code == NAME_TAKEN:
                raise KeyNameTaken(f"The user {self._sub} has another API key with this name.") from error
            if not is_unknown(error):
                raise
            if key is not None:
                raise _gone(key.id) from error
            raise SignInRequired(f"Logto no longer knows the user {self._sub}.") from error

    def _require_proof(self) -> None:
        if not self.may_create:
            raise SessionRequired("An access token cannot make an API key.")
        if not self.has_proof:
            raise ProofRequired(f"The user {self._sub} has not proved in the last minutes who they are.")

    def _changed(self, action: str, key: ApiKey) -> None:
        user = self._request.user
        api_key_changed.send_robust(
            sender=type(user), request=self._request, user=user, action=action, name=key.name, key_id=key.id
        )


def latest_expiry() -> datetime | None:
    """Return the latest time at which a key that is made now may expire; None if it may never expire."""
    days = conf.api_key_max_days
    return None if days is None else datetime.now(timezone.utc) + timedelta(days=min(days, MAX_DAYS))


def valid_name(name: str) -> str:
    """Return the name of a key as a page can show it and Logto accepts it. Raise InvalidKeyName."""
    text = name.strip()
    if any(unicodedata.category(each) in NOT_IN_NAMES for each in text):
        raise InvalidKeyName(
            "The name has control characters.",
            visitor_message=_("Enter a name of one line, without control characters."),
        )
    if not any(each.isprintable() and not each.isspace() for each in text):
        raise InvalidKeyName("The name is empty.", visitor_message=_("Enter a name."))
    if len(text.encode("utf-16-le")) // 2 > MAX_NAME_LENGTH:
        message = format_lazy(_("Enter at most {max} characters."), max=MAX_NAME_LENGTH)
        raise InvalidKeyName("The name is too long.", visitor_message=message)
    return text


def _user_of(principal: Principal) -> str:
    """Return the `sub` of the user whose keys a request may manage. Raise SignInRequired, ClientRefused.

    Raise NotDuringImpersonation while staff act as the user.
    """
    if not principal.is_authenticated or not principal.sub:
        raise SignInRequired("API keys need a user who is signed in through Logto.")
    if isinstance(principal, SessionPrincipal):
        principal.refuse_impersonation()
        return principal.sub
    if principal.is_machine:
        raise ClientRefused("An application has no API keys. Only users have.")
    if principal.is_api_key:
        raise ClientRefused("An API key cannot manage API keys.")
    if is_third_party(principal.client_id or ""):
        raise ClientRefused(f"The third-party application {principal.client_id!r:.60} cannot manage API keys.")
    return principal.sub


def _check_expiry(expires_at: datetime | None) -> None:
    """Raise ExpiryNotAllowed for a time in the past, or one that is later than the site allows."""
    if expires_at is not None and expires_at.tzinfo is None:
        raise ValueError("The argument expires_at is a naive datetime, expected an aware one.")
    if expires_at is not None and expires_at <= datetime.now(timezone.utc):
        raise ExpiryNotAllowed("The key would have expired already.", visitor_message=_("Choose a time in the future."))
    latest = latest_expiry()
    # The clock of the client may differ.
    tolerance = timedelta(seconds=conf.clock_skew_seconds)
    if latest is not None and (expires_at is None or expires_at - tolerance > latest):
        message: str | Promise = format_lazy(
            _("An API key of this site must expire within {days} days."), days=conf.api_key_max_days
        )
        raise ExpiryNotAllowed("The key would be valid for too long.", visitor_message=message)


def _milliseconds(expires_at: datetime | None) -> int | None:
    return None if expires_at is None else (expires_at - EPOCH) // timedelta(milliseconds=1)


def _gone(key_id: str) -> ApiKeyGone:
    # A script may take the value of a key for its id. A log must not have it.
    shown = repr(key_id) if KEY_ID.fullmatch(key_id) else "in the request, which is none"
    return ApiKeyGone(f"The user has no API key with the id {shown}.")
