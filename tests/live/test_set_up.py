"""From an empty tenant to a site that is ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Note
from .sites import Site
from .targets import Target

# What the doctor calls a version of the emulator.
SHOWN_VERSIONS = {"head": "newer than 1.42.0"}

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def test_set_up_from_nothing(target: Target, tmp_path: Path) -> None:
    site = Site(target, "kiosk", tmp_path, has_webhooks=True)
    site.command("logto_setup", "--check", code=1)
    output = site.set_up()
    assert f"done: application {target.run} kiosk" in output
    assert "LOGTO_APP_SECRET" in site.env_file.read_text()
    again = site.command_json("logto_setup", "--check")
    assert {step["action"] for step in again["steps"]} == {"nothing"}
    assert {step["kind"] for step in again["steps"]} == {
        "application",
        "API resource",
        "permission",
        "role",
        "organization permission",
        "organization role",
        "webhook",
    }


def test_set_up_repairs_what_others_changed(target: Target, library: Site) -> None:
    api = target.api
    application = api.get(f"applications/{library.app_id}")
    metadata = {**application["oidcClientMetadata"], "redirectUris": ["https://other.example/callback"]}
    api.patch(f"applications/{library.app_id}", {"oidcClientMetadata": metadata})
    library.command("logto_setup", "--check", code=1)
    library.set_up()
    repaired = api.get(f"applications/{library.app_id}")["oidcClientMetadata"]["redirectUris"]
    # What others have added stays.
    assert set(repaired) == {f"{library.url}/callback", "https://other.example/callback"}


def test_doctor(shop: Site, note: Note) -> None:
    target = shop.target
    findings = shop.command_json("logto_doctor")["findings"]
    assert [each["message"] for each in findings if each["level"] == "failure"] == []
    checked = {each["check"] for each in findings if each["level"] == "ok"}
    assert checked >= {"discovery", "keys", "application", "redirect-uri", "management-api", "declaration", "webhook"}
    version = next(each["message"] for each in findings if each["check"] == "version").partition(" Evidence:")[0]
    if target.is_emulator:
        assert version == f"Logto is {SHOWN_VERSIONS.get(target.version, target.version)}."
    else:
        note(version)
    warned = {each["check"] for each in findings if each["level"] == "warning"}
    if not target.options.site_host:
        assert ("outbound-guard" in warned) == target.may_have_outbound_guard


def test_doctor_finds_a_wrong_secret(shop: Site) -> None:
    written = shop.env_file.read_text()
    try:
        shop.env_file.write_text("\n".join([written, "LOGTO_APP_SECRET=wrong"]))
        findings = shop.command_json("logto_doctor", code=1)["findings"]
    finally:
        shop.env_file.write_text(written)
    assert "application" in [each["check"] for each in findings if each["level"] == "failure"]
