"""What the client checks before a call, and what it makes of answers that were not recorded."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from logto_auth import exceptions as errors
from logto_auth.account_api import AccountAPI
from logto_auth.account_api.types import TotpSecret
from logto_auth.oidc.secrets import Secret

from .calls import CALLS, Call
from .logto import ALL_SCOPES, FakeLogto

SECRET = "s3cret-0123456789"


def names_in(cell: str) -> list[str]:
    return re.findall(r"`(.*?)`", cell)


# The rows of the table in the documentation: call, scopes, field, and whether a record is needed.
ROW = re.compile(r"\| `(\w+)`( \w+)? \| (.*?) \| (.*?) \| (yes|no) \|")
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "account-api.md").read_text(encoding="utf-8")
ROWS = {
    name + kind: (names_in(scopes), names_in(field), record == "yes")
    for name, kind, scopes, field, record in ROW.findall(PAGE)
}


def test_table_has_every_method() -> None:
    public = {name for name, value in vars(AccountAPI).items() if inspect.isfunction(value) and name[0] != "_"}
    assert ROWS.keys() == CALLS.keys()
    assert {name.partition(" ")[0] for name in CALLS} == public


@pytest.mark.parametrize("name", CALLS)
def test_missing_scope_is_named_before_any_call(fake: FakeLogto, name: str) -> None:
    scopes, _, _ = ROWS[name]
    for missing in scopes:
        with pytest.raises(errors.AccountScopeMissing) as raised:
            CALLS[name](fake.api(scopes=set(ALL_SCOPES) - {missing}))
        assert raised.value.scopes == (missing,)
        assert missing in str(raised.value)
    assert fake.asked == []


@pytest.mark.parametrize("name", CALLS)
def test_call_with_its_scopes_is_sent_with_its_record(fake: FakeLogto, name: str) -> None:
    scopes, _, needs_record = ROWS[name]
    fake.answer(418, {"code": "teapot"})
    with pytest.raises(errors.AccountAPIError) as raised:
        CALLS[name](fake.api(scopes=scopes, verification_id="the-record"))
    assert raised.value.code == "teapot"
    assert [asked.headers["logto-verification-id"] for asked in fake.asked] == ["the-record" if needs_record else None]


@pytest.mark.parametrize("name", [name for name, (_, field, _) in ROWS.items() if field])
def test_field_that_is_not_editable_is_named(fake: FakeLogto, name: str) -> None:
    fake.answer(400, {"code": "account_center.field_not_editable"})
    with pytest.raises(errors.FieldNotEditable) as raised:
        CALLS[name](fake.api())
    assert [raised.value.field] == ROWS[name][1]


# Not sent


@pytest.mark.parametrize("id", ["", ".", "..", "\ud800"])
@pytest.mark.parametrize("name", ["end_session", "revoke_grant", "remove_factor", "unlink_identity"])
def test_id_that_is_no_segment_is_not_sent(fake: FakeLogto, name: str, id: str) -> None:
    with pytest.raises(errors.InvalidValue) as raised:
        getattr(fake.api(), name)(id)
    assert raised.value.field in {"session", "grant", "factor", "social"}
    assert fake.asked == []


def test_id_is_one_segment_of_the_path(fake: FakeLogto) -> None:
    fake.answer(204)
    fake.api().end_session("a/../../b?c#d%2e")
    assert fake.asked[0].path == ("/api/my-account/sessions/a%2F..%2F..%2Fb%3Fc%23d%252e?revokeGrantsTarget=firstParty")


def test_update_of_nothing_reads_the_account(fake: FakeLogto) -> None:
    fake.answer(200, {"id": "u1"})
    assert fake.api().update() == {"id": "u1"}
    assert fake.asked[0].method == "GET"


def test_none_empties_a_field(fake: FakeLogto) -> None:
    fake.answer(200, {"id": "u1"})
    fake.api().update(name=None, avatar=None)
    assert fake.asked[0].json() == {"name": None, "avatar": None}


# Answers that prove nothing

PROOFS: dict[str, Callable[[AccountAPI], object]] = {
    "code": lambda api: api.verify_code("email", "a@example.com", record_id="record-1", code="123456"),
    "social": lambda api: api.verify_social("record-1", {"code": "c"}),
    "passkey": lambda api: api.verify_passkey("record-1", {"id": "a"}),
}
CHANGES: dict[str, Callable[[AccountAPI], object]] = {
    "password": lambda api: api.set_password("a-new-password"),
    "email": lambda api: api.set_email("a@example.com", new_record_id="r"),
    "no phone": lambda api: api.remove_phone(),
    "link": lambda api: api.link_identity("r"),
    "unlink": lambda api: api.unlink_identity("alipay"),
    "totp": lambda api: api.replace_totp("secret", "123456"),
    "factor": lambda api: api.remove_factor("f"),
    "session": lambda api: api.end_session("s"),
    "grant": lambda api: api.revoke_grant("g"),
}
LOGIN_PAGE = "<html>Sign in to the network</html>"


@pytest.mark.parametrize("body", [LOGIN_PAGE, {}, [], {"verificationRecordId": "record-2"}, None])
@pytest.mark.parametrize("name", PROOFS)
def test_record_is_proved_only_if_logto_names_it(fake: FakeLogto, name: str, body: Any) -> None:
    fake.answer(200, body)
    with pytest.raises(errors.AccountAPIError):
        PROOFS[name](fake.api())
    fake.answers.clear()
    fake.answer(200, {"verificationRecordId": "record-1"})
    PROOFS[name](fake.api())


@pytest.mark.parametrize("name", CHANGES)
def test_page_of_a_proxy_is_no_change(fake: FakeLogto, name: str) -> None:
    fake.answer(200, LOGIN_PAGE)
    with pytest.raises(errors.AccountAPIError):
        CHANGES[name](fake.api())


# Sessions and grants


def test_end_of_session_revokes_its_grants(fake: FakeLogto) -> None:
    fake.answer(204)
    fake.api().end_session("u1")
    fake.api().end_session("u1", revoke_grants="all")
    assert [asked.path.partition("?")[2] for asked in fake.asked] == [
        "revokeGrantsTarget=firstParty",
        "revokeGrantsTarget=all",
    ]


def test_unknown_grant_is_an_invalid_value(fake: FakeLogto) -> None:
    fake.answer(404, {"code": "oidc.invalid_grant", "message": "Grant request is invalid."})
    with pytest.raises(errors.InvalidValue) as raised:
        fake.api().revoke_grant("nope")
    assert raised.value.field == "grant"


# Second factors


@pytest.mark.parametrize("name", ["add_totp", "replace_totp"])
def test_empty_code_of_authenticator_app_is_not_sent(fake: FakeLogto, name: str) -> None:
    for code in ("", Secret("")):
        with pytest.raises(errors.WrongCode):
            getattr(fake.api(), name)("JBSWY3DPEHPK3PXP", code)
    assert fake.asked == []


def test_factor_that_the_tenant_does_not_offer_is_not_editable(fake: FakeLogto) -> None:
    fake.answer(400, {"code": "session.mfa.mfa_factor_not_enabled", "message": "MFA factor is not enabled."})
    with pytest.raises(errors.FieldNotEditable) as raised:
        fake.api().add_totp("JBSWY3DPEHPK3PXP", "123456")
    assert (raised.value.field, raised.value.code) == ("mfa", "session.mfa.mfa_factor_not_enabled")


def test_text_that_is_too_long_is_an_invalid_value(fake: FakeLogto) -> None:
    data = {"message": "value too long for type character varying(128)"}
    fake.answer(422, {"code": "entity.value_too_long", "message": "The length is too long.", "data": data})
    for call, field in ((lambda api: api.update(name="x"), "name"), (lambda api: api.send_code("email", "x"), "email")):
        with pytest.raises(errors.InvalidValue) as raised:
            call(fake.api())
        assert (raised.value.field, raised.value.status) == (field, 400)


def test_user_without_backup_codes_has_none(fake: FakeLogto) -> None:
    fake.answer(404, {"code": "mfa.none"})
    assert fake.api().backup_codes() == []


def test_route_that_logto_does_not_have_is_no_unknown_id(fake: FakeLogto) -> None:
    fake.answer(404, "Not Found")
    for call in (AccountAPI.backup_codes, lambda api: api.end_session("u1")):
        with pytest.raises(errors.AccountAPIError) as raised:
            call(fake.api())
        assert (type(raised.value), raised.value.code) == (errors.AccountAPIError, "http_404")


# The avatar


def test_avatar_is_uploaded_as_a_file(fake: FakeLogto) -> None:
    fake.answer(200, {"url": "https://cdn.example/a.png"})
    url = fake.api().upload_avatar(b"\x89PNG\r\n--x", filename='a"\r\nb.png', content_type="image/png")
    asked = fake.asked[0]
    assert url == "https://cdn.example/a.png"
    assert (asked.method, asked.path) == ("POST", "/api/my-account/user-assets/avatar")
    kind, _, boundary = asked.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    head, _, content = asked.body.partition(b"\r\n\r\n")
    assert content == b"\x89PNG\r\n--x\r\n--" + boundary.encode() + b"--\r\n"
    assert head.split(b"\r\n") == [
        b"--" + boundary.encode(),
        b'Content-Disposition: form-data; name="file"; filename="a%22%0D%0Ab.png"',
        b"Content-Type: image/png",
    ]


@pytest.mark.parametrize("code", ["guard.file_size_exceeded", "guard.mime_type_not_allowed"])
def test_refused_image_is_an_invalid_avatar(fake: FakeLogto, code: str) -> None:
    fake.answer(400, {"code": code, "message": "No."})
    with pytest.raises(errors.InvalidValue) as raised:
        fake.api().upload_avatar(b"x", filename="a", content_type="image/png")
    assert raised.value.field == "avatar"


# Errors that were not recorded


@pytest.mark.parametrize("status", [400, 500, 501])
def test_connector_that_fails_sends_no_message(fake: FakeLogto, status: int) -> None:
    fake.answer(status, {"code": "connector.not_found", "message": f"No connector for {SECRET}", "data": SECRET})
    with pytest.raises(errors.MessageNotSent) as raised:
        fake.api().send_code("email", "a@example.com")
    assert raised.value.status == 503
    assert SECRET not in f"{raised.value} {vars(raised.value)}"


@pytest.mark.parametrize("code", ["verification_code.exceed_max_try", "verification_code.expired"])
def test_code_with_too_many_tries_has_expired(fake: FakeLogto, code: str) -> None:
    fake.answer(400, {"code": code})
    with pytest.raises(errors.CodeExpired):
        fake.api().verify_code("email", "a@example.com", record_id="r", code="1")


def test_retry_after_of_header_wins(fake: FakeLogto) -> None:
    fake.answer(429, {"code": "any", "message": "Again in 60 minutes."}, Retry_After="7")
    with pytest.raises(errors.VerificationBlocked) as raised:
        fake.api().verify_password("x")
    assert raised.value.retry_after_seconds == 7


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("body", [None, "<html>", {"message": "Internal server error."}, {"code": "entity.db_error"}])
def test_failure_of_logto_is_a_failed_service(fake: FakeLogto, status: int, body: Any) -> None:
    fake.answer(status, body)
    with pytest.raises(errors.AccountServiceFailed) as raised:
        fake.api().set_password("x")
    assert raised.value.status == 502


@pytest.mark.parametrize("body", ["", "text", [], {}, {"code": 5}, {"code": None, "message": []}, {"code": "new.code"}])
@pytest.mark.parametrize("status", [400, 404, 409, 418, 422])
def test_unknown_error_is_an_account_api_error(fake: FakeLogto, status: int, body: Any) -> None:
    fake.answer(status, body)
    with pytest.raises(errors.AccountAPIError) as raised:
        fake.api().get()
    assert type(raised.value) is errors.AccountAPIError
    assert raised.value.status == 502
    assert raised.value.code in {f"http_{status}", "new.code"}


@pytest.mark.parametrize("data", [None, 5, "x", [], [5], [{"code": 5}], {"issues": 5}, [{"interpolation": []}]])
def test_password_is_rejected_whatever_the_data(fake: FakeLogto, data: Any) -> None:
    fake.answer(422, {"code": "password.rejected", "data": data})
    with pytest.raises(errors.PasswordRejected) as raised:
        fake.api().set_password("x")
    assert all(isinstance(code, str) and isinstance(values, dict) for code, values in raised.value.reasons)


@pytest.mark.parametrize(
    "data", [None, 5, {"issues": 5}, {"issues": []}, {"issues": [5]}, {"issues": [{"path": "x"}]}, {"issues": [{}]}]
)
def test_invalid_input_without_a_path_has_the_field_of_the_call(fake: FakeLogto, data: Any) -> None:
    fake.answer(400, {"code": "guard.invalid_input", "data": data})
    with pytest.raises(errors.InvalidValue) as raised:
        fake.api().set_email("x", new_record_id="r")
    assert raised.value.field == "email"


@pytest.mark.parametrize("status", [400, 401, 403, 422])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("account_center.not_enabled", errors.AccountCenterDisabled),
        ("account_center.field_not_enabled", errors.FieldNotEditable),
        ("verification_record.permission_denied", errors.VerificationRequired),
        ("session.invalid_credentials", errors.WrongPassword),
        ("verification_code.code_mismatch", errors.WrongCode),
    ],
)
def test_code_decides_whatever_the_status(fake: FakeLogto, status: int, code: str, error: type[Exception]) -> None:
    """Logto's statuses are uneven, and may change with a version."""
    fake.answer(status, {"code": code})
    with pytest.raises(errors.AccountAPIError) as raised:
        fake.api().get()
    assert type(raised.value) is error


