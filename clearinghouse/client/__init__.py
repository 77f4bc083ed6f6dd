"""A client of the clearing house for a hotel's own systems: typed, and safe to repeat.

    from clearinghouse.client import Client, ClientSecret

    client = Client("https://clearing.example", ClientSecret(client_id, secret))
    card = client.cards.lookup("6277810000000013")

It stands on the standard library and urllib3 and imports nothing else of this repository: the folder can be
copied into another programme. ``docs/integrating.md`` shows it at work.
"""

from clearinghouse.client.batches import Line
from clearinghouse.client.client import Client
from clearinghouse.client.credentials import ClientSecret, PrivateKey, signer
from clearinghouse.client.problems import ClearinghouseProblem, FieldError, NoAnswer
from clearinghouse.client.retrying import Retry
from clearinghouse.client.signatures import SignatureInvalid, verify_webhook

__all__ = [
    "ClearinghouseProblem",
    "Client",
    "ClientSecret",
    "FieldError",
    "Line",
    "NoAnswer",
    "PrivateKey",
    "Retry",
    "SignatureInvalid",
    "signer",
    "verify_webhook",
]
