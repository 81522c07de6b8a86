"""The one place where parts are put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from slack_bolt.async_app import AsyncApp

from bot.changes.model.encryption import Encryption
from bot.changes.outcome.poll_schedule import PollPace
from bot.config import Settings
from bot.endpoints.connections import reserved
from bot.endpoints.metrics import leave, render
from bot.endpoints.readiness import Readiness
from bot.endpoints.server import SlackEndpoint, build_server, listening
from bot.machine import Machine
from bot.process import replica_name, short_pauses
from bot.providers.base import Provider
from bot.providers.catalogue import Catalogue
from bot.providers.close.provider import OFFER as CLOSE
from bot.providers.http import READY_WITHIN, Bounds
from bot.providers.masking import SentSecrets
from bot.providers.offers import ProviderParts
from bot.providers.runs import Runs
from bot.providers.shared_rates import SharedRates
from bot.providers.telnyx.provider import OFFER as TELNYX
from bot.slack.announcements import SlackAnnouncements
from bot.slack.app import build_app, identify
from bot.slack.click_runner import ClickRunner
from bot.slack.client import Client
from bot.slack.direct_messages import SlackDirectMessages
from bot.slack.directory import SlackDirectory
from bot.slack.files import SlackFiles
from bot.slack.home_publisher import HomePublisher, kept_fresh
from bot.slack.messenger import SlackMessenger
from bot.slack.modals import Modals
from bot.slack.permalinks import Permalinks
from bot.slack.services import Services
from bot.slack.sockets import answered, connection
from bot.slack.web_api import session
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.adapters.secret_book import SecretFingerprints
from bot.store.adapters.shared_rates import DatabaseRates
from bot.store.database import Database
from bot.store.maintenance.preparation import prepared
from bot.store.queue.tasks import handlers_of
from bot.telemetry import tracing
from bot.workflow.alerts import KeyAlerts, keys_watched
from bot.workflow.approval.approvals import Approvals
from bot.workflow.approval.asking import ApprovalRequests
from bot.workflow.approval.delegation_notices import DelegationNotices
from bot.workflow.approval.delegations import DelegationControl
from bot.workflow.approval.expiry import RequestExpiry
from bot.workflow.approval.extensions import Extensions
from bot.workflow.approval.reminders import Reminders
from bot.workflow.approval.rights import ApprovalRights
from bot.workflow.approval.stages import StageChanges, review_all
from bot.workflow.approval.undecided import UndecidedRequests
from bot.workflow.approval_validity import ApprovalValidity
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context, Timing
from bot.workflow.control.cancellation import Cancellation
from bot.workflow.control.escalation import Escalation
from bot.workflow.control.freezes import FreezeControl
from bot.workflow.control.locks import LockControl
from bot.workflow.control.resolution import Resolution
from bot.workflow.control.retention import Retention
from bot.workflow.control.sweep import Sweep, swept
from bot.workflow.delivery import MessageDelivery
from bot.workflow.execution.completion import Completion
from bot.workflow.execution.ending import ChangeEnd
from bot.workflow.execution.polling import Polling
from bot.workflow.execution.reconciliation import Reconciliation
from bot.workflow.execution.rollout import RolloutControl
from bot.workflow.execution.staleness import Staleness
from bot.workflow.execution.start import ChangeStart
from bot.workflow.execution.submission import Submission
from bot.workflow.execution.verification import Verification
from bot.workflow.execution.wave_start import WaveStart
from bot.workflow.health import TaskFailures
from bot.workflow.notifications import Notifications
from bot.workflow.operator_refresh import operators_remembered
from bot.workflow.planning.choices import Choices
from bot.workflow.planning.follow_ups import FollowUps
from bot.workflow.planning.planner import Planner
from bot.workflow.planning.requests import Requests
from bot.workflow.planning.restoring import RestorePlanning
from bot.workflow.planning.templates import Templates
from bot.workflow.planning.uploads import SheetUploads
from bot.workflow.queries.audit_export import AuditExport
from bot.workflow.queries.change_details import ChangeDetailsReader
from bot.workflow.queries.home import HomeTab
from bot.workflow.queries.lists import ChangeLists
from bot.workflow.queries.number_lookup import NumberLookup
from bot.workflow.queries.results import ResultsExport
from bot.workflow.queries.value_export import ValueExports
from bot.workflow.traces import Traces
from bot.workflow.worker import Worker

log = structlog.get_logger(__name__)

#: Every provider of this version, in the order in which people see them. A new provider is one more entry.
OFFERS: Final = (TELNYX, CLOSE)
#: Connections in Socket Mode: Slack replaces each every few hours, and with two there is never a gap
#: (slack/API.md, "Socket Mode").
SOCKETS = 2
#: This machine.
MACHINE: Final = Machine()


@dataclass(frozen=True, kw_only=True)
class Running:
    """A Linesman at work."""

    #: Port of the HTTP server.
    port: int
    worker: Worker
    #: Ends when the worker has stopped; raises what broke it.
    working: asyncio.Task[None]
    readiness: Readiness

    def retire(self) -> None:
        """Let probes hear that it stops, and begin no new work; clicks are still taken."""
        self.readiness.stops()
        self.worker.stop()


def build_providers(
    settings: Settings,
    encryption: Encryption | None,
    *,
    runs: Callable[[str], Runs] | None = None,
    sent_secrets: SentSecrets | None = None,
    rates: SharedRates | None = None,
    patience: float = 120.0,
    machine: Machine = MACHINE,
) -> Sequence[Provider]:
    """Return the providers that are switched on.

    ``runs`` gives a provider, by its name, the place where it writes down what it carries out itself; without it such
    a provider can only look. ``sent_secrets`` remembers what was sent in secret, and ``rates`` how much of their
    allowance replicas have used up together. ``patience`` is for how many seconds a read is repeated before the
    provider counts as unavailable. ``machine`` tells our time of day, which is compared with the
    providers' to tell a difference.
    """
    bounds = Bounds(timeout=settings.provider_timeout, deadline=patience)
    parts = ProviderParts(
        encryption=encryption,
        bounds=bounds,
        runs=runs,
        sent_secrets=sent_secrets,
        rates=rates,
        machine=machine,
    )
    return [provider for offer in OFFERS if (provider := offer.open(settings, parts)) is not None]


def known_kinds() -> Mapping[str, Collection[str]]:
    """Return every kind of this version, switched on or not, with its settings: what a policy file may name."""
    return {kind.name: tuple(kind.by_name) for offer in OFFERS for kind in offer.kinds}


def build_encryption(settings: Settings) -> Encryption | None:
    """Return what seals secrets; None when there is no key."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    return Encryption(keys) if keys else None


