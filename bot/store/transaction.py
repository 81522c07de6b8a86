"""One transaction, and the tables as seen from inside it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.queue.deliveries import Deliveries
from bot.store.queue.orphans import Orphans
from bot.store.queue.outbox import Outbox
from bot.store.queue.replicas import Replicas, Reporter
from bot.store.queue.tasks import Tasks
from bot.store.queue.waiting import Waiting
from bot.store.records.batches import Batches
from bot.store.records.bulk_runs import BulkRuns
from bot.store.records.changes import Changes
from bot.store.records.decisions import Decisions
from bot.store.records.delegations import Delegations
from bot.store.records.events import Events
from bot.store.records.job_slots import JobSlots
from bot.store.records.list_rows import ListRows
from bot.store.records.locks import Freezes, Locks
from bot.store.records.operations import Operations
from bot.store.records.pruning import Pruning
from bot.store.records.read_backs import ReadBacks
from bot.store.records.revisions import Revisions
from bot.store.records.secrets import Secrets, SentSecretTable
from bot.store.records.tallies import Tallies
from bot.store.records.templates import TemplateTable
from bot.store.records.value_exports import ValueExportTable


class Transaction:
    """The tables, within one transaction: its writes take effect together or not at all."""

    def __init__(self, connection: AsyncConnection, *, writing: bool = False) -> None:
        self.secrets = Secrets(connection)
        self.changes = Changes(connection, self.secrets)
        self.batches = Batches(connection, self.secrets)
        self.job_slots = JobSlots(connection)
        self.operations = Operations(connection)
        self.read_backs = ReadBacks(connection)
        self.tallies = Tallies(connection)
        self.decisions = Decisions(connection)
        self.delegations = Delegations(connection)
        self.events = Events(connection, writing=writing)
        self.freezes = Freezes(connection)
        self.list_rows = ListRows(connection)
        self.value_exports = ValueExportTable(connection)
        self.locks = Locks(connection)
        self.orphans = Orphans(connection)
        self.outbox = Outbox(connection)
        self.deliveries = Deliveries(connection)
        self.reporter = Reporter(connection)
        self.replicas = Replicas(connection)
        self.runs = BulkRuns(connection)
        self.sent_secrets = SentSecretTable(connection)
        self.templates = TemplateTable(connection)
        self.waiting = Waiting(connection)
        self.tasks = Tasks(connection)
        self.pruning = Pruning(connection)
        self._connection = connection

    @property
    def revisions(self) -> Revisions:
        """The code that replaces plans, which few transactions need."""
        return Revisions(self._connection)
