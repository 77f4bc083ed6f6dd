"""A client of the clearing house for a hotel's own systems: typed, and safe to repeat.

    from clearinghouse.client import Client, ClientSecret

    client = Client("https://clearing.example", ClientSecret(client_id, secret))
    card = client.cards.lookup("6277810000000013")

It stands on the standard library and urllib3, and imports nothing else of this repository. ``docs/integrating.md``
shows it at work.
"""

from clearinghouse.client.authorizations import Authorization
from clearinghouse.client.batches import Batch, Line, LineResult
from clearinghouse.client.card_codes import PrintedCard, verify_card
from clearinghouse.client.cards import Balance, Card, Treatment
from clearinghouse.client.client import Client
from clearinghouse.client.credentials import ClientSecret, PrivateKey, signer
from clearinghouse.client.disputes import Dispute, Evidence
from clearinghouse.client.enrolments import Enrolled, Enrolment
from clearinghouse.client.events import Event
from clearinghouse.client.hotels import Hotel
from clearinghouse.client.periods import Period
from clearinghouse.client.problems import ClearinghouseProblem, FieldError, NoAnswer
from clearinghouse.client.retrying import Retry
from clearinghouse.client.signatures import SignatureInvalid, verify_webhook
from clearinghouse.client.statements import SignedFile, verify_statement
from clearinghouse.client.transactions import Leg, Lot, Transaction
from clearinghouse.client.values import Money, Sentence
from clearinghouse.client.webhooks import Delivery, Webhook

__all__ = [
    "Authorization",
    "Balance",
    "Batch",
    "Card",
    "ClearinghouseProblem",
    "Client",
    "ClientSecret",
    "Delivery",
    "Dispute",
    "Enrolled",
    "Enrolment",
    "Event",
    "Evidence",
    "FieldError",
    "Hotel",
    "Leg",
    "Line",
    "LineResult",
    "Lot",
    "Money",
    "NoAnswer",
    "Period",
    "PrintedCard",
    "PrivateKey",
    "Retry",
    "Sentence",
    "SignatureInvalid",
    "SignedFile",
    "Transaction",
    "Treatment",
    "Webhook",
    "signer",
    "verify_card",
    "verify_statement",
    "verify_webhook",
]
