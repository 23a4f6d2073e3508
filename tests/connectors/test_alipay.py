"""Keys for Alipay: valid keys are read in any form, and each kind of invalid key has its own error."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from logto_auth.connectors import alipay
from logto_auth.exceptions import ConnectorError
from tests.recorded import recording

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PKCS8 = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PKCS1 = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
PUBLIC_KEY = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
CONFIG = {"appId": "2021000000000000", "privateKey": PKCS8, "signType": "RSA2"}

bounded = settings(max_examples=25, deadline=None, derandomize=True, database=None)
line_breaks = st.sampled_from(["\n", "\r\n", "\\n", "\\r\\n", "\\\\n", "\n\n", " ", "\n    ", "\t"])
surroundings = st.sampled_from(["", "\ufeff", '"', "'", "  ", "\n", "PRIVATE_KEY=", "Bag Attributes: <none>\n"])


def pem_of(key: object, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


def error_of(text: str) -> str:
    with pytest.raises(ConnectorError) as caught:
        alipay.read_private_key(text)
    return str(caught.value)


@bounded
@given(pem=st.sampled_from([PKCS8, PKCS1]), line_break=line_breaks, before=surroundings, after=surroundings)
def test_key_is_read_with_any_line_breaks(pem: str, line_break: str, before: str, after: str) -> None:
    key = alipay.read_private_key(before + pem.replace("\n", line_break) + after)
    assert (key.pem, key.public_key) == (pem, PUBLIC_KEY)


@bounded
@given(width=st.integers(1, 2000))
def test_key_is_read_with_lines_of_any_length(width: int) -> None:
    header, *lines, footer = PKCS8.splitlines()
    body = "".join(lines)
    cut = [body[start : start + width] for start in range(0, len(body), width)]
    assert alipay.read_private_key("\n".join([header, *cut, footer])).pem == PKCS8


@bounded
@given(data=st.data())
def test_incomplete_key_is_rejected(data: st.DataObject) -> None:
    header, *body, footer = PKCS8.splitlines()
    start = data.draw(st.integers(0, len(body) - 1))
    end = data.draw(st.integers(start + 1, len(body)))
    assert "incomplete" in error_of("\n".join([header, *body[:start], *body[end:], footer]))


@bounded
@given(text=st.text(max_size=300) | st.text("AaBbMI+/=\n", max_size=300))
def test_other_text_is_rejected_and_not_in_the_error(text: str) -> None:
    message = error_of(text)
    assert len(text) < 12 or text not in message


def test_base64_of_alipay_key_tool_is_read() -> None:
    bare = "".join(PKCS8.splitlines()[1:-1])
    assert alipay.read_private_key(bare).pem == PKCS8
    assert alipay.read_private_key("".join(PKCS1.splitlines()[1:-1])).pem == PKCS8


def test_public_key_beside_private_key_is_ignored() -> None:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert alipay.read_private_key(public + PKCS1).pem == PKCS1


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    start = datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, start, start + timedelta(days=9))
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM).decode()


REJECTED = {
    "nothing": ("", "contains no private key"),
    "words": ("the key is in the safe", "contains no private key"),
    "header only": ("-----BEGIN PRIVATE KEY-----", "contains no private key"),
    "public": (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "this is a public key, which belongs in Alipay's console",
    ),
    "public in PKCS#1": (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
        "this is a public key, which belongs in Alipay's console",
    ),
    "public in the form for Alipay": (PUBLIC_KEY, "this is a public key, which belongs in Alipay's console"),
    "certificate": (certificate(), "this is a certificate"),
    "encrypted": (pem_of(KEY, password=b"pass"), "this key is encrypted"),
    "encrypted in PKCS#1": (pem_of(KEY, PrivateFormat.TraditionalOpenSSL, b"pass"), "this key is encrypted"),
    "SSH": (pem_of(KEY, PrivateFormat.OpenSSH), "this is an SSH key"),
    "too small": (pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "this key has 1024 bits"),
    "elliptic": (pem_of(ec.generate_private_key(ec.SECP256R1())), "this is not an RSA key"),
    "elliptic, old form": (
        pem_of(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.TraditionalOpenSSL),
        "this is not an RSA key",
    ),
    "Edwards": (pem_of(ed25519.Ed25519PrivateKey.generate()), "this is not an RSA key"),
    "DSA": (pem_of(dsa.generate_private_key(1024), PrivateFormat.TraditionalOpenSSL), "this is not an RSA key"),
    "two": (PKCS8 + PKCS1, "contains 2 private keys"),
    "damaged": (PKCS8.replace("\n", "\nMIIE", 1), "this key is incomplete or damaged"),
    "invalid base64": (PKCS8.replace("M", "é", 1), "this key is incomplete or damaged"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_invalid_key_has_its_own_error(name: str) -> None:
    text, beginning = REJECTED[name]
    message = error_of(text)
    assert message.startswith(beginning)
    assert message.endswith(".")
    # The error contains no line of the key.
    assert not any(line in message for line in text.splitlines() if len(line) > 40)


def test_signature_of_new_key_verifies_with_public_key() -> None:
    made = alipay.make_private_key()
    assert re.fullmatch("[A-Za-z0-9+/]+={0,2}", made.public_key)
    private = load_pem_private_key(made.pem.encode(), None)
    public = load_der_public_key(base64.b64decode(made.public_key))
    assert private.key_size == 2048
    for algorithm in (SHA1(), SHA256()):
        signature = private.sign(b"app_id=2021000000000000&charset=utf8", padding.PKCS1v15(), algorithm)
        public.verify(signature, b"app_id=2021000000000000&charset=utf8", padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize(("sign_type", "digest"), [("RSA", "-sha1"), ("RSA2", "-sha256")])
@pytest.mark.parametrize("pem", [PKCS8, PKCS1], ids=["PKCS#8", "PKCS#1"])
def test_openssl_signs_with_a_read_key(tmp_path: Path, pem: str, sign_type: str, digest: str) -> None:
    config = alipay.check_config({**CONFIG, "privateKey": pem.replace("\n", "\\n"), "signType": sign_type})
    (tmp_path / "key.pem").write_text(config["privateKey"])
    signature = subprocess.run(
        ["openssl", "dgst", digest, "-sign", "key.pem"], cwd=tmp_path, input=b"text", capture_output=True, check=True
    ).stdout
    algorithm = {"RSA": SHA1(), "RSA2": SHA256()}[sign_type]
    KEY.public_key().verify(signature, b"text", padding.PKCS1v15(), algorithm)


def test_public_key_equals_the_one_of_openssl(tmp_path: Path) -> None:
    made = alipay.make_private_key()
    alipay.write_new_file(tmp_path / "private.pem", made.pem)
    written = subprocess.run(
        ["openssl", "rsa", "-in", "private.pem", "-pubout"], cwd=tmp_path, capture_output=True, check=True, text=True
    ).stdout
    assert "".join(written.splitlines()[1:-1]) == made.public_key


def test_new_file_is_owner_only_and_never_overwrites(tmp_path: Path) -> None:
    path, mask = tmp_path / "private.pem", os.umask(0)
    try:
        alipay.write_new_file(path, PKCS8)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConnectorError, match=r"private\.pem exists already"):
        alipay.write_new_file(path, "another")
    assert path.read_text() == PKCS8
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(ConnectorError, match=r"link\.pem exists already"):
        alipay.write_new_file(tmp_path / "link.pem", PKCS8)
    with pytest.raises(ConnectorError, match="cannot be written: No such file or directory"):
        alipay.write_new_file(tmp_path / "nowhere" / "private.pem", PKCS8)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.pem", "private.pem"]


def test_checked_config_keeps_other_values_and_fixes_line_breaks() -> None:
    config = {**CONFIG, "appId": " 2021000000000000\n", "privateKey": PKCS1.replace("\n", "\\n"), "charset": "utf8"}
    assert alipay.check_config(config) == {**CONFIG, "privateKey": PKCS1, "charset": "utf8"}


def test_recorded_config_is_unchanged() -> None:
    recorded = json.loads(recording("alipay_native_created")["request"]["body"])["config"]
    assert alipay.check_config({**recorded, "privateKey": PKCS8}) == {**recorded, "privateKey": PKCS8}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"appId": ""}, "appId: is missing. Expected the APPID of the app on Alipay's open platform, 16 digits."),
        ({"appId": "2" * 17}, "appId: has 17 characters."),
        ({"appId": "<app-id>"}, "appId: contains characters other than digits."),
        ({"appId": "\uff12\uff10\uff12\uff11"}, "appId: contains characters other than digits."),
        pytest.param({"appId": PKCS8}, f"appId: has {len(PKCS8.strip())} characters.", id="private-key-as-app-id"),
        ({"signType": "RSA3"}, "signType: expected RSA2 (RSA-SHA256) or RSA (RSA-SHA1)"),
        ({"signType": "rsa2"}, "signType: expected RSA2 (RSA-SHA256) or RSA (RSA-SHA1)"),
        ({"privateKey": None}, "privateKey: contains no private key."),
    ],
)
def test_each_config_error_has_its_own_text(changes: dict[str, str], text: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        alipay.check_config({**CONFIG, **changes})
    assert str(caught.value).startswith(text)
    assert "BEGIN PRIVATE KEY-----\nM" not in str(caught.value)


def test_all_config_errors_are_reported_at_once() -> None:
    with pytest.raises(ConnectorError) as caught:
        alipay.check_config({})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["appId", "privateKey", "signType"]


def test_private_key_is_not_in_the_representation() -> None:
    assert "PRIVATE" not in repr(alipay.read_private_key(PKCS8))
