"""One transaction, and the tables as one sees them from inside it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.batches import Batches
from bot.store.changes import Changes
from bot.store.decisions import Decisions
from bot.store.events import Events
from bot.store.freezes import Freezes
from bot.store.locks import Locks
from bot.store.operations import Operations
from bot.store.outbox import Outbox
from bot.store.runs import RunTables
from bot.store.work import Work


class Transaction:
    """The tables, within one transaction: what is written through them becomes true together or not at all."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.changes = Changes(connection)
        self.batches = Batches(connection)
        self.operations = Operations(connection)
        self.decisions = Decisions(connection)
        self.events = Events(connection)
        self.freezes = Freezes(connection)
        self.locks = Locks(connection)
        self.outbox = Outbox(connection)
        self.runs = RunTables(connection)
        self.work = Work(connection)
