"""`request.logto.account`: the user's own account at Logto, with the tokens and the record of the session."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Coroutine
from traceback import walk_tb
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.debug import ExceptionReporter

from bookstore.urls import urlpatterns as bookstore_urls
from logto_auth import exceptions as errors
from logto_auth.account_api import AccountAPI
from logto_auth.account_api.client import SESSIONS_SCOPE
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.state.message_connectors import MESSAGE_FACTORIES
from logto_auth.emulator.state.social_connectors import Connector
from logto_auth.models import LogtoSession
from logto_auth.sessions import outage, refresh, store
from logto_auth.sessions.account import SessionAccount
from logto_auth.testing import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

PASSWORD = "Tr0ub4dor&3xyz!"
EMAIL = "reader@example.com"
SCOPES = ("openid", "offline_access", "profile", "email", "phone", "custom_data", "identities", SESSIONS_SCOPE)


def waited(call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    @async_to_sync
    async def run() -> None:
        await call()

    run()


SECRET_CALLS: dict[str, Callable[[SessionAccount, str], object]] = {
    "verify_password": lambda account, secret: account.verify_password(secret),
    "verify_own_code": lambda account, secret: account.verify_own_code("email", secret, secret),
    "set_password": lambda account, secret: account.set_password(secret),
    "verify_social": lambda account, secret: account.verify_social(record_id=secret, connector_data={"code": secret}),
    "aset_password": lambda account, secret: waited(lambda: account.aset_password(secret)),
    "averify_password": lambda account, secret: waited(lambda: account.averify_password(secret)),
}


def failing(request: HttpRequest) -> HttpResponse:
    SECRET_CALLS[request.POST["call"]](request.logto.account, request.POST["secret"])  # type: ignore[attr-defined]
    return HttpResponse()


urlpatterns = [*bookstore_urls, path("failing", failing)]


@pytest.fixture
def reader(browser: Browser, logto: Emulator, settings: Any) -> Browser:
    settings.LOGTO_SCOPES = SCOPES
    logto.tenant.enable_account_center()
    logto.tenant.add_user(username="reader", primary_email=EMAIL, password=PASSWORD)
    connector = Connector(
        id="mail", factory=MESSAGE_FACTORIES["simple-mail-transfer-protocol"], config={"templates": TEMPLATES}
    )
    logto.tenant.sign_in_experience.connector_instances["mail"] = connector
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


TEMPLATES = [{"usageType": "Generic", "content": "{{code}}"}]


def account_of(browser: Browser) -> SessionAccount:
    """Return the account for a new request of this browser."""
    return browser.client.get("/sign-in").wsgi_request.logto.account  # type: ignore[no-any-return]


# Calls


def test_account_is_read_with_the_token_of_the_session(reader: Browser, logto: Emulator) -> None:
    account = account_of(reader).get()
    assert (account["username"], account["primaryEmail"], account["hasPassword"]) == ("reader", EMAIL, True)
    assert len(logto.requests) == 1


def test_signed_out_account_requires_sign_in(client: Client) -> None:
    account = client.get("/").wsgi_request.logto.account
    for call in (
        account.get,
        account.sessions,
        lambda: account.verify_password("x"),
        lambda: account.set_password("x"),
    ):
        with pytest.raises(errors.SignInRequired):
            call()
    assert not account.is_verified
    assert account.verified_until == 0
    assert not account.has_scopes("openid")
    account.forget_verification()


def test_expired_token_is_refreshed_first(reader: Browser, logto: Emulator) -> None:
    row = LogtoSession.objects.get()
    tokens = row.tokens
    for token in tokens["access_tokens"].values():
        token["expires_at"] = 0
    row.tokens = tokens
    row.save()
    assert account_of(reader).get()["username"] == "reader"
    assert len(logto.requests.to("token")) == 1


def test_has_scopes_are_those_of_the_token(reader: Browser) -> None:
    account = account_of(reader)
    assert account.has_scopes("profile", "email")
    assert not account.has_scopes("profile", "address")


def test_missing_scope_is_no_call(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access")
    logto.tenant.enable_account_center()
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    account = account_of(browser)
    logto.requests.clear()
    with pytest.raises(errors.AccountScopeMissing) as raised:
        account.update(name="Ada")
    assert raised.value.scopes == ("profile",)
    assert len(logto.requests) == 0


def test_change_shows_in_claims_after_refresh(reader: Browser) -> None:
    request = reader.client.get("/sign-in").wsgi_request
    assert request.logto.account.update(name="Ada")["name"] == "Ada"
    assert request.logto.claims["name"] != "Ada"
    request.logto.refresh()
    assert request.logto.claims["name"] == "Ada"


# A token that Logto does not accept any more


def test_dead_token_of_live_session_is_replaced(reader: Browser, logto: Emulator) -> None:
    logto.instances.access_tokens.clear()
    assert account_of(reader).update(name="Ada")["name"] == "Ada"
    assert LogtoSession.objects.count() == 1


def test_session_that_ended_at_logto_ends_here(reader: Browser, logto: Emulator) -> None:
    account = account_of(reader)
    logto.instances.access_tokens.clear()
    logto.instances.refresh_tokens.clear()
    with pytest.raises(errors.SignInRequired):
        account.get()
    assert not LogtoSession.objects.exists()


def test_suspended_user_is_signed_out(reader: Browser, logto: Emulator) -> None:
    account = account_of(reader)
    logto.tenant.suspend_user(next(iter(logto.tenant.users)))
    with pytest.raises(errors.SignInRequired):
        account.update(name="Ada")
    assert not LogtoSession.objects.exists()


def test_dead_token_without_refresh_token_requires_sign_in(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    logto.tenant.enable_account_center()
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    account = account_of(browser)
    logto.instances.access_tokens.clear()
    with pytest.raises(errors.SignInRequired):
        account.get()


# The verification record


def test_new_session_is_not_verified(reader: Browser) -> None:
    account = account_of(reader)
    assert not account.is_verified
    with pytest.raises(errors.VerificationRequired):
        account.update(username="other")


def test_password_verifies_the_session_for_later_requests(reader: Browser) -> None:
    record = account_of(reader).verify_password(PASSWORD)
    account = account_of(reader)
    assert account.is_verified
    assert account.verified_until == pytest.approx(record.expires_at, abs=1)
    assert account.update(username="other")["username"] == "other"
    assert account.sessions()[0]["isCurrent"]


def test_wrong_password_does_not_verify(reader: Browser) -> None:
    account = account_of(reader)
    with pytest.raises(errors.WrongPassword):
        account.verify_password("wrong")
    assert not account.is_verified
    assert not account_of(reader).is_verified


def test_code_to_own_address_verifies_the_session(reader: Browser, logto: Emulator) -> None:
    record = account_of(reader).send_own_code("email")
    account = account_of(reader)
    with pytest.raises(errors.WrongCode):
        account.verify_own_code("email", record.id, "no-code", expires_at=record.expires_at)
    assert not account.is_verified
    account.verify_own_code("email", record.id, logto.messages.code_for(EMAIL), expires_at=record.expires_at)
    assert account_of(reader).update(username="other")["username"] == "other"


def test_code_to_new_address_does_not_verify(reader: Browser, logto: Emulator) -> None:
    account = account_of(reader)
    record = account.send_code("email", "new@example.com")
    account.verify_code(
        "email", "new@example.com", record_id=record.id, code=logto.messages.code_for("new@example.com")
    )
    assert not account.is_verified
    with pytest.raises(errors.VerificationRequired):
        account.set_email("new@example.com", new_record_id=record.id)
    account.verify_password(PASSWORD)
    account.set_email("new@example.com", new_record_id=record.id)
    assert account.get()["primaryEmail"] == "new@example.com"


def test_code_to_former_address_does_not_verify(reader: Browser, logto: Emulator) -> None:
    """The address was changed after the code was sent: by another session, or by an operator."""
    record = account_of(reader).send_own_code("email")
    code = logto.messages.code_for(EMAIL)
    next(iter(logto.tenant.users.values())).primary_email = "changed@example.com"
    account = account_of(reader)
    with pytest.raises(errors.CodeExpired):
        account.verify_own_code("email", record.id, code)
    assert not account.is_verified


def test_own_code_needs_an_address(reader: Browser) -> None:
    with pytest.raises(errors.InvalidValue) as raised:
        account_of(reader).send_own_code("phone")
    assert raised.value.field == "phone"


def test_own_code_needs_the_scope_of_the_address(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile")
    logto.tenant.add_user(username="reader", primary_email=EMAIL)
    browser.sign_in("reader")
    with pytest.raises(errors.AccountScopeMissing) as raised:
        account_of(browser).send_own_code("email")
    assert raised.value.scopes == ("email",)


def test_own_code_replaces_a_dead_token(reader: Browser, logto: Emulator) -> None:
    logto.instances.access_tokens.clear()
    account_of(reader).send_own_code("email")
    assert logto.messages.code_for(EMAIL)


def test_address_of_a_field_that_is_off_gets_a_code(reader: Browser, logto: Emulator) -> None:
    logto.tenant.enable_account_center(email="Off")
    account_of(reader).send_own_code("email")
    assert logto.messages.code_for(EMAIL)


def test_record_expires_with_logtos_time(reader: Browser, monkeypatch: Any) -> None:
    account_of(reader).verify_password(PASSWORD)
    LogtoSession.objects.update(verified_until=time.time() - 1)
    account = account_of(reader)
    assert not account.is_verified
    with pytest.raises(errors.VerificationRequired):
        account.update(username="other")


@pytest.mark.parametrize("seconds", [-5, 5, 3600])
def test_record_counts_ten_minutes_at_most(reader: Browser, seconds: int) -> None:
    """Whatever the clock of Logto says."""
    request = reader.client.get("/sign-in").wsgi_request
    now = time.time()
    request.logto.account._remember(store.Secret("record"), now + seconds)
    until = request.logto.account.verified_until
    assert until == pytest.approx(now + min(seconds, 600), abs=2)
    assert request.logto.account.is_verified == (seconds > 0)


def test_refused_record_is_forgotten(reader: Browser, logto: Emulator) -> None:
    account_of(reader).verify_password(PASSWORD)
    logto.verifications.clear()
    account = account_of(reader)
    assert account.is_verified
    with pytest.raises(errors.VerificationRequired):
        account.update(username="other")
    assert not account.is_verified
    assert not account_of(reader).is_verified


def test_refused_record_does_not_undo_a_newer_one(reader: Browser, logto: Emulator) -> None:
    account_of(reader).verify_password(PASSWORD)
    slow = account_of(reader)
    assert slow.is_verified
    logto.verifications.clear()
    account_of(reader).verify_password(PASSWORD)
    with pytest.raises(errors.VerificationRequired):
        slow.update(username="other")
    assert account_of(reader).is_verified


def test_forgotten_verification_is_gone(reader: Browser) -> None:
    account_of(reader).verify_password(PASSWORD)
    account_of(reader).forget_verification()
    assert not account_of(reader).is_verified


def test_other_session_of_the_user_is_not_verified(reader: Browser, logto: Emulator) -> None:
    account_of(reader).verify_password(PASSWORD)
    other = Browser(logto)
    other.sign_in("reader")
    assert not account_of(other).is_verified
    with pytest.raises(errors.VerificationRequired):
        account_of(other).update(username="other")


def test_new_sign_in_is_not_verified(reader: Browser) -> None:
    account_of(reader).verify_password(PASSWORD)
    reader.sign_in("reader", prompt="login")
    assert not account_of(reader).is_verified


def test_record_copied_to_another_row_does_not_count(reader: Browser, logto: Emulator) -> None:
    account_of(reader).verify_password(PASSWORD)
    verified = LogtoSession.objects.get()
    logto.tenant.add_user(username="thief", password=PASSWORD)
    thief = Browser(logto)
    thief.sign_in("thief")
    LogtoSession.objects.exclude(pk=verified.pk).update(
        encrypted_verification_id=verified.encrypted_verification_id, verified_until=verified.verified_until
    )
    assert not account_of(thief).is_verified


def test_refresh_during_verification_keeps_both(reader: Browser) -> None:
    """The record has columns of its own, which a refresh that began earlier does not overwrite."""
    request = reader.client.get("/sign-in").wsgi_request
    before = request.logto.stored_session
    account_of(reader).verify_password(PASSWORD)
    refresh.refresh_everything(before)
    assert account_of(reader).is_verified
    account_of(reader).get()


def test_impersonated_user_has_no_account(reader: Browser, django_user_model: Any) -> None:
    account_of(reader).verify_password(PASSWORD)
    request = reader.client.get("/sign-in").wsgi_request
    request.user = django_user_model.objects.create(username="other")
    account = request.logto.account
    assert not account.is_verified
    with pytest.raises(errors.SignInRequired):
        account.get()


# Sync and async


def test_account_has_all_methods_of_the_client(reader: Browser) -> None:
    public = {name for name, value in vars(AccountAPI).items() if inspect.isfunction(value) and name[0] != "_"}
    assert len(public) > 30
    for name in public:
        ours = getattr(SessionAccount, name)
        assert inspect.signature(ours) == inspect.signature(getattr(AccountAPI, name)), name
        assert (ours.__doc__ or "").strip(), name


def test_every_method_has_an_async_twin() -> None:
    methods = {name for name, value in vars(SessionAccount).items() if inspect.isfunction(value) and name[0] != "_"}
    twins = {name for name in methods if inspect.iscoroutinefunction(getattr(SessionAccount, name))}
    assert {f"a{name}" for name in methods - twins - {"has_scopes"}} == twins
    for name in twins:
        assert getattr(SessionAccount, name).__doc__ == f"See `{name[1:]}`."
        assert inspect.signature(getattr(SessionAccount, name)) == inspect.signature(getattr(SessionAccount, name[1:]))


def test_async_methods_do_the_same(reader: Browser) -> None:
    account = account_of(reader)

    @async_to_sync
    async def change() -> str | None:
        await account.averify_password(PASSWORD)
        assert account.is_verified
        await account.aupdate(username="other")
        return (await account.aget())["username"]

    assert change() == "other"


# Outages


def test_outage_is_not_waited_for_again(reader: Browser, logto: Emulator) -> None:
    logto.faults.http["account_api"] = HttpFault(drop=True)
    account = account_of(reader)
    with pytest.raises(errors.ProviderUnreachable):
        account.get()
    del logto.faults.http["account_api"]
    before = len(logto.requests)
    calls: list[Callable[[], Any]] = [account.get, account.factors, lambda: account.update(name="Eve")]
    for call in [*calls, lambda: account.verify_password(PASSWORD), lambda: account.own_address("email")]:
        with pytest.raises(errors.ProviderUnreachable):
            call()
    assert len(logto.requests) == before


def test_outage_ends_with_the_first_answer(reader: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "OUTAGE_RETRY_SECONDS", 0.2)
    outage.report_outage()
    time.sleep(0.3)
    account = account_of(reader)
    assert account.get()["username"] == "reader"
    assert account.own_address("email") == EMAIL


def test_address_is_fetched_after_an_outage_with_an_expired_token(
    reader: Browser, logto: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    logto.instances.access_tokens.clear()
    monkeypatch.setattr(outage, "OUTAGE_RETRY_SECONDS", 0.2)
    outage.report_outage()
    time.sleep(0.3)
    assert account_of(reader).own_address("email") == EMAIL


def test_slow_change_of_one_user_is_no_outage(reader: Browser, logto: Emulator) -> None:
    logto.faults.http["account_api"] = HttpFault(drop=True, times=1)
    account = account_of(reader)
    with pytest.raises(errors.ProviderUnreachable):
        account.update(name="Eve")
    assert account.get()["username"] == "reader"


# Secrets


def test_record_is_not_readable_in_the_database(reader: Browser) -> None:
    record = account_of(reader).verify_password(PASSWORD)
    assert record.id.reveal() not in str(LogtoSession.objects.values().get())
    request = reader.client.get("/sign-in").wsgi_request
    shown = f"{request.logto.account!r} {request.logto.stored_session!r} {record!r} {dict(request.session.items())}"
    assert record.id.reveal() not in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize("call", SECRET_CALLS)
def test_error_report_shows_no_secret(reader: Browser, logto: Emulator, call: str) -> None:
    """In all frames below the view. The view itself is the site's own."""
    logto.faults.http["account_api"] = HttpFault(status=503, body="{}")
    reports: list[str] = []

    def report(sender: object, request: HttpRequest, **kwargs: Any) -> None:
        kind, value, traceback = sys.exc_info()
        frames = ExceptionReporter(request, kind, value, traceback).get_traceback_frames()
        # Without Django's filter, which `sensitive_variables` is for: other reporters do not know it.
        frames += [{"filename": frame.f_code.co_filename, "vars": frame.f_locals} for frame, _ in walk_tb(traceback)]
        reports.extend(str(frame["vars"]) for frame in frames if frame["filename"] != __file__)
        reports.append(f"{value} {value!r}")

    got_request_exception.connect(report)
    try:
        reader.client.raise_request_exception = False
        reader.client.post("/failing", {"call": call, "secret": "secret-0123456789"})
    finally:
        got_request_exception.disconnect(report)
    assert "AccountServiceFailed" in reports[-1]
    assert [text for text in reports if "secret-0123456789" in text] == []
