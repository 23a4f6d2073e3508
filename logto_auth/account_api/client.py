"""The client of the Account API and the Verification API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any, cast
from urllib.parse import quote, urlencode

from logto_auth.oidc.http import BearerAuth, HTTPClient, Response
from logto_auth.oidc.secrets import Secret, as_secret, hide_frames

from .answers import Call, error_from, json_in, list_in, object_in, seconds_in, text_in, unexpected_body
from .errors import AccountScopeMissing, InvalidValue, WrongCode
from .shapes import UNFIT, Unfit, fitting
from .types import (
    Account,
    BackupCode,
    Factor,
    Grant,
    GrantsOfApplications,
    IdentifierKind,
    MfaSettings,
    PasskeyRegistration,
    ProfileFields,
    RevokedGrants,
    Session,
    SocialVerification,
    TotpSecret,
    VerificationRecord,
)

__all__ = ["SESSIONS_SCOPE", "UNSET", "AccountAPI", "Unset"]

SESSIONS_SCOPE = "urn:logto:scope:sessions"
VERIFICATION_HEADER = "logto-verification-id"


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset.UNSET
"""The value of an argument that is not given, where None empties a field."""


class AccountAPI:
    """One user's access to their own account at Logto: the Account API and the Verification API.

    `access_token` is the user's opaque access token, the one without a resource, and `scopes` are its scopes.
    `verification_id` is the id of a verification record of the user, which some methods need.

    The docstring of each method names the scopes, the field of the account center that must be `Edit`, and whether it
    needs a verification record. Every method raises

    - AccountScopeMissing if the token lacks a scope: before any call, if the scopes show it.
    - AccountCenterDisabled if the account center is off, and FieldNotEditable if the field is not `Edit`.
    - VerificationRequired if a record is needed, and there is none, or it has expired.
    - AccessTokenRejected if Logto does not accept the token any more.
    - AccountServiceFailed if Logto fails, and ProviderUnreachable if it cannot be reached.
    - AccountAPIError for all else, with Logto's code.

    The docstrings name the other errors. Source: Logto's OpenAPI document of the Account API.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        http: HTTPClient,
        access_token: Secret,
        scopes: Collection[str],
        verification_id: Secret | None = None,
    ) -> None:
        self.scopes = frozenset(scopes)
        self._base_url = endpoint.rstrip("/") + "/api"
        self._http = http
        self._access_token = access_token
        self._verification_id = verification_id

    def __repr__(self) -> str:
        return "<AccountAPI>"

    # The profile

    def get(self) -> Account:
        """Return the account, with what the scopes of the token and the fields of the account center show.

        Scopes: none for `id` and `hasSecurityVerificationMethod`. `profile` adds name, avatar, username, profile,
        hasPassword and times; `email`, `phone`, `custom_data` and `identities` what they say; `profile` and `address`
        together add the address. A field that is Off is left out. No record.
        """
        call = Call(name="GET /my-account")
        return _account(self._send(call, "GET", "/my-account"), call)

    def update(
        self,
        *,
        name: str | Unset | None = UNSET,
        avatar: str | Unset | None = UNSET,
        username: str | Unset | None = UNSET,
        custom_data: Mapping[str, Any] | Unset = UNSET,
    ) -> Account:
        """Change what is given, and return the account. None empties a field; `custom_data` replaces all of it.

        Scope `profile`; for `custom_data` also `custom_data`. Fields `name`, `avatar`, `username`, `customData`. A
        record for `username` only. Raise InvalidValue if a value is malformed, if the username is taken, or if it is
        the user's last way to sign in. Nothing is changed in case of an error.
        """
        values = {"name": name, "avatar": avatar, "username": username, "customData": custom_data}
        payload = {key: value for key, value in values.items() if not isinstance(value, Unset)}
        if not payload:
            return self.get()
        call = Call(
            name="PATCH /my-account",
            scopes=("profile", "custom_data") if "customData" in payload else ("profile",),
            field=next(iter(payload)) if len(payload) == 1 else "",
        )
        response = self._send(call, "PATCH", "/my-account", payload, verified="username" in payload)
        return _account(response, call)

    def update_profile(self, fields: ProfileFields) -> ProfileFields:
        """Change the given fields of the profile, and return all of them. The address is merged, too.

        Scope `profile`; for the address also `address`. Field `profile`. No record. Raise InvalidValue.
        """
        call = Call(
            name="PATCH /my-account/profile",
            scopes=("profile", "address") if "address" in fields else ("profile",),
            field="profile",
        )
        return cast("ProfileFields", object_in(self._send(call, "PATCH", "/my-account/profile", dict(fields)), call))

    def upload_avatar(self, content: bytes, *, filename: str, content_type: str) -> str:
        """Store an image at Logto, and return its URL. `update(avatar=...)` then makes it the user's.

        Scope `profile`. Field `avatar`. No record. Raise InvalidValue if the image is too large or of a wrong type, and
        AccountAPIError with the code `storage.not_configured` if Logto has no place to store it.
        """
        path = "/my-account/user-assets/avatar"
        call = Call(name=f"POST {path}", scopes=("profile",), field="avatar")
        self._check_scopes(call)
        response = self._http.post_file(
            self._base_url + path,
            content,
            name="file",
            filename=filename,
            content_type=content_type,
            auth=BearerAuth(self._access_token),
        )
        return text_in(object_in(self._checked(response, call, None), call, "url")["url"], call)

    # Password, e-mail address and phone number

    def set_password(self, password: Secret | str) -> None:
        """Set the user's password. All sessions and tokens stay alive: Logto ends none.

        No scope. Field `password`. A record, unless the user has neither password nor e-mail address nor phone number.
        Raise PasswordRejected if the password does not fit the policy, and AccountServiceFailed if Logto cannot reach
        the list of leaked passwords.
        """
        password = as_secret(password)
        call = Call(name="POST /my-account/password", field="password")
        self._change(call, "POST", "/my-account/password", {"password": password})

    def set_email(self, email: str, *, new_record_id: Secret | str) -> None:
        """Make `email` the user's address. `new_record_id` is of a code sent to it that `verify_code` has accepted.

        Scope `email`. Field `email`. A record. Raise InvalidValue if the address is malformed or taken, CodeExpired if
        `new_record_id` is not a verified record of this address.
        """
        new_record_id = as_secret(new_record_id)
        self._set_identifier("email", email, new_record_id)

    def remove_email(self) -> None:
        """Remove the user's e-mail address.

        Scope `email`. Field `email`. A record. Raise InvalidValue if it is the last way to sign in.
        """
        self._remove_identifier("email")

    def set_phone(self, phone: str, *, new_record_id: Secret | str) -> None:
        """Make `phone`, digits with the country code, the user's number. See `set_email`.

        Scope `phone`. Field `phone`. A record.
        """
        new_record_id = as_secret(new_record_id)
        self._set_identifier("phone", phone, new_record_id)

    def remove_phone(self) -> None:
        """Remove the user's phone number. See `remove_email`. Scope `phone`. Field `phone`. A record."""
        self._remove_identifier("phone")

    def _set_identifier(self, kind: IdentifierKind, value: str, new_record_id: Secret) -> None:
        path = f"/my-account/primary-{kind}"
        call = Call(name=f"POST {path}", scopes=(kind,), field=kind)
        payload = {kind: value, "newIdentifierVerificationRecordId": new_record_id}
        self._change(call, "POST", path, payload)

    def _remove_identifier(self, kind: IdentifierKind) -> None:
        path = f"/my-account/primary-{kind}"
        self._change(Call(name=f"DELETE {path}", scopes=(kind,), field=kind), "DELETE", path)

    # Verification records

    def verify_password(self, password: Secret | str) -> VerificationRecord:
        """Return a record that proves that the user knows the password. It is valid for 10 minutes, many times.

        No scope, no field. Raise WrongPassword, and VerificationBlocked after too many tries; InvalidValue if the
        password is empty.
        """
        password = as_secret(password)
        call = Call(name="POST /verifications/password", field="password")
        return _record(self._send(call, "POST", "/verifications/password", {"password": password}), call)

    def send_code(self, kind: IdentifierKind, value: str) -> VerificationRecord:
        """Send a code to an e-mail address or phone number, and return the record that `verify_code` completes.

        No scope, no field. Raise InvalidValue if the address is malformed, MessageNotSent if Logto cannot send,
        VerificationBlocked after too many codes.
        """
        call = Call(name="POST /verifications/verification-code", field=kind, sends_message=True)
        payload = {"identifier": {"type": kind, "value": value}}
        return _record(self._send(call, "POST", "/verifications/verification-code", payload), call)

    def verify_code(self, kind: IdentifierKind, value: str, *, record_id: Secret | str, code: Secret | str) -> None:
        """Complete the record of `send_code` with the code that the user received.

        The record then allows `set_email` or `set_phone`. If `value` is the user's present address, it is a
        verification record, too. No scope, no field. Raise WrongCode, and CodeExpired if the code was used, is too old
        or was sent to another address.
        """
        path = "/verifications/verification-code/verify"
        payload: dict[str, Any] = {
            "identifier": {"type": kind, "value": value},
            "verificationId": as_secret(record_id),
            "code": as_secret(code),
        }
        del record_id, code
        self._complete_record(Call(name=f"POST {path}", field="code"), path, payload, payload["verificationId"])

    # Linked identities

    def start_social(self, connector_id: str, *, state: str, redirect_uri: str) -> SocialVerification:
        """Begin the proof that the user owns an account of a social provider.

        Send the browser to `authorization_uri`. The provider sends it to `redirect_uri`, with parameters that
        `verify_social` needs. No scope, no field. Raise InvalidValue if there is no such connector.
        """
        call = Call(name="POST /verifications/social", field="connector")
        payload = {"connectorId": connector_id, "state": as_secret(state), "redirectUri": redirect_uri}
        del state
        response = self._send(call, "POST", "/verifications/social", payload)
        return _social_verification(response, call)

    def verify_social(self, record_id: Secret | str, connector_data: Mapping[str, str]) -> None:
        """Complete the record of `start_social` with what the provider sent: `state`, `code`, and `redirectUri`.

        No scope, no field. Raise InvalidValue if the provider does not confirm it, CodeExpired if the record is unknown
        or has expired.
        """
        path = "/verifications/social/verify"
        payload: dict[str, Any] = {
            "verificationRecordId": as_secret(record_id),
            "connectorData": {name: as_secret(value) for name, value in connector_data.items()},
        }
        del record_id, connector_data
        call = Call(name=f"POST {path}", field="social")
        self._complete_record(call, path, payload, payload["verificationRecordId"])

    def link_identity(self, new_record_id: Secret | str) -> None:
        """Link the account that the record of `verify_social` proves.

        Scope `identities`. Field `social`. A record, unless the user has neither password nor e-mail address nor phone
        number. Raise InvalidValue if the account is linked to some user, or another one of the same provider to this
        user; CodeExpired if the record is not verified.
        """
        new_record_id = as_secret(new_record_id)
        self._link("POST", new_record_id)

    def replace_identity(self, new_record_id: Secret | str) -> None:
        """Link the account, in place of the one that is linked. See `link_identity`."""
        new_record_id = as_secret(new_record_id)
        self._link("PUT", new_record_id)

    def unlink_identity(self, target: str) -> None:
        """Unlink the account of the provider `target`, a key of `identities` in the account.

        Scope `identities`. Field `social`. A record. Raise InvalidValue if there is none, or if it is the last way to
        sign in.
        """
        call = Call(name="DELETE /my-account/identities/{target}", scopes=("identities",), field="social", row="social")
        self._change(call, "DELETE", f"/my-account/identities/{_segment(target, call)}")

    def _link(self, method: str, new_record_id: Secret) -> None:
        call = Call(name=f"{method} /my-account/identities", scopes=("identities",), field="social")
        payload = {"newIdentifierVerificationRecordId": new_record_id}
        self._change(call, method, "/my-account/identities", payload)

    # Second factors

    def factors(self) -> list[Factor]:
        """Return the user's second factors. Scope `identities`. Field `mfa`, at least `ReadOnly`. No record."""
        call = Call(name="GET /my-account/mfa-verifications", scopes=("identities",), field="mfa")
        response = self._send(call, "GET", "/my-account/mfa-verifications")
        factors: list[Factor] = fitting(list_in(json_in(response), call), list[Factor])
        return factors

    def generate_totp_secret(self) -> TotpSecret:
        """Return a new secret for an authenticator app. It takes effect with `add_totp`. No scope, field or record."""
        path = "/my-account/mfa-verifications/totp-secret/generate"
        call = Call(name=f"POST {path}", field="mfa")
        return _totp_secret(self._send(call, "POST", path), call)

    def add_totp(self, secret: Secret | str, code: Secret | str) -> None:
        """Add the authenticator app. `code` is one that it shows now.

        Scope `identities`. Field `mfa`. A record. Raise WrongCode, also for an empty code, which Logto would not check;
        InvalidValue if the user has one already, or if the secret is malformed.
        """
        payload = {"type": "Totp", "secret": as_secret(secret), "code": _totp_code(code)}
        del secret, code
        self._add_factor(payload)

    def replace_totp(self, secret: Secret | str, code: Secret | str) -> None:
        """Add the authenticator app, in place of the one that the user has. See `add_totp`."""
        path = "/my-account/mfa-verifications/totp"
        payload = {"secret": as_secret(secret), "code": _totp_code(code)}
        del secret, code
        self._change(_factor_call(f"PUT {path}"), "PUT", path, payload)

    def backup_codes(self) -> list[BackupCode]:
        """Return the user's backup codes, with those that were used. Scope `identities`. A record."""
        path = "/my-account/mfa-verifications/backup-codes"
        call = Call(name=f"GET {path}", scopes=("identities",), field="mfa", row="backup_codes")
        try:
            response = self._send(call, "GET", path, verified=True)
        except InvalidValue:
            # Logto answers 404 to a user who has none.
            return []
        return _backup_codes(response, call)

    def generate_backup_codes(self) -> list[str]:
        """Return new backup codes. They take effect with `add_backup_codes`. No scope, field or record."""
        path = "/my-account/mfa-verifications/backup-codes/generate"
        call = Call(name=f"POST {path}", field="mfa")
        return _new_backup_codes(self._send(call, "POST", path), call)

    def add_backup_codes(self, codes: Iterable[Secret | str]) -> None:
        """Make `codes` the user's backup codes, in place of the former ones.

        Scope `identities`. Field `mfa`. A record. Raise InvalidValue if the user has no other factor, or if a code was
        not made by `generate_backup_codes`.
        """
        payload = {"type": "BackupCode", "codes": [as_secret(code) for code in codes]}
        del codes
        self._add_factor(payload)

    def passkey_options(self) -> PasskeyRegistration:
        """Begin the registration of a passkey: return the options for the browser. No scope, field or record."""
        path = "/verifications/web-authn/registration"
        call = Call(name=f"POST {path}", field="passkey")
        return _passkey_registration(self._send(call, "POST", path), call)

    def verify_passkey(self, record_id: Secret | str, credential: Mapping[str, Any]) -> None:
        """Complete the record of `passkey_options` with what the browser returned, `PublicKeyCredential.toJSON()`.

        No scope, no field. Raise InvalidValue if it is malformed, or if the site's origin is not in
        `webauthnRelatedOrigins` of the account center; CodeExpired if the record is unknown or has expired.
        """
        path = "/verifications/web-authn/registration/verify"
        payload: dict[str, Any] = {
            "verificationRecordId": as_secret(record_id),
            # The browser calls the type "public-key".
            "payload": {**credential, "type": "WebAuthn"},
        }
        del record_id
        call = Call(name=f"POST {path}", field="passkey")
        self._complete_record(call, path, payload, payload["verificationRecordId"])

    def add_passkey(self, record_id: Secret | str, *, name: str = "") -> None:
        """Add the passkey that `verify_passkey` has accepted. Without a name, it has that of the client's User-Agent.

        Scope `identities`. Field `passkey`, or `mfa` where Logto has none of that name. A record. Raise CodeExpired.
        """
        payload: dict[str, Any] = {"type": "WebAuthn", "newIdentifierVerificationRecordId": as_secret(record_id)}
        del record_id
        self._add_factor({**payload, "name": name} if name else payload, field="passkey")

    def rename_factor(self, id: str, name: str) -> None:
        """Rename a passkey. Scope `identities`. Field `passkey` or `mfa`. A record. Raise InvalidValue."""
        call = _factor_call("PATCH /my-account/mfa-verifications/{id}/name", row="factor")
        path = f"/my-account/mfa-verifications/{_segment(id, call)}/name"
        self._send(call, "PATCH", path, {"name": name}, verified=True)

    def remove_factor(self, id: str) -> None:
        """Remove a second factor. Scope `identities`. Field `mfa` or `passkey`. A record. Raise InvalidValue."""
        call = _factor_call("DELETE /my-account/mfa-verifications/{id}", row="factor")
        self._change(call, "DELETE", f"/my-account/mfa-verifications/{_segment(id, call)}")

    def mfa_settings(self) -> MfaSettings:
        """Return the settings of second factors. Scope `identities`. Field `mfa`, at least `ReadOnly`. No record."""
        call = Call(name="GET /my-account/mfa-settings", scopes=("identities",), field="mfa")
        return cast("MfaSettings", object_in(self._send(call, "GET", "/my-account/mfa-settings"), call))

    def update_mfa_settings(self, *, skip_at_sign_in: bool) -> MfaSettings:
        """Change whether Logto asks for a second factor at sign-in. Scope `identities`. Field `mfa`. A record."""
        call = _factor_call("PATCH /my-account/mfa-settings")
        payload = {"skipMfaOnSignIn": skip_at_sign_in}
        response = self._send(call, "PATCH", "/my-account/mfa-settings", payload, verified=True)
        return cast("MfaSettings", object_in(response, call))

    def _add_factor(self, payload: Mapping[str, Any], *, field: str = "mfa") -> None:
        call = _factor_call("POST /my-account/mfa-verifications", field=field)
        self._change(call, "POST", "/my-account/mfa-verifications", payload)

    # Sessions and grants

    def sessions(self) -> list[Session]:
        """Return the user's sessions at Logto.

        `payload.uid` is the id for `end_session`; the `sid` of the ID token is in `payload.authorizations[client_id]`.
        `isCurrent` marks the session of the access token.
        Scope `urn:logto:scope:sessions`. Field `session`, at least `ReadOnly`. A record.
        """
        call = Call(name="GET /my-account/sessions", scopes=(SESSIONS_SCOPE,), field="session")
        response = self._send(call, "GET", "/my-account/sessions", verified=True)
        return list_in(object_in(response, call, "sessions")["sessions"], call)

    def end_session(self, uid: str, *, revoke_grants: RevokedGrants = "firstParty") -> None:
        """End a session at Logto, and revoke its grants. Their access and refresh tokens then are dead.

        `revoke_grants` is `firstParty`, or `all` for those of third-party applications too. Without it, Logto would
        leave all tokens alive. Scope `urn:logto:scope:sessions`. Field `session`. A record. Raise InvalidValue if the
        user has no such session.
        """
        call = Call(name="DELETE /my-account/sessions/{uid}", scopes=(SESSIONS_SCOPE,), field="session", row="session")
        query = urlencode({"revokeGrantsTarget": revoke_grants})
        self._change(call, "DELETE", f"/my-account/sessions/{_segment(uid, call)}?{query}")

    def grants(self, *, app_type: GrantsOfApplications = "all") -> list[Grant]:
        """Return what the user has granted to applications, to all or to those of one type.

        Scope `urn:logto:scope:sessions`. Field `session`, at least `ReadOnly`. A record.
        """
        call = Call(name="GET /my-account/grants", scopes=(SESSIONS_SCOPE,), field="session")
        query = "" if app_type == "all" else "?" + urlencode({"appType": app_type})
        response = self._send(call, "GET", f"/my-account/grants{query}", verified=True)
        return list_in(object_in(response, call, "grants")["grants"], call)

    def revoke_grant(self, id: str) -> None:
        """Revoke a grant. The tokens of the application are dead then.

        Scope `urn:logto:scope:sessions`. Field `session`. A record. Raise InvalidValue if the user has no such grant.
        """
        call = Call(name="DELETE /my-account/grants/{id}", scopes=(SESSIONS_SCOPE,), field="session", row="grant")
        self._change(call, "DELETE", f"/my-account/grants/{_segment(id, call)}")

    # Calls

    def _check_scopes(self, call: Call) -> None:
        missing = [scope for scope in call.scopes if scope not in self.scopes]
        if missing:
            raise AccountScopeMissing(
                f"{call.name} needs an access token with {' '.join(missing)}. Add it to LOGTO_SCOPES, "
                "and let the user sign in again.",
                scopes=missing,
            )

    def _send(
        self, call: Call, method: str, path: str, payload: Mapping[str, Any] | None = None, *, verified: bool = False
    ) -> Response:
        """Return the response. With `verified`, the verification record is sent, if there is one."""
        self._check_scopes(call)
        url, auth = self._base_url + path, BearerAuth(self._access_token)
        headers = {VERIFICATION_HEADER: self._verification_id} if verified and self._verification_id else {}
        if method == "GET":
            response = self._http.get(url, auth=auth, headers=headers)
        else:
            response = self._http.send_json(method, url, payload, auth=auth, headers=headers)
        return self._checked(response, call, payload)

    def _change(self, call: Call, method: str, path: str, payload: Mapping[str, Any] | None = None) -> None:
        """Change something with the verification record. Raise AccountAPIError if Logto does not say that it has.

        Logto answers with 204. A page of something else on the way, such as a proxy, may have the status 200.
        """
        response = self._send(call, method, path, payload, verified=True)
        if response.body:
            raise unexpected_body(call, "an empty body")

    @hide_frames
    def _complete_record(self, call: Call, path: str, payload: Mapping[str, Any], record_id: Secret) -> None:
        """Let Logto check a proof. Raise AccountAPIError if it does not name the record: then nothing is proved."""
        body = object_in(self._send(call, "POST", path, payload), call)
        if body.get("verificationRecordId") != record_id.reveal():
            raise unexpected_body(call, "the verification record")

    def _checked(self, response: Response, call: Call, payload: Mapping[str, Any] | None) -> Response:
        if response.status >= 400:
            raise error_from(response, call, sent=[payload, self._access_token, self._verification_id])
        return response


