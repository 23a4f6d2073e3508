"""Alipay's keys: any writing of a good one is read, what is no good is refused in a sentence."""

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


def refusal(text: str) -> str:
    with pytest.raises(ConnectorError) as caught:
        alipay.read_private_key(text)
    return str(caught.value)


@bounded
@given(pem=st.sampled_from([PKCS8, PKCS1]), line_break=line_breaks, before=surroundings, after=surroundings)
def test_a_key_is_read_however_its_lines_are_broken(pem: str, line_break: str, before: str, after: str) -> None:
    key = alipay.read_private_key(before + pem.replace("\n", line_break) + after)
    assert (key.pem, key.public_key) == (pem, PUBLIC_KEY)


@bounded
@given(width=st.integers(1, 2000))
def test_a_key_is_read_with_lines_of_any_length(width: int) -> None:
    header, *lines, footer = PKCS8.splitlines()
    body = "".join(lines)
    cut = [body[start : start + width] for start in range(0, len(body), width)]
    assert alipay.read_private_key("\n".join([header, *cut, footer])).pem == PKCS8


@bounded
@given(data=st.data())
def test_a_key_with_a_part_missing_is_refused(data: st.DataObject) -> None:
    header, *body, footer = PKCS8.splitlines()
    start = data.draw(st.integers(0, len(body) - 1))
    end = data.draw(st.integers(start + 1, len(body)))
    assert "cut off" in refusal("\n".join([header, *body[:start], *body[end:], footer]))


@bounded
@given(text=st.text(max_size=300) | st.text("AaBbMI+/=\n", max_size=300))
def test_anything_else_is_refused_and_never_repeated(text: str) -> None:
    message = refusal(text)
    assert len(text) < 12 or text not in message


def test_what_alipays_own_key_tool_saves_is_read() -> None:
    bare = "".join(PKCS8.splitlines()[1:-1])
    assert alipay.read_private_key(bare).pem == PKCS8
    assert alipay.read_private_key("".join(PKCS1.splitlines()[1:-1])).pem == PKCS8


def test_a_certificate_or_a_public_key_may_stand_beside_the_private_one() -> None:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert alipay.read_private_key(public + PKCS1).pem == PKCS1


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    start = datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, start, start + timedelta(days=9))
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM).decode()


