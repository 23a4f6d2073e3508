"""The OpenAPI documents, which need no token."""

import gzip
import json
import re

import pytest
import requests

from tests.recorded import FOLDER

RECORDED = FOLDER / "1.42/openapi/management.json.gz"


@pytest.mark.parametrize("path", ["swagger.json", ".well-known/management.openapi.json"])
def test_document_has_paths_that_logto_has(emulator, path):
    document = requests.get(f"{emulator.endpoint}/api/{path}", timeout=5).json()
    recorded = json.loads(gzip.decompress(RECORDED.read_bytes()))
    assert document["openapi"] == recorded["openapi"]
    assert document["info"]["version"] == recorded["info"]["version"]
    known = [re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(each))) for each in recorded["paths"]]
    assert [each for each in document["paths"] if not any(path.fullmatch(each) for path in known)] == []
    assert {"get", "post"} <= document["paths"]["/api/hooks"].keys()


def test_events_of_the_document_are_those_that_a_webhook_accepts(emulator, api):
    document = api.get("/.well-known/management.openapi.json").json()
    schema = document["paths"]["/api/hooks"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    events = schema["properties"]["events"]["items"]["enum"]
    hook = {"name": "All", "config": {"url": "http://localhost:9/"}}
    assert api.post("/hooks", {**hook, "events": events}).status_code == 201
    assert api.post("/hooks", {**hook, "events": ["No.Such.Event"]}).status_code == 400
