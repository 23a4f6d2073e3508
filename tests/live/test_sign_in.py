"""Sign-in, sign-out and refresh, at one site and at two."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, expect

from logto_auth.emulator import VisitFailed

from .conftest import MakePerson
from .people import Person
from .sites import Site

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def test_sign_in_and_sign_out(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("reader", name="Rita Reader", primaryEmail=f"{shop.target.run}_reader@example.com")
    assert not reader.is_signed_in(shop)
    found = reader.sign_in(shop)
    assert (found["sub"], found["name"]) == (reader.id, "Rita Reader")
    assert reader.sign_out(shop).partition("?")[0] == f"{shop.url}/"
    assert not reader.is_signed_in(shop)
    with pytest.raises(VisitFailed):  # Logto has ended its session too
        reader.sign_in_silently(shop)


def test_wrong_password(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("forgetful")
    reader.password = "wrong"
    with pytest.raises(VisitFailed):
        reader.sign_in(shop)
    assert not reader.is_signed_in(shop)


def test_second_sign_in_finds_the_same_account(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("regular")
    first = reader.sign_in(shop)
    reader.sign_out(shop)
    assert reader.sign_in(shop)["user_id"] == first["user_id"]


def test_single_sign_on_at_two_sites(shop: Site, library: Site, make_person: MakePerson) -> None:
    reader = make_person("traveller")
    reader.sign_in(shop)
    assert reader.sign_in_silently(library)["sub"] == reader.id


def test_prompt_login_asks_again(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("careful")
    reader.sign_in(shop)
    with pytest.raises(VisitFailed):
        reader.logto.sign_in(reader.start(shop, prompt="login"))
    assert reader.sign_in(shop, prompt="login")["sub"] == reader.id


def test_old_sign_in_is_repeated(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("thorough")
    reader.sign_in(shop)
    time.sleep(2.1)
    with pytest.raises(VisitFailed):
        reader.logto.sign_in(reader.start(shop, max_age="1"))
    assert reader.sign_in(shop, max_age="1")["sub"] == reader.id


def test_refresh_brings_new_claims(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("changing")
    reader.sign_in(shop)
    shop.target.api.patch(f"users/{reader.id}", {"name": "Another Name"})
    assert reader.get(shop, "/refresh/").json()["sub"] == reader.id
    assert reader.at(shop)["name"] == "Another Name"


def test_callback_url_is_useless_in_another_browser(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("impatient")
    callback = reader.logto.sign_in(reader.start(shop), reader.username, reader.password)
    reader.arrive(shop, callback)
    thief = Person(shop.target)
    assert thief.get(shop, callback).status_code == 400
    assert not thief.is_signed_in(shop)
    thief.close()


def test_sign_in_and_sign_out_in_chromium(shop: Site, make_person: MakePerson, chromium: Browser) -> None:
    reader = make_person("visible")
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(15_000)
    try:
        page = context.new_page()
        page.goto(f"{shop.url}/page/")
        page.get_by_role("link", name="Sign in").click()
        page.locator("input[name=identifier]").fill(reader.username)
        page.locator("input[name=password]").fill(reader.password)
        page.locator("input[name=password]").press("Enter")
        expect(page.get_by_text(f"Hello {reader.username}")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(re.compile(rf"^{re.escape(shop.url)}/(\?.*)?$"))
        page.goto(f"{shop.url}/page/")
        expect(page.get_by_text("Hello stranger")).to_be_visible()
        page.get_by_role("link", name="Sign in").click()
        expect(page.locator("input[name=identifier]")).to_be_visible()
    finally:
        context.close()
