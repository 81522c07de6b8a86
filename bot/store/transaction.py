"""One transaction, and the tables as one sees them from inside it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.batches import Batches
from bot.store.brake import Brake
from bot.store.changes import Changes
from bot.store.decisions import Decisions
from bot.store.events import Events
from bot.store.freezes import Freezes
from bot.store.glances import Glances
from bot.store.inquiries import Inquiries
from bot.store.locks import Locks
from bot.store.operations import Operations
from bot.store.outbox import Outbox
from bot.store.pruning import Pruning
from bot.store.runs import RunTables
from bot.store.secrets import Secrets
from bot.store.sent_secrets import SentSecrets
from bot.store.templates import Templates
from bot.store.waiting import Waiting
from bot.store.work import Work


class Transaction:
    """The tables, within one transaction: what is written through them becomes true together or not at all."""

    def __init__(self, connection: AsyncConnection, *, writing: bool = False) -> None:
        self.secrets = Secrets(connection)
        self.brake = Brake(connection)
        self.changes = Changes(connection, self.secrets)
        self.batches = Batches(connection, self.secrets)
        self.operations = Operations(connection)
        self.decisions = Decisions(connection)
        self.events = Events(connection, writing=writing)
        self.freezes = Freezes(connection)
        self.glances = Glances(connection)
        self.inquiries = Inquiries(connection)
        self.locks = Locks(connection)
        self.outbox = Outbox(connection)
        self.runs = RunTables(connection)
        self.sent_secrets = SentSecrets(connection)
        self.templates = Templates(connection)
        self.waiting = Waiting(connection)
        self.work = Work(connection)
        self.pruning = Pruning(connection)
