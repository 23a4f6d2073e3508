"""The rules of Alipay's connectors that Logto's form does not check: key pair, App ID and sign type.

Logto signs with the stored private key. An unusable key only fails when the first user returns from Alipay, so keys are
checked here. No requests are sent.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from logto_auth.exceptions import ConnectorError

__all__ = ["FACTORIES", "PrivateKey", "check_config", "make_private_key", "read_private_key", "write_new_file"]

FACTORIES = frozenset({"alipay-native", "alipay-web"})
SIGN_TYPES = {"RSA2": "RSA-SHA256", "RSA": "RSA-SHA1"}
MAX_APP_ID_LENGTH = 16
KEY_BITS = 2048

_BLOCK = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>.*?)-----END (?P=label)-----", re.DOTALL)
# The escaped line breaks of JSON and environment files.
_ESCAPED_BREAK = re.compile(r"\\+[rn]")
_NEW_PAIR = "`manage.py logto_connectors alipay-keys` creates a key pair."
_EXPECTED = (
    "Expected the private key, which begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----."
)
_ENCRYPTED = (
    "this key is encrypted, and Logto cannot use a passphrase. Decrypt it: "
    "`openssl pkey -in private.pem -out decrypted.pem`."
)
_NOT_RSA = f"this is not an RSA key. Alipay accepts RSA keys only. {_NEW_PAIR}"
_REJECTED = {
    "PUBLIC KEY": f"this is a public key, which belongs in Alipay's console. {_EXPECTED}",
    "RSA PUBLIC KEY": f"this is a public key, which belongs in Alipay's console. {_EXPECTED}",
    "CERTIFICATE": f"this is a certificate, not a private key. {_EXPECTED}",
    "ENCRYPTED PRIVATE KEY": _ENCRYPTED,
    "OPENSSH PRIVATE KEY": f"this is an SSH key. {_NEW_PAIR}",
    "EC PRIVATE KEY": _NOT_RSA,
    "DSA PRIVATE KEY": _NOT_RSA,
}


@dataclass(frozen=True)
class PrivateKey:
    """An RSA private key that Logto can sign with."""

    pem: str = field(repr=False)
    """The private key in the form that Logto needs, with real line breaks."""
    public_key: str
    """The public key in the form that Alipay's console expects, without header, footer and line breaks."""


def make_private_key() -> PrivateKey:
    """Return a new RSA key in PKCS#8."""
    return _private_key(rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS), PrivateFormat.PKCS8)


def read_private_key(text: str) -> PrivateKey:
    r"""Return the private key in `text`, in the same form, PKCS#8 or PKCS#1.

    Line breaks may be real, missing, or written as `\n`. Text around the key is ignored. Base64 without header and
    footer is accepted too, because Alipay's key tool saves it. Raise ConnectorError.
    """
    label, body = _private_block(_ESCAPED_BREAK.sub("\n", text))
    if "Proc-Type:" in body:
        raise ConnectorError(_ENCRYPTED)
    try:
        key = load_der_private_key(_decoded(body), password=None)
    except TypeError as error:
        raise ConnectorError(_ENCRYPTED) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if not label and _is_public_key(body):
            raise ConnectorError(_REJECTED["PUBLIC KEY"]) from error
        raise ConnectorError(
            "this key is incomplete or damaged. Use the whole file, with its first and last line."
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConnectorError(_NOT_RSA)
    if key.key_size < KEY_BITS:
        raise ConnectorError(f"this key has {key.key_size} bits, expected at least {KEY_BITS}. {_NEW_PAIR}")
    return _private_key(key, PrivateFormat.TraditionalOpenSSL if label == "RSA PRIVATE KEY" else PrivateFormat.PKCS8)


def write_new_file(path: Path, text: str) -> None:
    """Create a file that only its owner can read. Raise ConnectorError, also if the file exists.

    The file is created atomically: it is complete, or it does not exist.
    """
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with the mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never replaces an existing file.
            os.link(draft, path)
        finally:
            os.unlink(draft)
    except FileExistsError as error:
        raise ConnectorError(f"{path} exists already and is not overwritten. Choose another file.") from error
    except OSError as error:
        raise ConnectorError(f"{path} cannot be written: {error.strerror}. Choose another file.") from error


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with the private key in the form that Logto needs.

    Raise ConnectorError, with a line for each error.
    """
    checked, errors = dict(config), []
    for key, check in CHECKS.items():
        try:
            checked[key] = check(str(config.get(key, "")))
        except ConnectorError as error:
            errors.append(f"{key}: {error}")
    if errors:
        raise ConnectorError("\n".join(errors))
    return checked


def _app_id(value: str) -> str:
    value = value.strip()
    expected = "Expected the APPID of the app on Alipay's open platform, 16 digits."
    if not value:
        raise ConnectorError(f"is missing. {expected}")
    if len(value) > MAX_APP_ID_LENGTH:
        raise ConnectorError(f"has {len(value)} characters. {expected}")
    if not re.fullmatch("[0-9]+", value):
        raise ConnectorError(f"contains characters other than digits. {expected}")
    return value


def _sign_type(value: str) -> str:
    if value not in SIGN_TYPES:
        choices = " or ".join(f"{name} ({algorithm})" for name, algorithm in SIGN_TYPES.items())
        raise ConnectorError(f"expected {choices}, as chosen on Alipay's open platform.")
    return value


CHECKS: dict[str, Callable[[str], str]] = {
    "appId": _app_id,
    "privateKey": lambda text: read_private_key(text).pem,
    "signType": _sign_type,
}


def _private_block(text: str) -> tuple[str, str]:
    """Return the label and the base64 of the only private key in `text`. Base64 without a header has no label."""
    blocks = [(match["label"], match["body"]) for match in _BLOCK.finditer(text)]
    private = [block for block in blocks if block[0] in ("PRIVATE KEY", "RSA PRIVATE KEY")]
    if len(private) > 1:
        raise ConnectorError(f"contains {len(private)} private keys. Leave only the key to use.")
    if private:
        return private[0]
    for label, _ in blocks:
        if label in _REJECTED:
            raise ConnectorError(_REJECTED[label])
    bare = text.strip(" \t\r\n\"'\ufeff")
    if blocks or not re.fullmatch(r"[A-Za-z0-9+/=\s]{64,}", bare):
        raise ConnectorError(f"contains no private key. {_EXPECTED}")
    return "", bare


def _decoded(body: str) -> bytes:
    return base64.b64decode("".join(body.split()), validate=True)


def _is_public_key(body: str) -> bool:
    try:
        load_der_public_key(_decoded(body))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _private_key(key: rsa.RSAPrivateKey, form: PrivateFormat) -> PrivateKey:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return PrivateKey(pem=pem.decode("ascii"), public_key=base64.b64encode(public).decode("ascii"))
