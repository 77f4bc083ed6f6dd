"""Every page of money at the desk opens, for those who look and those who act, and for nobody else."""

import pytest

from tests.web.site import Site
from web.frame.staff import Role

PAGES = (
    "/desk/payments/",
    "/desk/payments/?met=all&direction=in&period=2026-10",
    "/desk/payments/members/AUR",
    "/desk/payments/dunning",
    "/desk/payments/lines",
    "/desk/payments/lines?stage=all",
    "/desk/payments/lines?finding=unknown",
    "/desk/payments/files",
    "/desk/disputes/",
    "/desk/disputes/?state=all",
    "/desk/disputes/?state=upheld",
    "/desk/disputes/proposals",
    "/desk/disputes/corrections",
    "/desk/disputes/corrections?period=2026-10",
    "/desk/risk/",
    "/desk/risk/collateral/AUR",
    "/desk/risk/fund",
    "/desk/risk/fund/2026-10",
    "/desk/risk/defaults/AUR/2026-10",
    "/desk/risk/recoveries/AUR/2026-10",
    "/desk/risk/proposals/",
)
MISSING = (
    "/desk/payments/members/XXX",
    "/desk/payments/lines/1",
    "/desk/payments/lines/99999999999999999999999",
    "/desk/payments/files/1",
    "/desk/payments/files/99999999999999999999999",
    "/desk/disputes/dsp_1",
    f"/desk/disputes/dsp_{'0' * 32}",
    f"/desk/disputes/dsp_{'0' * 32}/evidence/evi_{'0' * 32}",
    "/desk/risk/collateral/XXX",
    "/desk/risk/fund/2026-13",
    "/desk/risk/defaults/AUR/november",
    "/desk/risk/proposals/1",
)


def test_pages_open_in_both_languages(site: Site) -> None:
    for role in (Role.VIEWER, Role.FINANCE):
        browser = site.staff(None, role)
        for path in PAGES:
            assert browser.get(path).status == 200, (path, browser.text[:2000])
            assert len(browser.page.xpath("//h1")) == 1, path
            assert len(browser.text.encode()) < 150_000, path
            if role is Role.VIEWER:
                assert browser.page.xpath("//main//form[@method='post']") == [], path
    for path in PAGES:
        assert browser.get(path, accept_language="en").status == 200, path


def test_what_is_not_there_is_not_found(site: Site) -> None:
    browser = site.staff(None, Role.ADMIN)
    for path in MISSING:
        assert browser.get(path).status == 404, path


@pytest.mark.parametrize("after", ["x", "W10", "WyJhIl0", "bnVsbA"])
def test_places_that_are_none_of_ours_are_refused(site: Site, after: str) -> None:
    browser = site.staff(None, Role.VIEWER)
    for path in (
        "/desk/payments/?",
        "/desk/payments/lines?",
        "/desk/payments/files?",
        "/desk/disputes/?",
        "/desk/disputes/?state=all&",
    ):
        assert browser.get(f"{path}after={after}").status == 400, path


def test_a_members_people_and_strangers_see_nothing(site: Site) -> None:
    for browser in (site.stranger(), site.staff("AUR", Role.ADMIN)):
        for path in PAGES:
            assert browser.get(path).status == 302, path
            assert browser.location.startswith("/desk/sign-in"), path
