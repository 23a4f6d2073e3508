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

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_llms_txt",
    "accessible",
    "reference",
    "topics",
    "translations",
]
exclude_patterns = ["_build"]
# `make docs` passes the other languages.
language = "en"
locale_dirs = ["locale"]
gettext_compact = False
templates_path = ["_templates"]
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
html_static_path = ["_static"]
html_css_files = ["documentation.css"]
html_use_index = False
# Read the Docs says where it publishes.
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")
# Guides before reference, and decisions last.
html_search_scorer = str(Path(__file__).resolve().parent / "_ext" / "scorer.js")

# llms-full.txt is made of the sources; no page links to them.
html_copy_source = True
html_sourcelink_suffix = ""
html_show_sourcelink = False
llms_txt_title = f"logto_auth {version}"
llms_txt_uri_template = "{base_url}_sources/{docname}.md" if html_baseurl else "_sources/{docname}.md"
llms_txt_exclude = ["changelog", "decisions/*"]

# Copy the commands of a block without the prompt, and without what they print.
copybutton_prompt_text = "$ "
copybutton_copy_empty_lines = False
copybutton_line_continuation_character = "\\"
