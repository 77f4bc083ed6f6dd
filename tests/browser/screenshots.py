"""``make screenshots``: a picture of every page in docs/images, of the sample alliance on a fixed day."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from clearinghouse.config import Settings
from clearinghouse.store import embedded
from clearinghouse.store.migrate import migrate
from tests.browser.looking import CHROMIUM, Eyes, chromium
from tests.browser.test_journeys import pages_of, sign_in, sign_in_traveller
from tests.browser.world import World, world

IMAGES = Path(__file__).parent.parent.parent / "docs" / "images"
#: Where who signs in, on what screen, in which languages: Chinese shows every page, English the first ones.
TOURS = (
    ("/console", "admin@SPRUCE", "desktop"),
    ("/desk", "checker", "desktop"),
    ("/pool", "", "phone"),
)
_FIRST_IN_ENGLISH = 3
_SAMPLE = {"travellers": 1_000, "lines": 6_000}


def main() -> int:
    """Make all pictures anew."""
    if CHROMIUM is None:
        print(
            "error: chromium is not installed; `make tools` installs it where it can",
            file=sys.stderr,
        )
        return 1
    IMAGES.mkdir(exist_ok=True)
    for old in IMAGES.glob("*.png"):
        old.unlink()
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder, "data"))
        url = embedded.ensure_running(settings).url()
        try:
            migrate(url)
            with world(url, Path(folder, "packs"), **_SAMPLE) as alliance, chromium() as browser:
                for door, login, width in TOURS:
                    for language in ("zh", "en"):
                        eyes = Eyes.open(browser, alliance.url, language, width)
                        tour(eyes, alliance, door, login, language)
                        eyes.context.close()
        finally:
            embedded.stop(settings)
    print(f"{len(list(IMAGES.glob('*.png')))} pictures in docs/images")
    return 0


def tour(eyes: Eyes, alliance: World, door: str, login: str, language: str) -> None:
    """Take a picture of every page behind a door; in English of the first ones."""
    eyes.go(f"{door}/sign-in")
    keep(eyes, f"{door}/sign-in", language)
    if login:
        sign_in(eyes, alliance, door, login)
    else:
        sign_in_traveller(eyes, alliance)
    for number, (kind, path) in enumerate(pages_of(eyes, door)):
        if language == "en" and number >= _FIRST_IN_ENGLISH:
            break
        eyes.page.goto(f"{eyes.url}{path}")
        keep(eyes, kind, language)


def keep(eyes: Eyes, kind: str, language: str) -> None:
    """Keep a picture of the page as it is."""
    name = kind.strip("/").replace("/*", "").replace("/", "-")
    if "/*" in kind:
        name += "-one" if kind.endswith("/*") else "-of-one"
    ending = "" if language == "zh" else f".{language}"
    page = eyes.page
    across, down = eyes.size
    # As tall as the page: what keeps to the bottom of a phone would else stand in the middle of the picture.
    tall = max(down, page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": across, "height": tall})
    page.screenshot(path=IMAGES / f"{name}{ending}.png", full_page=True, animations="disabled")
    page.set_viewport_size({"width": across, "height": down})


if __name__ == "__main__":
    sys.exit(main())
