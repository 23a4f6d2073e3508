"""The settings as the system checks read them."""

from __future__ import annotations

from typing import TypeVar

from logto_auth.conf import Conf, Setting

T = TypeVar("T")


class LenientConf(Conf):
    """The settings, with the default in place of a value of a wrong type.

    E001 reports the wrong type. The other checks report everything else at the same time.
    """

    def replace_wrong_type(self, setting: Setting[T], value: object) -> T:
        return setting.default


conf = LenientConf()