def _factor_call(name: str, *, field: str = "mfa", row: str = "") -> Call:
    return Call(name=name, scopes=("identities",), field=field, row=row)


@hide_frames
def _totp_code(code: Secret | str) -> Secret:
    """Return the code. Raise WrongCode if it is empty: Logto would add the app without checking a code."""
    code = as_secret(code)
    if not code.reveal():
        raise WrongCode("The code is empty.", code="session.mfa.invalid_totp_code")
    return code


def _segment(text: str, call: Call) -> str:
    """Return `text` as one segment of a path. Raise InvalidValue if it cannot be one."""
    try:
        segment = quote(text, safe="")
    except UnicodeEncodeError:
        segment = ""
    # A client resolves "." and "..", which would name another object.
    if segment in {"", ".", ".."}:
        raise InvalidValue(f"{call.name} was not sent: it needs an id.", field=call.row, code="invalid_id")
    return segment


def _account(response: Response, call: Call) -> Account:
    account: Account | Unfit = fitting(object_in(response, call, "id"), Account)
    if account is UNFIT:
        raise unexpected_body(call, "a text as id")
    return account


# Bodies with secrets


@hide_frames
def _record(response: Response, call: Call) -> VerificationRecord:
    return VerificationRecord(**_record_values(object_in(response, call), call))