def test_suspended_user_is_not_an_invalid_value(fake: FakeLogto) -> None:
    fake.answer(403, {"code": "user.suspended"})
    with pytest.raises(errors.AccountAPIError) as raised:
        fake.api().get()
    assert (type(raised.value), raised.value.status) == (errors.AccountAPIError, 403)


def test_logto_out_of_reach_is_provider_unreachable(fake: FakeLogto) -> None:
    api = fake.api()
    api._base_url = "http://127.0.0.1:9/api"
    with pytest.raises(errors.ProviderUnreachable):
        api.get()


# Successful answers that are not what the document says

WRONG_BODIES: list[Any] = [
    "",
    "OK",
    None,
    5,
    [5],
    [[]],
    {"id": 5, "url": 5, "secret": 5, "codes": 5, "sessions": 5, "grants": 5, "verificationRecordId": 5},
    {"verificationRecordId": "r", "expiresAt": "soon", "codes": [5], "sessions": [5], "grants": [None]},
    {"verificationRecordId": "r", "expiresAt": "2026-11-28T16:40:39", "authorizationUri": "x", "codes": [{}]},
    {"verificationRecordId": "r", "expiresAt": "2026-11-28T16:40:39Z", "registrationOptions": []},
]


@pytest.mark.parametrize("name", CALLS)
def test_wrong_body_is_an_account_api_error_or_ignored(fake: FakeLogto, name: str) -> None:
    """No other error leaves the client, whatever Logto sends."""
    for body in WRONG_BODIES:
        fake.answers.clear()
        fake.answer(200, body)
        error: Exception | None = None
        try:
            CALLS[name](fake.api())
        except errors.AccountAPIError as raised:
            error = raised
        assert getattr(error, "code", "unexpected_body") == "unexpected_body", body
        assert "16:40" not in str(error)