def slack_client(
    settings: Settings, stack: AsyncExitStack, *, machine: Machine = MACHINE, rates: DatabaseRates | None = None
) -> Client:
    """Return the Web API client; its connections are closed with ``stack``."""
    http = session()
    stack.push_async_callback(http.close)
    token, steady = settings.slack_bot_token.get_secret_value(), machine.steady
    return Client(token, settings.slack_api_url, http, clock=machine.clock, steady=steady, rates=rates)


@asynccontextmanager
async def running(settings: Settings, *, replica: str = "", machine: Machine = MACHINE) -> AsyncIterator[Running]:
    """Run Linesman until the block ends. What is opened here is closed in the opposite order.

    ``replica`` is the name of this one, a new one when it has none yet. No part asks for the time, for chance or for a
    name but what ``machine`` gives.
    """
    replica = replica or replica_name(machine.unique)
    async with AsyncExitStack() as stack:
        stack.enter_context(short_pauses())
        await stack.enter_async_context(tracing.exporting(settings.otlp_endpoint, replica))
        # First of all, and long before it listens: somebody else's port is told before anything waits for Slack.
        place = stack.enter_context(reserved(settings.host, settings.port))
        url = settings.database_url.get_secret_value()
        database = await stack.enter_async_context(Database(url, wall=machine.clock, steady=machine.steady))
        readiness = Readiness()
        endpoint = None if settings.socket_mode else SlackEndpoint(_signing_secret(settings))
        # Before anything is waited for, and until almost the end: probes have to be answered all the while.
        server = build_server(endpoint, readiness)
        port = await stack.enter_async_context(listening(server, place))
        readiness.waits_for("the database")
        before, after = await prepared(database)
        database.fence(after)
        log.info("database ready", revision=after, before=before)
        machine = replace(machine, clock=database.clock)
        rates = DatabaseRates(database, machine.chance) if database.shared else None
        client = slack_client(settings, stack, machine=machine, rates=rates)
        encryption = build_encryption(settings)
        runs = partial(BulkRunRecords, database, clock=machine.clock, replica=replica, under_way=_under_way(settings))
        book = SecretFingerprints(database, clock=machine.clock)
        catalogue = Catalogue(
            build_providers(settings, encryption, runs=runs, sent_secrets=book, rates=rates, machine=machine)
        )
        for provider in catalogue.providers:
            stack.push_async_callback(provider.aclose)
        readiness.waits_for("Slack")
        identity = await answered(lambda: identify(client))
        context = _context(
            settings,
            database=database,
            catalogue=catalogue,
            directory=SlackDirectory(client, identity.team, now=machine.steady),
            files=SlackFiles(client),
            slack=client,
            encryption=encryption,
            machine=machine,
        )
        clicks = ClickRunner(database.cancel)
        worker, services = _assemble(context, client, clicks, bot=identity.user, name=replica)
        await Retention(context).schedule()
        await review_all(context)
        app = build_app(client, identity, services, signing_secret=_signing_secret(settings), steady=machine.steady)
        working = asyncio.create_task(worker.run())
        stack.push_async_callback(_stopped, worker, working)
        stack.push_async_callback(clicks.close)
        await stack.enter_async_context(swept(Sweep(context), database.cancel))
        await stack.enter_async_context(kept_fresh(services.home_publisher, database.cancel))
        await stack.enter_async_context(operators_remembered(services.authorization, database.cancel))
        key_alerts = KeyAlerts(context, SlackAnnouncements(client))
        await stack.enter_async_context(keys_watched(key_alerts, database.cancel))
        stack.push_async_callback(leave, context, replica)
        readiness.works(context, working, lambda: render(context, app.acks, replica))
        sockets = await _connect(settings, app, stack)
        if endpoint is not None:
            endpoint.open(app)
            stack.callback(endpoint.close)
        stack.callback(readiness.stops)
        readiness.started(sockets)
        log.info("ready", workspace=identity.workspace, kinds=[kind.name for kind in catalogue.kinds])
        yield Running(port=port, worker=worker, working=working, readiness=readiness)


