"""What a person does at the shop, again and again."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def sign_in_button(page: Page):
    return page.get_by_role("banner").get_by_role("link", name="Sign in", exact=True)


def sign_out_button(page: Page):
    return page.get_by_role("banner").get_by_role("button", name="Sign out")


def sign_in(page: Page, account: str) -> None:
    page.goto("/")
    sign_in_button(page).click()
    page.get_by_role("button", name=f"Sign in as {account}", exact=True).click()
    expect(sign_out_button(page)).to_be_visible()
