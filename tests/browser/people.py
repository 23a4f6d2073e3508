"""What a person does at the shop, again and again."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def sign_in_button(page: Page):
    return page.get_by_role("banner").get_by_role("link", name="Sign in", exact=True)


def sign_out_button(page: Page):
    return page.get_by_role("banner").get_by_role("button", name="Sign out")


def sign_in(page: Page, account: str) -> None:
    page.goto("/")
    sign_in_button(page).click()
    choose_account(page, account)
    expect(sign_out_button(page)).to_be_visible()


def choose_account(page: Page, account: str) -> None:
    """Sign in on the page of the emulator."""
    page.get_by_role("button", name=f"Sign in as {account}", exact=True).click()


def expect_sign_in_at_logto(page: Page) -> None:
    """Expect that Logto asks for credentials, because the user is not signed in there."""
    expect(page.get_by_role("heading", name=re.compile("^Sign in to"))).to_be_visible()