def _context(
    settings: Settings,
    *,
    database: Database,
    catalogue: Catalogue,
    directory: SlackDirectory,
    files: SlackFiles,
    slack: Client,
    encryption: Encryption | None,
    machine: Machine,
) -> Context:
    pace = PollPace(least=timedelta(seconds=settings.poll_min), most=timedelta(seconds=settings.poll_max))
    return Context(
        database=database,
        catalogue=catalogue,
        directory=directory,
        files=files,
        slack=slack,
        policies=settings.policies,
        timing=Timing(
            poll=pace,
            card=timedelta(seconds=settings.card_seconds),
            reconcile=timedelta(seconds=settings.reconcile_seconds),
            stuck=timedelta(seconds=settings.stuck_after),
            under_way=_under_way(settings),
        ),
        clock=machine.clock,
        steady=machine.steady,
        chance=machine.chance,
        task_failures=TaskFailures(machine.steady),
        slack_clock=slack.clock,
        encryption=encryption,
        retention=timedelta(days=settings.retention_days) if settings.retention_days else None,
    )


def _under_way(settings: Settings) -> timedelta:
    """Return for how long a request may be under way; clocks that count steadily do not differ by the spare seconds."""
    return timedelta(seconds=settings.provider_timeout + READY_WITHIN + 5)


