import pytest
from django.test import Client
from django.core.cache import cache
from tests.flows.test_backchannel import *  # noqa
def test_probe(reader, logto):
    token = logout_token(logto, sid=...)
    assert Client().post(URL, {"logout_token": token}).status_code == 200
    reader.sign_in("reader"); cache.clear()
    Client().post(URL, {"logout_token": token})
    assert is_signed_in(reader)
