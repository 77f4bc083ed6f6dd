"""Everybody's way through their pages, in both languages, on a desk and on a phone: nothing is at fault there."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.browser.looking import Eyes
from tests.browser.world import World
from tests.pages import is_download, make_of

EyesOf = Callable[[str, str], Eyes]
LOOKS = [(language, width) for width in ("desktop", "phone") for language in ("zh", "en")]
#: In these two looks, which share neither language nor width, every make of page is looked at; in the others the first.
WHOLE = {("zh", "phone"), ("en", "desktop")}
_FIRST = 12
each_look = pytest.mark.parametrize(("language", "width"), LOOKS)


def pages_of(eyes: Eyes, door: str, most: int = 1_000) -> Iterator[tuple[str, str]]:
    """Go through one page of every make behind a door, whoever is signed in; yield its make and its address."""
    known: set[str] = set()
    waiting = [door]
    while waiting and len(known) < most:
        path = waiting.pop(0)
        kind = make_of(path)
        if kind in known or not path.startswith(door) or is_download(path):
            continue
        known.add(kind)
        eyes.go(path)
        yield kind, path
        waiting += eyes.links()


def sign_in(eyes: Eyes, alliance: World, door: str, login: str) -> None:
    eyes.go(door)
    eyes.fill(login=login, password=alliance.staff(login).password)
    eyes.press()
    eyes.fill(code=alliance.code_of(login))
    eyes.press()


def sign_in_traveller(eyes: Eyes, alliance: World) -> None:
    eyes.go("/pool")
    eyes.fill(to=alliance.sign_ins.traveller_phone)
    before, latest = len(alliance.codes), time.monotonic() + 20
    eyes.press()
    # It is sent behind the answer.
    while len(alliance.codes) == before and time.monotonic() < latest:
        time.sleep(0.05)
    eyes.fill(code=alliance.codes[-1][1], name=alliance.sign_ins.traveller_name)
    eyes.press()


@each_look
def test_the_door(eyes_of: EyesOf, language: str, width: str) -> None:
    eyes = eyes_of(language, width)
    eyes.go("/")
    eyes.go("/console/no-such-page")
    eyes.close()


@each_look
def test_a_finance_director(alliance: World, eyes_of: EyesOf, language: str, width: str) -> None:
    eyes = eyes_of(language, width)
    sign_in(eyes, alliance, "/console", "finance@SPRUCE")
    whole = (language, width) in WHOLE
    found = {kind for kind, _ in pages_of(eyes, "/console", 1_000 if whole else _FIRST)}
    assert {"/console/statements", "/console/payments", "/console/disputes"} <= found
    assert len(found) > (10 if whole else 8), found
    eyes.close()


@each_look
def test_a_traveller(alliance: World, eyes_of: EyesOf, language: str, width: str) -> None:
    eyes = eyes_of(language, width)
    sign_in_traveller(eyes, alliance)
    whole = (language, width) in WHOLE
    found = {kind for kind, _ in pages_of(eyes, "/pool", 1_000 if whole else _FIRST)}
    assert {"/pool/history", "/pool/code"} <= found
    assert len(found) > (8 if whole else 6), found
    eyes.close()


@each_look
def test_the_operator(alliance: World, eyes_of: EyesOf, language: str, width: str) -> None:
    eyes = eyes_of(language, width)
    sign_in(eyes, alliance, "/desk", "checker")
    whole = (language, width) in WHOLE
    found = {kind for kind, _ in pages_of(eyes, "/desk", 1_000 if whole else _FIRST)}
    assert {"/desk/periods", "/desk/members", "/desk/payments", "/desk/disputes"} <= found
    assert len(found) > (20 if whole else 8), found
    eyes.close()
