"""A site whose tables are in MySQL's old character set `utf8mb3`, which has no emoji.

`TEST_MYSQL_DRIVER=mysqlclient` uses that driver, which reports other errors, if it is installed.
"""

import os

os.environ["TEST_DATABASE"] = "mysql"

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES

DATABASES = {"default": {**DATABASES["default"], "TEST": {"CHARSET": "utf8mb3"}}}
PROFILE_TRANSACTIONAL = True
PROFILE_TESTS = ["tests/profiles/flows/test_sign_in.py", "tests/profiles/own/test_utf8mb3.py"]
