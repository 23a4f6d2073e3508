import os
from collections.abc import Iterator

import pytest

from logto_auth.emulator import DEFAULT_VERSION, Application, Emulator, NativeVisitor, Visitor, run_in_thread, seed_demo

from .account_api_client import ALL_SCOPES, AccountAPI
from .management_api_client import ManagementAPI
from .receiver import Receiver
from .relying_party import CALLBACK, RelyingParty

LIKE = os.environ.get("LOGTO_LIKE") or DEFAULT_VERSION


@pytest.fixture(scope="session")
def _running_emulator() -> Iterator[Emulator]:
    with run_in_thread(like=LIKE, seed=seed_demo) as emulator:
        yield emulator


@pytest.fixture
def emulator(_running_emulator: Emulator) -> Emulator:
    """An emulator with a new demo tenant. Only the keys are shared between tests."""
    _running_emulator.reset(tenant=True)
    return _running_emulator


@pytest.fixture
def rotating_emulator() -> Iterator[Emulator]:
    """A separate emulator whose keys may be rotated."""
    with run_in_thread(like=LIKE, seed=seed_demo) as emulator:
        yield emulator


@pytest.fixture
def default_sign_up(emulator: Emulator) -> None:
    """The sign-up of a new Logto tenant: a username and a password. That of the demo tenant requires nothing."""
    emulator.tenant.sign_in_experience.sign_up_identifiers = ["username"]


@pytest.fixture
def visitor(emulator: Emulator) -> Iterator[Visitor]:
    with Visitor(emulator) as visitor:
        yield visitor


@pytest.fixture
def phone(emulator: Emulator) -> Iterator[NativeVisitor]:
    """A user of an app with the native SDKs of Logto and Alipay."""
    with NativeVisitor(emulator) as visitor:
        yield visitor


@pytest.fixture
def bookstore(emulator: Emulator) -> Iterator[RelyingParty]:
    """The traditional application of the demo tenant."""
    yield from _closing(RelyingParty(emulator, next(iter(emulator.tenant.applications.values()))))


@pytest.fixture
def spa(emulator: Emulator) -> Iterator[RelyingParty]:
    yield from _closing(RelyingParty(emulator, _public(emulator, "SPA")))


@pytest.fixture
def native(emulator: Emulator) -> Iterator[RelyingParty]:
    yield from _closing(RelyingParty(emulator, _public(emulator, "Native")))


@pytest.fixture
def app(emulator: Emulator) -> Iterator[RelyingParty]:
    """The native application of the demo tenant. Its callback has a custom scheme."""
    application = emulator.tenant.applications["bookstoreapp000000001"]
    yield from _closing(RelyingParty(emulator, application, "io.bookstore.app://callback"))


@pytest.fixture
def third_party(emulator: Emulator) -> Iterator[RelyingParty]:
    application = emulator.tenant.add_application(
        name="Partner",
        redirect_uris=[CALLBACK],
        is_third_party=True,
        user_scopes=["profile", "urn:logto:scope:organizations"],
    )
    yield from _closing(RelyingParty(emulator, application))


@pytest.fixture
def api(emulator: Emulator) -> Iterator[ManagementAPI]:
    """The Management API of the demo tenant."""
    api = ManagementAPI(emulator)
    yield api
    api.http.close()


@pytest.fixture
def account(emulator: Emulator, bookstore: RelyingParty) -> Iterator[AccountAPI]:
    """The Account API with all scopes for the user `customer` of the demo tenant."""
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    yield account
    account.http.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver."""
    with Receiver() as receiver:
        yield receiver


def _public(emulator: Emulator, type: str) -> Application:
    return emulator.tenant.add_application(name=type, type=type, redirect_uris=[CALLBACK])


def _closing(relying_party: RelyingParty) -> Iterator[RelyingParty]:
    yield relying_party
    relying_party.http.close()
