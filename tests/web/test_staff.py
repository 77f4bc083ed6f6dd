"""What the decorators of staff pages let in, and what operations are told of who asks."""

from flask import Blueprint

from tests.web.site import Site
from web.frame.staff import Role, authority, console_page, desk_page, party, the_staff


def with_rooms(site: Site) -> Site:
    rooms = Blueprint("rooms", __name__)

    @rooms.get("/console/room")
    @console_page()
    def room() -> str:
        asks = party()
        return f"{the_staff().login} {asks.system} {asks.user} {'disputes:write' in asks.scopes}"

    @rooms.route("/console/till", methods=["GET", "POST"])
    @console_page(Role.FINANCE, Role.ADMIN)
    def till() -> str:
        return "till"

    @rooms.get("/desk/room")
    @desk_page()
    def desk() -> str:
        return authority("why").actor

    site.app.register_blueprint(rooms)
    return site


def test_a_user_of_a_system_opens_its_pages(site: Site) -> None:
    browser = with_rooms(site).staff("BAM", Role.VIEWER, "looker")
    assert browser.get("/console/room").status == 200
    assert browser.text == f"looker@BAM 2 {browser.user} False"
    assert site.staff("BAM", Role.FINANCE).get("/console/room").text.endswith("True")


def test_a_role_that_is_not_enough_is_told_so(site: Site) -> None:
    with_rooms(site)
    assert site.staff("BAM", Role.VIEWER).get("/console/till").status == 403
    assert site.staff("BAM", Role.ADMIN).get("/console/till").text == "till"


def test_strangers_are_sent_to_sign_in_and_come_back(site: Site) -> None:
    stranger = with_rooms(site).stranger()
    assert stranger.get("/console/room?a=1").location == "/console/sign-in?next=/console/room?a%3D1"
    assert stranger.get("/desk/room").location == "/desk/sign-in?next=/desk/room"
    assert stranger.post("/console/till").location == "/console/sign-in"


def test_a_systems_user_has_no_desk_and_the_operators_no_console(site: Site) -> None:
    member, operator = with_rooms(site).staff("AUR", Role.ADMIN), site.staff(None, Role.ADMIN)
    assert member.get("/desk/room").status == 302
    assert operator.get("/console/room").status == 302
    assert operator.get("/desk/room").text == operator.login