REFUSED = {
    "nothing": ("", "there is no private key in it"),
    "words": ("the key is in the safe", "there is no private key in it"),
    "header alone": ("-----BEGIN PRIVATE KEY-----", "there is no private key in it"),
    "public": (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "this is a public key, which is for Alipay's console",
    ),
    "public in PKCS#1": (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
        "this is a public key, which is for Alipay's console",
    ),
    "public as Alipay takes it": (PUBLIC_KEY, "this is a public key, which is for Alipay's console"),
    "certificate": (certificate(), "this is a certificate"),
    "encrypted": (pem_of(KEY, password=b"pass"), "this key is encrypted"),
    "encrypted in PKCS#1": (pem_of(KEY, PrivateFormat.TraditionalOpenSSL, b"pass"), "this key is encrypted"),
    "SSH": (pem_of(KEY, PrivateFormat.OpenSSH), "this is a key for SSH"),
    "too small": (pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "this key has 1024 bits"),
    "elliptic": (pem_of(ec.generate_private_key(ec.SECP256R1())), "this is no RSA key"),
    "elliptic, old form": (
        pem_of(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.TraditionalOpenSSL),
        "this is no RSA key",
    ),
    "Edwards": (pem_of(ed25519.Ed25519PrivateKey.generate()), "this is no RSA key"),
    "DSA": (pem_of(dsa.generate_private_key(1024), PrivateFormat.TraditionalOpenSSL), "this is no RSA key"),
    "two": (PKCS8 + PKCS1, "there are 2 private keys in it"),
    "damaged": (PKCS8.replace("\n", "\nMIIE", 1), "this key is cut off or was changed"),
    "no base64": (PKCS8.replace("M", "é", 1), "this key is cut off or was changed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_good_is_refused_in_a_sentence(name: str) -> None:
    text, beginning = REFUSED[name]
    message = refusal(text)
    assert message.startswith(beginning)
    assert message.endswith(".")
    # What came is not repeated, not even a line of it.
    assert not any(line in message for line in text.splitlines() if len(line) > 40)


def test_a_new_key_signs_and_alipay_can_verify_it_by_the_public_key() -> None:
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
def test_openssl_signs_with_a_key_that_was_read(tmp_path: Path, pem: str, sign_type: str, digest: str) -> None:
    config = alipay.check_config({**CONFIG, "privateKey": pem.replace("\n", "\\n"), "signType": sign_type})
    (tmp_path / "key.pem").write_text(config["privateKey"])
    signature = subprocess.run(
        ["openssl", "dgst", digest, "-sign", "key.pem"], cwd=tmp_path, input=b"text", capture_output=True, check=True
    ).stdout
    algorithm = {"RSA": SHA1(), "RSA2": SHA256()}[sign_type]
    KEY.public_key().verify(signature, b"text", padding.PKCS1v15(), algorithm)


def test_the_public_key_is_the_one_that_openssl_writes(tmp_path: Path) -> None:
    made = alipay.make_private_key()
    alipay.write_new_file(tmp_path / "private.pem", made.pem)
    written = subprocess.run(
        ["openssl", "rsa", "-in", "private.pem", "-pubout"], cwd=tmp_path, capture_output=True, check=True, text=True
    ).stdout
    assert "".join(written.splitlines()[1:-1]) == made.public_key


def test_a_private_key_is_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    path, mask = tmp_path / "private.pem", os.umask(0)
    try:
        alipay.write_new_file(path, PKCS8)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConnectorError, match=r"private\.pem is there already"):
        alipay.write_new_file(path, "another")
    assert path.read_text() == PKCS8
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(ConnectorError, match=r"link\.pem is there already"):
        alipay.write_new_file(tmp_path / "link.pem", PKCS8)
    with pytest.raises(ConnectorError, match="cannot be written: No such file or directory"):
        alipay.write_new_file(tmp_path / "nowhere" / "private.pem", PKCS8)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.pem", "private.pem"]


def test_a_config_keeps_what_else_is_in_it_and_gets_a_key_with_real_line_breaks() -> None:
    config = {**CONFIG, "appId": " 2021000000000000\n", "privateKey": PKCS1.replace("\n", "\\n"), "charset": "utf8"}
    assert alipay.check_config(config) == {**CONFIG, "privateKey": PKCS1, "charset": "utf8"}


def test_logto_gets_the_config_that_the_recorded_one_took() -> None:
    recorded = json.loads(recording("alipay_native_created")["request"]["body"])["config"]
    assert alipay.check_config({**recorded, "privateKey": PKCS8}) == {**recorded, "privateKey": PKCS8}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"appId": ""}, "appId: there is none. Expected the APPID of the app on Alipay's open platform, 16 digits."),
        ({"appId": "2" * 17}, "appId: 17 characters are too many."),
        ({"appId": "<app-id>"}, "appId: there are characters in it that are no digits."),
        ({"appId": "\uff12\uff10\uff12\uff11"}, "appId: there are characters in it that are no digits."),
        ({"appId": PKCS8}, f"appId: {len(PKCS8.strip())} characters are too many."),
        ({"signType": "RSA3"}, "signType: expected RSA2 (RSA-SHA256) or RSA (RSA-SHA1)"),
        ({"signType": "rsa2"}, "signType: expected RSA2 (RSA-SHA256) or RSA (RSA-SHA1)"),
        ({"privateKey": None}, "privateKey: there is no private key in it."),
    ],
)
def test_each_fault_of_a_config_has_a_sentence(changes: dict[str, str], fault: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        alipay.check_config({**CONFIG, **changes})
    assert str(caught.value).startswith(fault)
    assert "BEGIN PRIVATE KEY-----\nM" not in str(caught.value)


def test_all_faults_of_a_config_are_told_at_once() -> None:
    with pytest.raises(ConnectorError) as caught:
        alipay.check_config({})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["appId", "privateKey", "signType"]


def test_a_key_is_not_in_its_representation() -> None:
    assert "PRIVATE" not in repr(alipay.read_private_key(PKCS8))
