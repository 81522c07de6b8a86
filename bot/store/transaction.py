"""One transaction, and the tables as one sees them from inside it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.batches import Batches
from bot.store.bulk_runs import BulkRuns
from bot.store.changes import Changes
from bot.store.decisions import Decisions
from bot.store.events import Events
from bot.store.freezes import Freezes
from bot.store.list_rows import ListRows
from bot.store.locks import Locks
from bot.store.operations import Operations
from bot.store.orphans import Orphans
from bot.store.outbox import Outbox
from bot.store.pruning import Pruning
from bot.store.replicas import Replicas
from bot.store.reporter import Reporter
from bot.store.secrets import Secrets
from bot.store.sent_secrets import SentSecretTable
from bot.store.tasks import Tasks
from bot.store.templates import TemplateTable
from bot.store.value_exports import ValueExportTable
from bot.store.waiting import Waiting


class Transaction:
    """The tables, within one transaction: what is written through them becomes true together or not at all."""

    def __init__(self, connection: AsyncConnection, *, writing: bool = False) -> None:
        self.secrets = Secrets(connection)
        self.changes = Changes(connection, self.secrets)
        self.batches = Batches(connection, self.secrets)
        self.operations = Operations(connection)
        self.decisions = Decisions(connection)
        self.events = Events(connection, writing=writing)
        self.freezes = Freezes(connection)
        self.list_rows = ListRows(connection)
        self.value_exports = ValueExportTable(connection)
        self.locks = Locks(connection)
        self.orphans = Orphans(connection)
        self.outbox = Outbox(connection)
        self.reporter = Reporter(connection)
        self.replicas = Replicas(connection)
        self.runs = BulkRuns(connection)
        self.sent_secrets = SentSecretTable(connection)
        self.templates = TemplateTable(connection)
        self.waiting = Waiting(connection)
        self.tasks = Tasks(connection)
        self.pruning = Pruning(connection)
