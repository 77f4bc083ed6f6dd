"""A world and a browser for all journeys; without chromium they say so and are skipped."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser.looking import CHROMIUM, Eyes, chromium
from tests.browser.world import World, world
from tests.conftest import Server


@pytest.fixture(scope="package")
def alliance(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The sample alliance on the tests' server."""
    name = server.new_database()
    with world(server.url(name), tmp_path_factory.mktemp("world")) as made:
        yield made
    server.drop(name)


@pytest.fixture(scope="package")
def eyes_of(alliance: World) -> Iterator[Callable[[str, str], Eyes]]:
    """Opens a browser in a language and of a width."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed; `make tools` installs it where that is possible")
    with chromium() as browser:
        yield lambda language, width: Eyes.open(browser, alliance.url, language, width)
