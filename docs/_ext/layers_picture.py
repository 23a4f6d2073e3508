"""Draws `docs/images/layers.svg` from the layers in `pyproject.toml`: `python docs/_ext/layers_picture.py`."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "images" / "layers.svg"

# At most 30 characters each. A name without a description has no second line.
DESCRIPTIONS = {
    "access": "what a view requires",
    "raw_body": "bodies of limited size",
    "password_migration": "passwords Logto cannot import",
    "account": "account pages and links",
    "account_api": "client, without Django",
    "admin_actions": "sync, suspend, sign out",
    "admin_password": "form for when Logto is down",
    "admin_site": "admin with Logto sign-in",
    "announcements": "sessions that ended",
    "api": "incoming access tokens",
    "api_urls": "URLs of an API alone",
    "apps": "start-up",
    "audit": "who did what, sealed",
    "backends": "authentication backend",
    "batches": "changes that belong together",
    "checks": "system checks",
    "clients": "clients built from settings",
    "conf": "all settings",
    "transactions": "the database, locks",
    "connectors": "Alipay and other connectors",
    "context_processors": "request.logto in templates",
    "contrib": "DRF, Ninja, MCP, Celery, tasks",
    "decorators": "protect views",
    "doctor": "diagnosis of a sign-in",
    "emulator": "a small Logto for development and tests; imports nothing of the package",
    "compiled_query": "fast reads of one row",
    "check_tags": "tags of the system checks",
    "encryption": "keys and tokens at rest",
    "exceptions": "all errors",
    "management": "manage.py commands",
    "management_api": "client, without Django",
    "middleware": "request.logto, redirects",
    "mixins": "protect class-based views",
    "models": "identities, sessions, rows",
    "oidc": "the protocol, without Django",
    "memberships": "who belongs to what",
    "api_keys": "API keys of users",
    "organizations": "console for their managers",
    "impersonation": "staff act as users",
    "navigation": "how a request was made",
    "origins": "URLs of this site",
    "pages": "forms and errors of pages",
    "sessions": "tokens, refresh, sign-out",
    "sign_in": "start, state, error page",
    "signals": "signals of a sign-in",
    "site_cache": "the site's cache",
    "storable": "texts that databases refuse",
    "sync": "many users at once",
    "telemetry": "counters and timings",
    "templatetags": "buttons and conditions",
    "tenant": "needs of the site, applied",
    "testing": "fixtures and Browser",
    "urls": "URLs of the views",
    "users": "claims to Django users",
    "views": "sign in, callback, sign out",
    "webhooks": "events from Logto",
}

WIDTH, MARGIN, LEFT, GAP, BOX_HEIGHT, PER_LINE = 980, 16, 64, 8, 44, 5

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">
<title id="title">The layers of logto_auth: each one imports only from those below it</title>
<style>
  text {{ font: 11px system-ui, sans-serif; fill: #52525b }}
  .name {{ font-size: 13px; font-weight: 600; fill: #18181b }}
  .page {{ fill: #ffffff; stroke: #d4d4d8 }}
  .layer {{ fill: #f4f4f5 }}
  .module {{ fill: #ffffff; stroke: #a1a1aa }}
  .package {{ fill: #e3edfb; stroke: #3b6fc4 }}
  .arrow {{ fill: none; stroke: #52525b; stroke-width: 1.5 }}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #c4c4cc }}
    .name {{ fill: #fafafa }}
    .page {{ fill: #18181b; stroke: #3f3f46 }}
    .layer {{ fill: #232327 }}
    .module {{ fill: #2d2d32; stroke: #71717a }}
    .package {{ fill: #1d3152; stroke: #7aa7ee }}
    .arrow {{ stroke: #c4c4cc }}
  }}
</style>
<rect class="page" x="0.5" y="0.5" width="{right}" height="{bottom}" rx="8"/>
"""


def layers() -> list[list[str]]:
    """Return the names in each layer, from the highest to the lowest."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    # The first contract is the one for the whole package.
    listed = project.partition("\nlayers = [\n")[2].partition("\n]")[0]
    return [layer.split(" : ") for layer in re.findall(r'^\s*"(.+?)"', listed, re.MULTILINE)]


def draw() -> str:
    """Return the picture as SVG."""
    parts: list[str] = []
    y = MARGIN
    for names in layers():
        lines = _lines(names)
        height = len(lines) * (BOX_HEIGHT + GAP) + GAP
        parts.append(_rect("layer", LEFT, y, WIDTH - LEFT - MARGIN, height))
        for number, line in enumerate(lines):
            parts += _boxes(line, y + GAP + number * (BOX_HEIGHT + GAP))
        y += height + GAP
    parts.append(_arrow(MARGIN, y - GAP))
    parts += _boxes(["emulator"], y + 2 * GAP)
    height = y + 2 * GAP + BOX_HEIGHT + MARGIN
    head = HEAD.format(width=WIDTH, height=height, right=WIDTH - 1, bottom=height - 1)
    return head + "\n".join(parts) + "\n</svg>\n"


def _lines(names: list[str]) -> list[list[str]]:
    """Return the names in lines of about the same length."""
    count = -(-len(names) // PER_LINE)
    size = -(-len(names) // count)
    return [names[start : start + size] for start in range(0, len(names), size)]


def _boxes(names: list[str], y: int) -> list[str]:
    width = (WIDTH - LEFT - MARGIN - GAP * (len(names) + 1)) / len(names)
    parts = []
    for number, name in enumerate(names):
        x = round(LEFT + GAP + number * (width + GAP))
        kind = "package" if (ROOT / "logto_auth" / name).is_dir() else "module"
        middle = round(x + width / 2)
        parts.append(_rect(kind, x, y, round(width), BOX_HEIGHT))
        parts.append(f'<text class="name" x="{middle}" y="{y + 18}" text-anchor="middle">{escape(name)}</text>')
        description = escape(DESCRIPTIONS.get(name, ""))
        parts.append(f'<text x="{middle}" y="{y + 34}" text-anchor="middle">{description}</text>')
    return parts


def _rect(kind: str, x: int, y: int, width: int, height: int) -> str:
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>'


def _arrow(top: int, bottom: int) -> str:
    x, middle = LEFT // 2, (top + bottom) // 2
    return (
        f'<path class="arrow" d="M{x} {top}V{bottom}m-5 -8l5 8l5 -8"/>\n'
        f'<text x="{x - 8}" y="{middle}" text-anchor="middle" transform="rotate(-90 {x - 8} {middle})">imports</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
