"""Checks of the channel layer by which sockets close when their session ends."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from logto_auth.conf import Conf

from .lenient_conf import conf
from .problem import Problem

LAYER_UNKNOWN = Problem(
    "logto_auth.E053",
    "LOGTO_SOCKET_CHANNEL_LAYER is {name}, which is not in CHANNEL_LAYERS.",
    "Use a key of CHANNEL_LAYERS. For a site without a channel layer, leave the setting out, or set it to ''.",
)
LAYER_NOT_IMPORTED = Problem(
    "logto_auth.W044",
    "The channel layer {name} cannot be imported: {backend}. Each process with open sockets asks the database every "
    "few seconds which of their sessions have ended.",
    'Correct BACKEND in CHANNEL_LAYERS, or install its package: pip install "logto_auth[channels]" channels-redis',
)


def check_sockets() -> Iterator[CheckMessage]:
    """Check that the channel layer of the sockets exists."""
    name = conf.socket_channel_layer
    layers = getattr(settings, "CHANNEL_LAYERS", None)
    layer = layers.get(name) if isinstance(layers, dict) else None
    if not name:
        return
    if layer is None:
        # The default need not exist.
        if name != Conf.socket_channel_layer.default:
            yield LAYER_UNKNOWN(name=repr(name))
        return
    backend = layer.get("BACKEND") if isinstance(layer, dict) else None
    try:
        import_string(str(backend))
    except ImportError:
        yield LAYER_NOT_IMPORTED(name=repr(name), backend=repr(backend))
