"""`make screenshots`: the pictures of README.md and of the guides, taken of the demo in Chromium.

    make screenshots                              all pictures
    make screenshots NAMES="consent api-keys"     some of them

They are written to docs/images. A picture that has hardly changed is kept, because times and anti-aliasing differ in
each run. So look at the pictures before you commit them.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from PIL import Image, ImageChops, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect

from .people import choose_account, sign_in, sign_in_button, sign_out_button
from .running import ROOT, running_chromium, running_demo

# What `bookstore.core.demo` adds to the emulator.
AGENT_ID = "bookstoreagent0000001"
AGENT_CALLBACK = "http://127.0.0.1/callback"
HARBOUR_BRANCH = "harbourbr001"
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1000, 640
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
# The ports are other ones in each run.
NAME_USUAL_PORTS = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = texts.currentNode.data.replace(/localhost:\\d+/g, "localhost:3001");
  }
}"""
# The part of the pixels that may differ in a picture that is kept, and how much a channel of a pixel may differ.
KEPT_PART = 0.01
KEPT_DIFFERENCE = 24
COLOURS = 128
SLOW, FAST = 1800, 700


@dataclass(frozen=True)
class Picture:
    """How to get to a page that a guide shows."""

    name: str
    account: str  # "" if the user is not signed in
    path: str = "/"
    then: Callable[[Page], object] | None = None
    height: int = HEIGHT
    width: int = WIDTH
    scheme: str = "light"
    # An account that has to be known to the shop.
    other: str = ""


def open_sign_in_page(page: Page) -> None:
    sign_in_button(page).click()
    expect(page.get_by_label("Username")).to_be_visible()


