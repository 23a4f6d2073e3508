from __future__ import annotations

import pytest
from django.utils import translation

from logto_auth.account.devices import device_name

LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (LAPTOP, "Firefox on Linux"),
        (PHONE, "Safari on iPhone"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on macOS"),
        (
            "Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36 AlipayClient/10.7",
            "Alipay on Android",
        ),
        ("curl/8.14.1", "curl/8.14.1"),
        ("x" * 255, "x" * 40),
        ("", "Unknown browser"),
    ],
)
def test_browsers_have_readable_names(user_agent, name):
    assert device_name(user_agent) == name


def test_browsers_have_names_in_each_language():
    with translation.override("ja"):
        assert device_name(LAPTOP) == "LinuxのFirefox"
    with translation.override("zh-hans"):
        assert device_name(LAPTOP) == "Linux 上的 Firefox"
