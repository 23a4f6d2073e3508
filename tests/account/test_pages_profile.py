"""The page of the profile."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from .conftest import Reader, text_of

pytestmark = pytest.mark.django_db


def test_profile_shows_name_and_identifiers(reader: Reader) -> None:
    response = reader.get()
    assert response.status_code == 200
    page = text_of(response)
    assert "Ada Reader" in page
    assert "reader@example.com" in page
    assert "Change Username" in page
    assert "Add Phone" in page


def test_profile_is_one_call_of_each_kind(reader: Reader) -> None:
    before = len(reader.logto.requests)
    reader.get()
    assert [request.path for request in list(reader.logto.requests)[before:]] == [
        "/api/.well-known/account-center",
        "/api/my-account",
    ]
    before = len(reader.logto.requests)
    reader.get()
    assert len(reader.logto.requests) - before == 1


def test_changed_name_is_saved_here_and_at_logto(reader: Reader) -> None:
    response = reader.post("", "about", name="Ada B. Reader", avatar="", **{"initial-name": "Ada Reader"})
    assert response.status_code == 302
    assert response["Location"] == "/account/"
    assert reader.user.name == "Ada B. Reader"
    assert reader.user.avatar is None
    page = text_of(reader.get())
    assert "Your profile has been saved." in page
    assert "Ada B. Reader" in page
    assert reader.principal.claims["name"] == "Ada B. Reader"


def test_unchanged_form_calls_no_change(reader: Reader) -> None:
    before = len(reader.logto.requests)
    values = {"name": "Ada Reader", "initial-name": "Ada Reader", "avatar": "", "initial-avatar": ""}
    assert reader.post("", "about", **values).status_code == 302
    assert "PATCH" not in {request.method for request in list(reader.logto.requests)[before:]}


def test_emptied_name_is_removed(reader: Reader) -> None:
    reader.post("", "about", name="", **{"initial-name": "Ada Reader"})
    assert reader.user.name is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.com/a.png", "data:text/html,x", "no url"])
def test_avatar_with_other_scheme_is_refused(reader: Reader, url: str) -> None:
    response = reader.post("", "about", name="Ada Reader", avatar=url, **{"initial-name": "Ada Reader"})
    assert response.status_code == 200
    assert reader.user.avatar is None
    assert "errorlist" in response.content.decode()


def test_changed_details_are_merged(reader: Reader) -> None:
    reader.user.profile.update({"nickname": "Nick", "gender": "x"})
    page = reader.get().content.decode()
    assert 'name="initial-nickname" value="Nick"' in page
    response = reader.post(
        "",
        "details",
        **{"nickname": "Ada", "initial-nickname": "Nick", "gender": "", "initial-gender": "x", "locale": "en-GB"},
    )
    assert response.status_code == 302, text_of(response)
    assert reader.user.profile == {"nickname": "Ada", "gender": "", "locale": "en-GB"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("birthdate", "2000-13-01"),
        ("birthdate", "1.2.2000"),
        ("website", "javascript:alert(1)"),
        ("website", "ftp://example.com"),
        ("locale", "no language!"),
        ("zoneinfo", "Mars/Base"),
        ("nickname", "x" * 257),
    ],
)
def test_malformed_detail_is_refused_and_kept(reader: Reader, name: str, value: str) -> None:
    response = reader.post("", "details", **{name: value, "nickname": value if name == "nickname" else "Typed"})
    assert response.status_code == 200
    page = response.content.decode()
    assert "errorlist" in page
    assert "Typed" in page or name == "nickname"
    assert reader.user.profile == {}


@pytest.mark.parametrize("birthdate", ["1990", "0000-12-31", "2000-02-29"])
def test_birthdates_of_the_specification_are_accepted(reader: Reader, birthdate: str) -> None:
    assert reader.post("", "details", birthdate=birthdate).status_code == 302
    assert reader.user.profile["birthdate"] == birthdate
    assert f'value="{birthdate}"' in reader.get().content.decode()


def test_address_is_saved_as_a_whole(reader: Reader) -> None:
    reader.user.profile["address"] = {"country": "JP", "formatted": "Japan"}
    response = reader.post("", "address", locality="Kyoto", country="JP", **{"initial-country": "JP"})
    assert response.status_code == 302, text_of(response)
    assert reader.user.profile["address"] == {"locality": "Kyoto", "country": "JP"}


def test_address_is_not_shown_without_its_scope(reader_of: Any, settings: Any) -> None:
    settings.LOGTO_SCOPES = ["openid", "offline_access", "profile", "email"]
    reader = reader_of()
    assert "Postal code" not in text_of(reader.get())


def test_fields_of_account_center_are_shown_in_its_order(reader: Reader) -> None:
    reader.logto.tenant.account_center["profileFields"] = [{"name": "website"}, {"name": "fullname"}, {"name": "shoe"}]
    page = text_of(reader.get())
    assert page.index("Website") < page.index("Given name") < page.index("Middle name") < page.index("Family name")
    assert "Nickname" not in page
    assert "Postal code" not in page


def test_read_only_fields_are_text(reader: Reader) -> None:
    reader.user.profile["nickname"] = "Nick"
    reader.logto.tenant.enable_account_center("ReadOnly")
    page = reader.get().content.decode()
    assert "Ada Reader" in page
    assert "Nick" in page
    assert "reader@example.com" in page
    assert "<form" not in page
    assert "/account/username" not in page


def test_fields_that_are_off_are_not_shown(reader: Reader) -> None:
    reader.logto.tenant.enable_account_center("Off", username="ReadOnly")
    page = text_of(reader.get())
    assert "Username reader" in page
    assert "Ada Reader" not in page
    assert "reader@example.com" not in page
    assert "Linked accounts" not in page


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32 + b"IEND\xaeB`\x82"


def test_uploaded_picture_becomes_the_avatar(reader: Reader) -> None:
    reader.logto.tenant.has_storage = True
    file = SimpleUploadedFile("evil.html", PNG, content_type="text/html")
    response = reader.post("", "about", avatar_file=file, name="Ada Reader", **{"initial-name": "Ada Reader"})
    assert response.status_code == 302, text_of(response)
    assert reader.user.avatar.startswith("http")


def test_logto_without_storage_is_explained(reader: Reader, caplog: Any) -> None:
    reader.logto.tenant.has_storage = False
    file = SimpleUploadedFile("a.png", PNG, content_type="image/png")
    response = reader.post("", "about", avatar_file=file, name="Typed", **{"initial-name": "Ada Reader"})
    assert "This site does not store pictures." in text_of(response)
    assert "storage provider" not in text_of(response)
    assert 'value="Typed"' in response.content.decode()
    assert reader.user.name == "Ada Reader"
    assert "Set up a storage provider" in caplog.text


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF....WAVEfmt ", b"<html>", PNG + b"x" * 8_388_608]
)
def test_file_that_is_no_small_image_is_refused(reader: Reader, content: bytes) -> None:
    file = SimpleUploadedFile("picture.png", content, content_type="image/png")
    response = reader.post("", "about", avatar_file=file)
    assert response.status_code == 200
    assert reader.user.avatar is None
