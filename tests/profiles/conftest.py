"""What all journeys need. They run in the runs of the profiles, and in no other run."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache
from django.urls import get_script_prefix, reverse
from django.utils import translation

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.rights import set_up

from .site.routers import replicate
from .site.visitors import new_browser, signed_in

if not settings.SETTINGS_MODULE.startswith("tests.profiles."):
    collect_ignore = ["flows", "own", "packages"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    transaction = getattr(settings, "PROFILE_TRANSACTIONAL", False)
    for item in items:
        if item.path.is_relative_to(item.config.rootpath / "tests" / "profiles"):
            item.add_marker(pytest.mark.django_db(transaction=transaction, databases="__all__"))


@pytest.fixture(autouse=True)
def default_language() -> None:
    """The default language: the last request of the test before leaves its own in this thread."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def empty_replica(request: pytest.FixtureRequest) -> None:
    """A replica, if the site has one, of the empty primary."""
    request.getfixturevalue("_django_db_helper")
    replicate()


@pytest.fixture
def logto(logto: Emulator) -> Emulator:
    """The emulator with the users and rights of `tests.rights`, and an administrator."""
    cache.clear()
    set_up(logto)
    logto.tenant.add_role("admin")
    logto.tenant.add_user(username="admin", id="admin0000001", roles=["admin"])
    for user in logto.tenant.users.values():
        logto.tenant.update_user(user.id, primary_email=f"{user.username}@example.com")
    application = next(iter(logto.tenant.applications.values()))
    application.backchannel_logout_uri = "http://localhost:9/back-channel-logout"
    application.backchannel_logout_session_required = True
    # The fixture of the package registers "/" alone.
    for path in (reverse("home"), get_script_prefix()):
        application.post_logout_redirect_uris.append("http://testserver" + path)
    return logto


@pytest.fixture
def browser(logto: Emulator) -> Browser:
    return new_browser(logto)


@pytest.fixture
def reader(logto: Emulator) -> Browser:
    """A browser in which the user `reader000001` is signed in."""
    return signed_in(logto, "reader")


@pytest.fixture
def editor(logto: Emulator) -> Browser:
    """A browser in which the user `editor000001` is signed in."""
    return signed_in(logto, "editor")
