"""What Alipay's connectors need beside Logto's form: the key pair, the App ID, the sign type. Nobody is called.

Logto signs with the private key as it is stored, and finds out that it cannot when the first person comes back from
Alipay. So it is checked here.
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

FACTORIES = frozenset({"alipay-native", "alipay-web"})
SIGN_TYPES = {"RSA2": "RSA-SHA256", "RSA": "RSA-SHA1"}
MAX_APP_ID_LENGTH = 16
KEY_BITS = 2048

_BLOCK = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>.*?)-----END (?P=label)-----", re.DOTALL)
# As JSON and environment files write line breaks.
_WRITTEN_BREAK = re.compile(r"\\+[rn]")
_NEW_PAIR = "`manage.py logto_connectors alipay-keys` makes a pair."
_WANTED = "Expected the private key, which begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----."
_ENCRYPTED = (
    "this key is encrypted, and Logto has no passphrase for it. Decrypt it: "
    "`openssl pkey -in private.pem -out decrypted.pem`."
)
_NOT_RSA = f"this is no RSA key, and Alipay takes no other. {_NEW_PAIR}"
_REFUSED = {
    "PUBLIC KEY": f"this is a public key, which is for Alipay's console. {_WANTED}",
    "RSA PUBLIC KEY": f"this is a public key, which is for Alipay's console. {_WANTED}",
    "CERTIFICATE": f"this is a certificate; Logto signs with a bare key. {_WANTED}",
    "ENCRYPTED PRIVATE KEY": _ENCRYPTED,
    "OPENSSH PRIVATE KEY": f"this is a key for SSH. {_NEW_PAIR}",
    "EC PRIVATE KEY": _NOT_RSA,
    "DSA PRIVATE KEY": _NOT_RSA,
}


@dataclass(frozen=True)
class PrivateKey:
    """An RSA key that Logto can sign with."""

    pem: str = field(repr=False)
    """As Logto has to have it: with real line breaks."""
    public_key: str
    """As Alipay's console wants it: without header, footer and line breaks."""


def make_private_key() -> PrivateKey:
    """A new key, in PKCS#8."""
    return _written(rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS), PrivateFormat.PKCS8)


def read_private_key(text: str) -> PrivateKey:
    r"""The key in `text`, in the form that it came in: PKCS#8 or PKCS#1.

    Line breaks may be real, lost, or written as `\n`; what stands around the key does not count. Base64 alone is read
    too, for that is what Alipay's own key tool saves. Raises ConnectorError.
    """
    label, body = _private_block(_WRITTEN_BREAK.sub("\n", text))
    if "Proc-Type:" in body:
        raise ConnectorError(_ENCRYPTED)
    try:
        key = load_der_private_key(_decoded(body), password=None)
    except TypeError as error:
        raise ConnectorError(_ENCRYPTED) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if not label and _is_public_key(body):
            raise ConnectorError(_REFUSED["PUBLIC KEY"]) from error
        raise ConnectorError(
            "this key is cut off or was changed on its way here. Take the whole file, with its first and last line."
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConnectorError(_NOT_RSA)
    if key.key_size < KEY_BITS:
        raise ConnectorError(f"this key has {key.key_size} bits; {KEY_BITS} is the least that is safe. {_NEW_PAIR}")
    return _written(key, PrivateFormat.TraditionalOpenSSL if label == "RSA PRIVATE KEY" else PrivateFormat.PKCS8)


def write_new_file(path: Path, text: str) -> None:
    """Write a file that its owner alone can read: all of it or nothing, never over another. Raises ConnectorError."""
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with the mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never takes the place of a file that is there.
            os.link(draft, path)
        finally:
            os.unlink(draft)
    except FileExistsError as error:
        raise ConnectorError(f"{path} is there already, and is not overwritten. Name another file.") from error
    except OSError as error:
        raise ConnectorError(f"{path} cannot be written: {error.strerror}.") from error


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config, with the private key as Logto can use it. Raises ConnectorError, a line for each fault."""
    checked, faults = dict(config), []
    for key, check in CHECKS.items():
        try:
            checked[key] = check(str(config.get(key, "")))
        except ConnectorError as fault:
            faults.append(f"{key}: {fault}")
    if faults:
        raise ConnectorError("\n".join(faults))
    return checked


def _app_id(value: str) -> str:
    value = value.strip()
    remedy = "Expected the APPID of the app on Alipay's open platform, 16 digits."
    if not value:
        raise ConnectorError(f"there is none. {remedy}")
    if len(value) > MAX_APP_ID_LENGTH:
        raise ConnectorError(f"{len(value)} characters are too many. {remedy}")
    if not re.fullmatch("[0-9]+", value):
        raise ConnectorError(f"there are characters in it that are no digits. {remedy}")
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
    """The label and the base64 of the one private key in `text`; no label for bare base64."""
    blocks = [(match["label"], match["body"]) for match in _BLOCK.finditer(text)]
    private = [block for block in blocks if block[0] in ("PRIVATE KEY", "RSA PRIVATE KEY")]
    if len(private) > 1:
        raise ConnectorError(f"there are {len(private)} private keys in it. Leave the one that is meant.")
    if private:
        return private[0]
    for label, _ in blocks:
        if label in _REFUSED:
            raise ConnectorError(_REFUSED[label])
    bare = text.strip(" \t\r\n\"'\ufeff")
    if blocks or not re.fullmatch(r"[A-Za-z0-9+/=\s]{64,}", bare):
        raise ConnectorError(f"there is no private key in it. {_WANTED}")
    return "", bare


def _decoded(body: str) -> bytes:
    return base64.b64decode("".join(body.split()), validate=True)


def _is_public_key(body: str) -> bool:
    try:
        load_der_public_key(_decoded(body))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _written(key: rsa.RSAPrivateKey, form: PrivateFormat) -> PrivateKey:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return PrivateKey(pem=pem.decode("ascii"), public_key=base64.b64encode(public).decode("ascii"))