def open_consent_page(page: Page) -> None:
    """Open what an agent opens in the browser of a user."""
    shop = page.url.rstrip("/")
    with page.context.expect_page() as popup:
        page.evaluate("window.open('/sign-in?prompt=login')")
    logto = popup.value
    expect(logto.get_by_label("Username")).to_be_visible()
    endpoint = "{0.scheme}://{0.netloc}".format(urlsplit(logto.url))
    logto.close()
    query = {
        "client_id": AGENT_ID,
        "redirect_uri": AGENT_CALLBACK,
        "response_type": "code",
        "scope": "openid mcp:tools read:orders",
        "resource": f"{shop}/mcp",
        "prompt": "consent",
        "state": "state",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    page.goto(f"{endpoint}/oidc/auth?{urlencode(query)}")
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()


def make_api_key(page: Page) -> None:
    page.goto("/account/api-keys/new")
    if page.get_by_role("heading", name="Confirm that it is you").is_visible():
        page.get_by_label("Password", exact=True).fill("customer-password")
        page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Name").fill("Import script")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("link", name="I have copied the key").click()
    expect(page.get_by_role("main")).to_contain_text("Import script")


def open_account_in_admin(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name="admin", exact=True).click()
    heading = page.get_by_role("heading", name=re.compile("Logto identities", re.IGNORECASE))
    heading.evaluate("heading => heading.scrollIntoView()")


def start_support_access(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name="customer", exact=True).click()
    page.get_by_role("link", name="Support access…").click()
    page.get_by_label("Reason").fill("Ticket 4711: the order is not in the list")
    page.get_by_role("button", name="Start support access").click()
    page.goto("/orders/")
    expect(page.get_by_role("button", name="End support access")).to_be_visible()


PICTURES = (
    Picture("shop", ""),
    Picture("shop-dark", "", scheme="dark"),
    Picture("sign-in-page", "", then=open_sign_in_page),
    Picture("consent", "customer", then=open_consent_page, height=480),
    Picture("account-settings", "customer", "/account/", height=720),
    Picture("account-security", "customer", "/account/security", height=860),
    Picture("organization-console", "owner", f"/branches/{HARBOUR_BRANCH}/members", height=760),
    Picture("api-keys", "customer", then=make_api_key, height=560),
    Picture("forbidden", "editor", f"/branches/{HARBOUR_BRANCH}/stock/", height=400, width=1200),
    Picture("admin-user", "admin", "/admin/auth/user/", then=open_account_in_admin, height=420, width=1300),
    Picture("support-access", "admin", "/admin/auth/user/", then=start_support_access, height=480, other="customer"),
    Picture("audit-trail", "admin", "/admin/logto_audit/auditevent/", width=1200),
)
# Their names and colour schemes.
ANIMATIONS = {"sign-in": "light", "sign-in-dark": "dark"}


def main(names: Sequence[str]) -> int:
    """Take the pictures with these names, or all. Return the exit code."""
    known = [*(picture.name for picture in PICTURES), *ANIMATIONS]
    if unknown := set(names) - set(known):
        print(f"Unknown: {', '.join(sorted(unknown))}. There are: {', '.join(known)}.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as shop, running_chromium() as chromium:
        for picture in PICTURES:
            if not names or picture.name in names:
                keep_or_write(IMAGES / f"{picture.name}.png", taken(picture, chromium, shop))
        for name, scheme in ANIMATIONS.items():
            if not names or name in names:
                write_animation(IMAGES / f"{name}.webp", chromium, shop, scheme)
    return 0


@contextmanager
def new_page(chromium: Browser, shop: str, **options: Any) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=shop, locale="en-GB", user_agent=USER_AGENT, reduced_motion="reduce", **options
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def taken(picture: Picture, chromium: Browser, shop: str) -> Image.Image:
    size = {"width": picture.width, "height": picture.height}
    if picture.other:
        with new_page(chromium, shop) as page:
            sign_in(page, picture.other)
    with new_page(chromium, shop, viewport=size, color_scheme=picture.scheme) as page:
        if picture.account:
            sign_in(page, picture.account)
        page.goto(picture.path)
        if picture.then is not None:
            picture.then(page)
        return snapshot(page)


def snapshot(page: Page) -> Image.Image:
    # The covers of the books come one by one.
    page.wait_for_load_state("networkidle")
    page.evaluate(NAME_USUAL_PORTS)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def keep_or_write(path: Path, image: Image.Image) -> None:
    """Write the picture with few colours, unless the file shows nearly the same."""
    if path.exists() and is_alike(Image.open(path).convert("RGB"), image):
        print(f"{path.relative_to(ROOT)} is kept.")
        return
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB.")


def is_alike(old: Image.Image, new: Image.Image) -> bool:
    if old.size != new.size:
        return False
    changed = ImageChops.difference(old, new).convert("L").point(lambda level: 255 * (level > KEPT_DIFFERENCE))
    return changed.histogram()[255] <= KEPT_PART * new.width * new.height


def write_animation(path: Path, chromium: Browser, shop: str, scheme: str) -> None:
    """Write what a user sees during a sign-in: the shop, the page of Logto, and the shop again."""
    frames: list[tuple[Image.Image, int]] = []

    def add(milliseconds: int, target: Locator | None = None) -> None:
        image = snapshot(page)
        if target is not None:
            box = target.bounding_box()
            assert box is not None
            draw_pointer(image, box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6)
        frames.append((image, milliseconds))

    with new_page(chromium, shop, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme) as page:
        page.goto("/")
        add(SLOW)
        add(FAST, sign_in_button(page))
        sign_in_button(page).click()
        add(SLOW)
        add(FAST, page.get_by_role("button", name="Sign in as customer", exact=True))
        choose_account(page, "customer")
        expect(sign_out_button(page)).to_be_visible()
        add(SLOW)
        page.goto("/account/")
        add(SLOW)
    if path.exists() and is_alike_animation(path, [image for image, _ in frames]):
        print(f"{path.relative_to(ROOT)} is kept.")
        return
    first, *others = (image for image, _ in frames)
    durations = [milliseconds for _, milliseconds in frames]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, quality=75, method=6)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB.")


def is_alike_animation(path: Path, frames: Sequence[Image.Image]) -> bool:
    with Image.open(path) as animation:
        if getattr(animation, "n_frames", 1) != len(frames):
            return False
        for number, frame in enumerate(frames):
            animation.seek(number)
            if not is_alike(animation.convert("RGB"), frame):
                return False
    return True


def draw_pointer(image: Image.Image, x: float, y: float) -> None:
    """Draw the pointer of a mouse, whose tip is at this place."""
    outline = [(0, 0), (0, 20), (5, 15), (9, 23), (12, 21), (9, 14), (15, 14)]
    ImageDraw.Draw(image).polygon([(x + dx, y + dy) for dx, dy in outline], fill="black", outline="white", width=1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
