"""The check of the distributions finds what must not be published."""

from __future__ import annotations

import email.message
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from . import distributions

EXPECTED = {"logto_auth/__init__.py", "logto_auth/py.typed"}
# In two parts, so that no scanner for secrets finds this file.
KEY = b"-----BEGIN PRIVATE " + b"KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\n"


def metadata(description: str, **fields: str) -> email.message.Message:
    message = email.message.Message()
    message["Version"] = fields.get("version", "0.1.0")
    message["Project-URL"] = "Repository, https://github.com/acme/logto-auth"
    message["Project-URL"] = fields.get("issues", "Issues, https://github.com/acme/logto-auth/issues")
    message.set_payload(description)
    return message


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "logto_auth-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*EXPECTED, "logto_auth-0.1.0.dist-info/METADATA"):
            archive.writestr(name, "text")
    return path


def wheel_faults(path: Path, expected: set[str] = EXPECTED) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return list(distributions.wheel_faults(archive, expected))


def test_complete_wheel_has_no_faults(wheel: Path) -> None:
    assert wheel_faults(wheel) == []


def test_missing_file_is_found(wheel: Path) -> None:
    assert wheel_faults(wheel, EXPECTED | {"logto_auth/locale/ja/LC_MESSAGES/django.mo"}) == [
        "The wheel lacks logto_auth/locale/ja/LC_MESSAGES/django.mo."
    ]


@pytest.mark.parametrize("name", ["tests/test_conf.py", "logto_auth/.env", "bookstore/settings.py"])
def test_file_that_git_does_not_track_is_found(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, "text")
    assert wheel_faults(wheel) == [f"The wheel has {name}, which git does not track."]


@pytest.mark.parametrize("secret", [KEY, b"token = 'ghp_" + b"a" * 36 + b"'", b"pypi-" + b"AgEIcHlwaS5vcmc" * 3])
def test_secret_is_found(wheel: Path, secret: bytes) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("logto_auth/key.py", secret)
    assert wheel_faults(wheel, EXPECTED | {"logto_auth/key.py"}) == ["logto_auth/key.py contains a secret."]


def test_source_distribution_with_other_files_is_found(tmp_path: Path) -> None:
    path = tmp_path / "logto_auth-0.1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("PKG-INFO", "logto_auth/__init__.py", "db.sqlite3"):
            archive.addfile(tarfile.TarInfo(f"logto_auth-0.1.0/{name}"), io.BytesIO())
    with tarfile.open(path) as archive:
        assert list(distributions.source_faults(archive, EXPECTED)) == [
            "The source distribution has db.sqlite3, which git does not track.",
            "The source distribution lacks logto_auth/py.typed.",
        ]


@pytest.mark.parametrize(
    "link",
    ["[a](docs/a.md#b)", '<img width="3" src="docs/images/a.png">', '<a href="LICENSE">', "[a]: docs/a.md",
     "![a](docs/a.png)", '<source srcset="docs/a.png">'],
)  # fmt: skip
def test_relative_link_on_pypi_is_found(link: str) -> None:
    (fault,) = distributions.metadata_faults(metadata(f"# Title\n\n{link}\n"), "0.1.0")
    assert fault.startswith("The page of PyPI has a relative link: ")


def test_absolute_links_and_anchors_are_accepted() -> None:
    text = "[a](https://example.com/a) [b](#b) [c](mailto:c@example.com)\n\n[d]: https://example.com"
    assert list(distributions.metadata_faults(metadata(text), "0.1.0")) == []


def test_other_version_is_found() -> None:
    assert list(distributions.metadata_faults(metadata(""), "0.2.0")) == ["The version is 0.1.0, expected 0.2.0."]


def test_half_replaced_address_is_found() -> None:
    (fault,) = distributions.metadata_faults(metadata("", issues="Issues, https://github.com/other/a/issues"), "0.1.0")
    assert fault.startswith("The URLs belong to several owners: ")


def test_difference_of_a_second_build_is_found(tmp_path: Path) -> None:
    for folder, content in (("first", "a"), ("again", "b")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.whl").write_text("a")
        (tmp_path / folder / "other.tar.gz").write_text(content)
    assert list(distributions.differences(tmp_path / "first", tmp_path / "again")) == [
        "A second build made another other.tar.gz."
    ]


@pytest.mark.parametrize("files", [[], ["a.whl", "b.whl"]])
def test_other_number_of_files_is_refused(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    with pytest.raises(SystemExit, match=f"has {len(files)} files"):
        distributions.one(tmp_path, "*.whl")