def _assemble(context: Context, client: Client, clicks: ClickRunner, *, bot: str, name: str) -> tuple[Worker, Services]:
    notify = Notifications(context)
    authorization, requests = Authorization(context), Requests(context)
    change_lists = ChangeLists(context, authorization)
    sheets, follow_ups = SheetUploads(context, requests), FollowUps(context, authorization)
    change_details = ChangeDetailsReader(context, authorization, sheets)
    planner = Planner(
        context,
        authorization,
        notify,
        requests,
        sheets=sheets,
        follow_ups=follow_ups,
        restoration=RestorePlanning(context, notify),
    )
    approval_validity = ApprovalValidity(context, authorization)
    approval_requests = ApprovalRequests(context, authorization, notify)
    stage_changes = StageChanges(context, authorization, notify)
    approval_rights = ApprovalRights(context, authorization)
    approvals = Approvals(
        context, authorization, notify, approval_validity, stage_changes, approval_rights=approval_rights
    )
    undecided = UndecidedRequests(context, authorization, approval_rights)
    staleness = Staleness(context, notify)
    rollout = RolloutControl(context, authorization, notify)
    change_end = ChangeEnd(context, authorization, notify)
    cancellation = Cancellation(context, authorization, notify)
    direct_messages = SlackDirectMessages(client, bot)
    messenger = SlackMessenger(client, direct_messages)
    delivery = MessageDelivery(context, change_details, messenger, notify, name)
    value_exports = ValueExports(context, authorization, direct_messages)
    handlers = handlers_of(
        planner,
        requests,
        Reminders(context, authorization, notify),
        stage_changes,
        RequestExpiry(context, notify),
        approvals,
        ChangeStart(
            context,
            authorization,
            notify,
            staleness,
            rollout=rollout,
            wave_start=WaveStart(context, authorization, notify, staleness, approval_validity),
            change_end=change_end,
            approval_validity=approval_validity,
        ),
        Submission(context, notify, staleness),
        Reconciliation(context, notify),
        Polling(context, notify),
        Verification(context, notify),
        Completion(context, notify, rollout, change_end),
        change_end,
        Escalation(context, notify),
        Retention(context),
        value_exports,
        DelegationNotices(context, notify, direct_messages, undecided),
    )
    home_tab = HomeTab(context, authorization, change_details, change_lists, undecided)
    services = Services(
        client=client,
        clicks=clicks,
        modals=Modals(client),
        choices=Choices(context, authorization),
        requests=requests,
        follow_ups=follow_ups,
        approval_requests=approval_requests,
        approvals=approvals,
        delegation_control=DelegationControl(context, authorization, notify, stage_changes),
        extensions=Extensions(context, authorization, approval_requests),
        cancellation=cancellation,
        freeze_control=FreezeControl(context, authorization, notify),
        lock_control=LockControl(context, authorization, notify, cancellation),
        audit_export=AuditExport(context, authorization),
        resolution=Resolution(context, authorization, notify),
        rollout=rollout,
        change_end=change_end,
        authorization=authorization,
        change_details=change_details,
        results_export=ResultsExport(context, authorization, notify),
        change_lists=change_lists,
        number_lookup=NumberLookup(context, authorization),
        templates=Templates(context, authorization),
        home_publisher=HomePublisher(client, home_tab, context.home_wakeup, context.clock),
        permalinks=Permalinks(client),
        value_exports=value_exports,
        direct_messages=direct_messages,
    )
    traces = Traces(context)
    worker = Worker(context, traces.tasks(handlers), traces.messages(delivery.deliver), name=name)
    return worker, services


def _signing_secret(settings: Settings) -> str:
    secret = settings.slack_signing_secret
    return secret.get_secret_value() if secret is not None else ""


async def _connect(settings: Settings, app: AsyncApp, stack: AsyncExitStack) -> Callable[[], Awaitable[bool]] | None:
    """Open the Socket Mode connections; return what tells whether one of them stands. None when there are none."""
    if not settings.socket_mode or settings.slack_app_token is None:
        return None
    token, url = settings.slack_app_token.get_secret_value(), settings.slack_api_url
    standing = [await stack.enter_async_context(connection(app, token, url)) for _ in range(SOCKETS)]

    async def reached() -> bool:
        return any([await stands() for stands in standing])

    return reached


async def _stopped(worker: Worker, working: asyncio.Task[None]) -> None:
    worker.stop()
    await asyncio.wait({working})
    if not working.cancelled() and (error := working.exception()) is not None:
        log.error("the worker broke", exc_info=error)
