"""Clients of the members of a test's alliance, as operations see them."""

from clearinghouse.domain.scopes import scopes_for
from clearinghouse.operations.party import Party
from tests.alliances import MiniAlliance


def party(alliance: MiniAlliance, system: str | None, hotels: list[str] | None = None) -> Party:
    """A client with every scope: of a system, for some of its hotels or all, or of the operator."""
    with alliance.database.office() as session:
        row = session.row("SELECT number FROM systems WHERE code = %s", [system])
        number = row[0] if row else None
        codes = hotels or []
        found = session.rows("SELECT number FROM hotels WHERE code = ANY (%s)", [codes])
        wanted = frozenset(hotel for (hotel,) in found)
        client = session.row(
            "INSERT INTO clients (client_id, system, name, scopes, hotels, created_at)"
            " VALUES (gen_random_uuid(), %s, 'test', '{}', %s, %s) RETURNING number",
            [number, None if hotels is None else list(wanted), alliance.clock()],
        )
    assert client is not None
    scopes = scopes_for(operator=number is None)
    return Party(client[0], number, None if hotels is None else wanted, scopes)
