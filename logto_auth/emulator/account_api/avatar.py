"""`/api/my-account/user-assets/avatar`: the upload of an avatar. It does not become the avatar of the user by itself.

Source: read from Logto's source, and the answer to an empty file tried with Logto 1.42.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import fitted
from logto_auth.emulator.api.schemas import list_of, object_of
from logto_auth.emulator.provider import current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.refusals import Failed, Refused
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.uploads import MAX_BYTES, Upload, image_type

from .caller import Caller
from .routing import AVATAR_PATH, route, uploads

_files = object_of(file=list_of(lambda value, path: value, at_least=1))


@route("POST", AVATAR_PATH)
def upload_avatar(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Store an image and return its URL. The user keeps the old avatar until `PATCH /api/my-account` sets another."""
    file = fitted(dict(request.files.lists()), _files, part="files")["file"][0]
    caller.require_scope("profile", status=401)
    caller.require_first_party()
    caller.require_edit("avatar")
    content = file.read()
    if len(content) > MAX_BYTES:
        raise Refused("guard.file_size_exceeded")
    if not content:
        raise Failed
    content_type = image_type(content)
    if content_type is None:
        raise Refused("guard.mime_type_not_allowed")
    if not tenant.has_storage:
        raise Refused("storage.not_configured")
    name = re.sub(r"[^\w.-]", "-", file.filename or "avatar", flags=re.ASCII)[:128]
    today = datetime.fromtimestamp(current().clock.now(), timezone.utc)
    key = f"default/{caller.user.id}/{today:%Y/%m/%d}/{ids.short_id()[:8]}-{name}"
    tenant.uploads[key] = Upload(content, content_type)
    return {"url": f"{current().endpoint}/uploads/{key}"}


@uploads.get("/uploads/<path:key>")
def show_upload(key: str) -> Response:
    """Return an uploaded file. At Logto, the storage of the operator does this."""
    upload = current().tenant.uploads.get(key)
    if upload is None:
        return Response(status=404)
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(upload.content, headers=headers, content_type=upload.content_type)
