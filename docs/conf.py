"""Sphinx settings. Nothing here or in the theme loads anything from the internet."""

import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

from logto_auth import __version__
from tests.release.address import ROOT, defined_address, is_placeholder

# The extension imports modules that need settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
django.setup()

project = "logto_auth"
copyright = "The logto_auth contributors"
author = "The logto_auth contributors"
version = release = __version__

extensions = ["myst_parser", "reference"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
# Links to the source of each page, from the first release on: `make address`.
if not is_placeholder(defined_address(ROOT)):
    html_theme_options = {
        "source_repository": defined_address(ROOT),
        "source_branch": "main",
        "source_directory": "docs/",
    }
html_title = f"logto_auth {version}"
html_copy_source = False
html_show_sourcelink = False