# Secrets


def test_secrets_that_logto_repeats_are_hidden(fake: FakeLogto) -> None:
    fake.answer(400, {"code": "user.x", "message": f"Not {SECRET}!", "data": {SECRET: [SECRET, 1], "b": "c"}})
    with pytest.raises(errors.InvalidValue) as raised:
        fake.api().set_password(SECRET)
    assert SECRET not in f"{raised.value} {vars(raised.value)}"
    assert "Not [hidden]!" in str(raised.value)
    assert raised.value.data == {"[hidden]": ["[hidden]", 1], "b": "c"}


def test_message_is_readable_whatever_the_user_typed(fake: FakeLogto) -> None:
    fake.answer(422, {"code": "password.rejected", "message": "Password rejected."})
    with pytest.raises(errors.PasswordRejected) as raised:
        fake.api().set_password("a")
    assert raised.value.message == "Password rejected."


SECRET_CALLS: list[Call] = [
    lambda api: api.set_password(SECRET),
    lambda api: api.verify_password(SECRET),
    lambda api: api.verify_code("email", "a@example.com", record_id=SECRET, code=SECRET),
    lambda api: api.set_email("a@example.com", new_record_id=SECRET),
    lambda api: api.start_social("c", state=SECRET, redirect_uri="https://site.example/"),
    lambda api: api.verify_social(SECRET, {"code": SECRET}),
    lambda api: api.link_identity(SECRET),
    lambda api: api.add_totp(SECRET, SECRET),
    lambda api: api.replace_totp(SECRET, SECRET),
    lambda api: api.add_backup_codes([SECRET]),
    lambda api: api.verify_passkey(SECRET, {}),
    lambda api: api.add_passkey(SECRET),
]


