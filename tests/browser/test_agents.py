"""What a user sees while an agent signs in: the consent page of Logto, once, and again when the agent needs more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.processes import child

from .conftest import ROOT, screenshot

pytest.importorskip("django_mcpz")

pytestmark = pytest.mark.browser


def opened_url(agent: subprocess.Popen[str]) -> str:
    """Return the URL that the agent asks the user to open."""
    assert agent.stderr is not None
    assert agent.stderr.readline() == "Sign in and agree at:\n"
    return agent.stderr.readline().strip()


def test_user_agrees_in_the_browser(chromium: Browser, demo: str) -> None:
    command = [sys.executable, "-m", "bookstore.agents.client", "--url", f"{demo}/mcp", "read_order"]
    # The agent waits for a browser that does nothing, and this test opens the URL.
    with (
        chromium.new_context(locale="en-GB") as context,
        child(command, cwd=ROOT, env={**os.environ, "BROWSER": "true %s"}) as agent,
    ):
        page = context.new_page()
        page.goto(opened_url(agent))
        page.get_by_role("button", name="Sign in as customer", exact=True).click()
        expect_consent(page, "Search the books of the shop", "agent-consent")
        page.get_by_role("button", name="Authorize").click()
        expect(page.locator("body")).to_have_text("You may close this window.")
        page.goto(opened_url(agent))
        expect_consent(page, "Read your orders", "agent-step-up")
        page.get_by_role("button", name="Authorize").click()
        expect(page.locator("body")).to_have_text("You may close this window.")
        output, errors = agent.communicate(timeout=30)
    assert (output, errors) == ("", "The call failed: You have no orders.\n")


def expect_consent(page: Page, permission: str, name: str) -> None:
    expect(page.get_by_role("main")).to_contain_text("Bookstore agent")
    expect(page.get_by_role("main")).to_contain_text(permission)
    screenshot(page, name)
