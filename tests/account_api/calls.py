"""One call of each method of the client, by name. `update` and `update_profile` have one for each kind of value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from logto_auth.account_api import AccountAPI

__all__ = ["CALLS", "Call"]

Call = Callable[[AccountAPI], Any]

CALLS: dict[str, Call] = {
    "get": lambda api: api.get(),
    "update name": lambda api: api.update(name="x"),
    "update avatar": lambda api: api.update(avatar="https://cdn.example/a.png"),
    "update username": lambda api: api.update(username="x"),
    "update custom_data": lambda api: api.update(custom_data={}),
    "update_profile": lambda api: api.update_profile({"nickname": "x"}),
    "update_profile address": lambda api: api.update_profile({"address": {"country": "JP"}}),
    "upload_avatar": lambda api: api.upload_avatar(b"x", filename="a.png", content_type="image/png"),
    "set_password": lambda api: api.set_password("x"),
    "set_email": lambda api: api.set_email("a@example.com", new_record_id="r"),
    "remove_email": lambda api: api.remove_email(),
    "set_phone": lambda api: api.set_phone("123456", new_record_id="r"),
    "remove_phone": lambda api: api.remove_phone(),
    "verify_password": lambda api: api.verify_password("x"),
    "send_code": lambda api: api.send_code("phone", "123456"),
    "verify_code": lambda api: api.verify_code("email", "a@example.com", record_id="r", code="1"),
    "start_social": lambda api: api.start_social("c", state="s", redirect_uri="https://site.example/"),
    "verify_social": lambda api: api.verify_social("r", {"state": "s", "code": "c"}),
    "link_identity": lambda api: api.link_identity("r"),
    "replace_identity": lambda api: api.replace_identity("r"),
    "unlink_identity": lambda api: api.unlink_identity("github"),
    "factors": lambda api: api.factors(),
    "generate_totp_secret": lambda api: api.generate_totp_secret(),
    "add_totp": lambda api: api.add_totp("s", "c"),
    "replace_totp": lambda api: api.replace_totp("s", "c"),
    "backup_codes": lambda api: api.backup_codes(),
    "generate_backup_codes": lambda api: api.generate_backup_codes(),
    "add_backup_codes": lambda api: api.add_backup_codes(["c"]),
    "passkey_options": lambda api: api.passkey_options(),
    "verify_passkey": lambda api: api.verify_passkey("r", {}),
    "add_passkey": lambda api: api.add_passkey("r"),
    "rename_factor": lambda api: api.rename_factor("f", "x"),
    "remove_factor": lambda api: api.remove_factor("f"),
    "mfa_settings": lambda api: api.mfa_settings(),
    "update_mfa_settings": lambda api: api.update_mfa_settings(skip_at_sign_in=True),
    "sessions": lambda api: api.sessions(),
    "end_session": lambda api: api.end_session("u"),
    "grants": lambda api: api.grants(),
    "revoke_grant": lambda api: api.revoke_grant("g"),
}