def _record_values(body: Mapping[str, Any], call: Call) -> dict[str, Any]:
    return {
        "id": Secret(text_in(body.get("verificationRecordId"), call)),
        "expires_at": seconds_in(body.get("expiresAt"), call),
    }


@hide_frames
def _social_verification(response: Response, call: Call) -> SocialVerification:
    body = object_in(response, call)
    uri = text_in(body.get("authorizationUri"), call)
    return SocialVerification(authorization_uri=uri, **_record_values(body, call))


@hide_frames
def _passkey_registration(response: Response, call: Call) -> PasskeyRegistration:
    body = object_in(response, call)
    options = body.get("registrationOptions")
    if not isinstance(options, dict):
        raise unexpected_body(call, "registrationOptions")
    return PasskeyRegistration(options=options, **_record_values(body, call))


@hide_frames
def _totp_secret(response: Response, call: Call) -> TotpSecret:
    return TotpSecret(Secret(text_in(object_in(response, call).get("secret"), call)))


@hide_frames
def _backup_codes(response: Response, call: Call) -> list[BackupCode]:
    codes = list_in(object_in(response, call).get("codes"), call)
    if not all(isinstance(each.get("code"), str) for each in codes):
        raise unexpected_body(call, "codes")
    return codes


@hide_frames
def _new_backup_codes(response: Response, call: Call) -> list[str]:
    codes = object_in(response, call).get("codes")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise unexpected_body(call, "codes")
    return codes
