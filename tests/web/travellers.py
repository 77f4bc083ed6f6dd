"""Travellers in a browser: signing in as a person does, with the code that was sent."""

from typing import Any

from tests.web.site import Browser, Site
from web.pool.postbox import Postbox

#: The travellers of the small alliance: phone as they type it, and name.
PEOPLE = {"T1": ("138 0013 8000", "李芳"), "T2": ("13800138001", "王伟")}


def postbox(site: Site) -> Postbox:
    """The site's postbox."""
    found: Any = site.app.extensions["pool_postbox"]
    assert isinstance(found, Postbox)
    return found


def all_sent(site: Site) -> list[tuple[str, str, int]]:
    """What was sent, once nothing waits to be."""
    postbox(site).waiting.join()
    return site.codes


def ask(site: Site, place: str, browser: Browser | None = None) -> Browser:
    """Ask for a code; the browser is at the page that wants it."""
    browser = browser or site.stranger()
    browser.get("/pool/sign-in")
    return browser.post("/pool/sign-in", {"to": place})


def sign_in(site: Site, place: str, name: str, browser: Browser | None = None) -> Browser:
    """Sign in with the code that comes."""
    before = len(all_sent(site))
    browser = ask(site, place, browser)
    assert browser.location == "/pool/sign-in/code", browser.words()
    sent = all_sent(site)
    assert len(sent) == before + 1
    browser.post("/pool/sign-in/code", {"code": sent[-1][1], "name": name})
    return browser


def traveller(site: Site, who: str = "T1") -> Browser:
    """A traveller of the small alliance, signed in."""
    browser = sign_in(site, *PEOPLE[who])
    assert (browser.status, browser.location) == (302, "/pool"), browser.words()
    return browser