@pytest.mark.parametrize("call", SECRET_CALLS)
@pytest.mark.parametrize("status", [400, 401, 500, 0])
def test_traceback_shows_no_secret(fake: FakeLogto, call: Call, status: int) -> None:
    """The variables of all frames of an error, as an error report shows them. Status 0: the answer is a redirect."""
    fake.answer(status or 307, {"code": "user.x", "message": SECRET})
    with pytest.raises(errors.LogtoError) as raised:
        call(fake.api(verification_id=SECRET))
    frames = [frame for frame, _ in traceback.walk_tb(raised.tb) if "/logto_auth/" in frame.f_code.co_filename]
    assert frames
    shown = "\n".join(f"{frame.f_code.co_name} {frame.f_locals!r}" for frame in frames)
    assert SECRET not in shown
    assert "the-access-token" not in shown
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_representations_hide_secrets(fake: FakeLogto) -> None:
    fake.answer(
        200,
        {
            "verificationRecordId": SECRET,
            "expiresAt": "2026-11-28T16:40:39.997Z",
            "authorizationUri": f"https://provider.example/?state={SECRET}",
            "registrationOptions": {"challenge": SECRET},
        },
    )
    api = fake.api(verification_id=SECRET)
    social = api.start_social("c", state=SECRET, redirect_uri="https://site.example/")
    shown = repr([api, api.verify_password("x"), social, api.passkey_options(), TotpSecret(Secret(SECRET))])
    assert SECRET not in shown
    assert SECRET in social.authorization_uri


def test_uri_of_authenticator_app_has_issuer_and_account() -> None:
    uri = TotpSecret(Secret("ABC")).uri(issuer="Book shop", account_name="ada@example.com")
    assert uri.reveal() == "otpauth://totp/Book%20shop%3Aada%40example.com?secret=ABC&issuer=Book%20shop"
    assert "ABC" not in repr(uri)
