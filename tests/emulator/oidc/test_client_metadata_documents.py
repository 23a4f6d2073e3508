"""A `client_id` that is a URL. The recorded refusals are in `tests/contract/test_tokens.py`."""

import pytest

DOCUMENT = "https://client.example/metadata.json"


def description_of(response):
    assert response.status_code == 400
    return response.json()["error_description"]


@pytest.fixture
def head(emulator):
    """The development head, with the dynamic app enabled."""
    emulator.like, emulator.outbound_guard, emulator.tenant.cimd_enabled = "head", True, True
    return emulator


@pytest.mark.parametrize(
    "client_id",
    [
        "http://client.example/metadata.json",
        "https:///metadata.json",
        "https://user@client.example/metadata.json",
        "https://client.example/metadata.json#fragment",
        "https://client.example/a/../metadata.json",
        "https://client.example/a/%2e/metadata.json",
        "https://client.example/a b",
        "https://client.example/a\\b",
    ],
)
def test_other_urls_are_unknown_clients(head, bookstore, client_id):
    assert description_of(bookstore.authorize(client_id=client_id)) == f"invalid client {client_id}"


@pytest.mark.parametrize("client_id", [DOCUMENT, "HTTPS://client.example", "https://client.example/a..b?x=../y"])
def test_document_of_a_client_cannot_be_read(head, bookstore, client_id):
    assert description_of(bookstore.authorize(client_id=client_id)) == "client_id metadata document fetch failed"


def test_too_long_url_is_refused(head, bookstore):
    client_id = DOCUMENT.ljust(2049, "x")
    assert description_of(bookstore.authorize(client_id=client_id)) == "client_id must not exceed 2048 characters"


@pytest.mark.parametrize(
    ("like", "guard", "enabled"), [("1.42", True, True), ("head", False, True), ("head", True, False)]
)
def test_dynamic_app_needs_head_guard_and_switch(head, bookstore, like, guard, enabled):
    head.like, head.outbound_guard, head.tenant.cimd_enabled = like, guard, enabled
    assert description_of(bookstore.authorize(client_id=DOCUMENT)) == f"invalid client {DOCUMENT}"


@pytest.mark.parametrize("like", ["1.41", "1.42"])
def test_released_versions_have_no_settings_of_the_dynamic_app(emulator, api, like):
    emulator.like = like
    assert api.get("/configs/cimd").status_code == 404
    assert api.patch("/configs/cimd", {"enabled": True}).status_code == 404
