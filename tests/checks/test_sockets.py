"""Checks of the channel layer of sockets."""

from __future__ import annotations

from typing import Any

from .found import messages

REDIS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}


def found(**settings: Any) -> list[str | None]:
    ids = ("logto_auth.E053", "logto_auth.W044")
    return [each.id for each in messages(settings) if each.id in ids]


def test_site_needs_no_channel_layer() -> None:
    assert found() == []
    assert found(CHANNEL_LAYERS=REDIS) == []
    assert found(CHANNEL_LAYERS=REDIS, LOGTO_SOCKET_CHANNEL_LAYER="") == []


def test_unknown_channel_layer_is_found() -> None:
    assert found(CHANNEL_LAYERS=REDIS, LOGTO_SOCKET_CHANNEL_LAYER="sockets") == ["logto_auth.E053"]
    assert found(CHANNEL_LAYERS=[], LOGTO_SOCKET_CHANNEL_LAYER="sockets") == ["logto_auth.E053"]


def test_channel_layer_that_cannot_be_imported_is_found() -> None:
    for backend in ("no.such.Layer", "channels_redis.core.Layer", "layer", None):
        assert found(CHANNEL_LAYERS={"default": {"BACKEND": backend}}) == ["logto_auth.W044"]
