"""A person's look at a page: what a browser complains of, what axe finds, and whether it fits the screen."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pylopdf_fonts_zh_cn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
WIDTHS = {"desktop": (1280, 900), "phone": (375, 812)}
#: What a page may weigh on its way, with everything that it loads.
MOST_BYTES = 150_000
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
#: WCAG 2.2 AA and what came before it, and axe's own good practice.
_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the system's chromium, with the Chinese font that the documents are set in."""
    with TemporaryDirectory() as folder:
        fonts = Path(folder, "fonts.conf")
        fonts.write_text(
            '<?xml version="1.0"?><fontconfig>'
            f"<dir>{Path(pylopdf_fonts_zh_cn.__file__).parent}</dir><cachedir>{folder}/cache</cachedir>"
            "</fontconfig>"
        )
        environment = {**os.environ, "FONTCONFIG_FILE": str(fonts), "HOME": folder}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*_QUIET], env=environment
            )
            yield browser
            browser.close()


@dataclass
class Eyes:
    """Somebody who looks at pages in one language on one screen.

    ``faults`` collects what no page may have, ``seen`` the paths that were looked at.
    """

    context: BrowserContext
    page: Page
    url: str
    size: tuple[int, int]
    faults: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    _bytes: int = 0

    @classmethod
    def open(
        cls, browser: Browser, url: str, language: str = "zh", width: str = "desktop"
    ) -> "Eyes":
        """Open a browser of its own, without anybody's cookies."""
        across, down = WIDTHS[width]
        context = browser.new_context(
            viewport={"width": across, "height": down},
            locale="en-GB" if language == "en" else "zh-CN",
            reduced_motion="reduce",
        )
        context.set_default_timeout(60_000)
        eyes = cls(context, context.new_page(), url, WIDTHS[width])
        eyes.page.on("console", lambda told: eyes._console(told.type, told.text))
        eyes.page.on("pageerror", lambda error: eyes.faults.append(f"script: {error}"))
        eyes.page.on("request", eyes._asked)
        eyes.page.on("response", eyes._answered)
        return eyes

    def _console(self, kind: str, text: str) -> None:
        # That a page answers 4xx is what it is there for.
        if kind in ("error", "warning") and "the server responded with a status of 4" not in text:
            self.faults.append(f"console: {text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.faults.append(f"another origin: {request.url}")

    def _answered(self, response: Response) -> None:
        self._bytes += int(response.headers.get("content-length", 0))
        if response.status >= 500:
            self.faults.append(f"{response.status}: {response.url}")

    def go(self, path: str) -> None:
        """Open a page by its address, and look at it."""
        self._bytes = 0
        self.page.goto(f"{self.url}{path}")
        self.look()

    def click(self, name: str, role: str = "link", *, exact: bool = False) -> None:
        """Click what is called so, and look at where it leads."""
        self._bytes = 0
        self.page.get_by_role(role, name=name, exact=exact).first.click()
        self.page.wait_for_load_state()
        self.look()

    def fill(self, **fields: str) -> None:
        """Fill fields of a form by their names."""
        for name, value in fields.items():
            found = self.page.locator(f"[name={name}]").first
            if found.evaluate("e => e.tagName") == "SELECT":
                found.select_option(value)
            else:
                found.fill(value)

    def press(self, name: str = "", within: str = "main") -> None:
        """Press a form's button, the first unless it is named, and look at what comes."""
        self._bytes = 0
        buttons = self.page.locator(within).get_by_role("button", name=name or None)
        with self.page.expect_navigation():
            buttons.first.click()
        self.look()

    def look(self) -> None:
        """Look at the page as it is now."""
        self.page.wait_for_load_state("load")
        where = urlsplit(self.page.url).path
        self.seen.append(where)
        found = Axe().run(self.page, options=_RULES)
        for violation in found.response["violations"]:
            places = [node["html"][:160] for node in violation["nodes"][:3]]
            self.faults.append(f"{where}: {violation['id']}: {violation['help']}: {places}")
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            self.faults.append(f"{where}: {wide} px wider than the screen")
        if self._bytes > MOST_BYTES:
            self.faults.append(f"{where}: {self._bytes:,} bytes")
        if not self.page.title().strip() or len(self.page.locator("h1").all()) != 1:
            self.faults.append(f"{where}: a page has a title and one heading of the first rank")

    def links(self) -> list[str]:
        """Return where the page leads to, inside the site and without what is downloaded."""
        found = self.page.eval_on_selector_all(
            "a[href]:not([download])", "all => all.map(a => a.getAttribute('href'))"
        )
        return [re.sub(r"#.*", "", href) for href in found if re.match(r"/(?!/)", href or "")]

    @property
    def text(self) -> str:
        """Return what the page says."""
        return self.page.locator("main").inner_text()

    def close(self) -> None:
        """Close it; nothing that was seen may be at fault."""
        self.context.close()
        assert self.faults == [], "\n".join(self.faults)
