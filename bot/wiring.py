"""The one place where Linesman is put together and run, from start to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog
from slack_bolt.async_app import AsyncApp

from bot.assembly import assembled
from bot.changes.model.encryption import Encryption
from bot.changes.outcome.poll_schedule import PollPace
from bot.clients import MACHINE, build_encryption, build_providers, slack_client
from bot.config import Settings
from bot.endpoints.connections import reserved
from bot.endpoints.metrics import leave, render
from bot.endpoints.readiness import Readiness
from bot.endpoints.server import SlackEndpoint, build_server, listening
from bot.machine import Machine
from bot.process import replica_name, short_pauses
from bot.providers.catalogue import Catalogue
from bot.providers.exchange import READY_WITHIN
from bot.slack.announcements import SlackAnnouncements
from bot.slack.app import build_app, identify
from bot.slack.click_runner import ClickRunner
from bot.slack.client import Client
from bot.slack.directory import SlackDirectory
from bot.slack.files import SlackFiles
from bot.slack.sockets import answered, connection
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.adapters.secret_book import SecretFingerprints
from bot.store.adapters.shared_rates import DatabaseRates
from bot.store.database import Database
from bot.store.maintenance.preparation import prepared
from bot.telemetry import tracing
from bot.workflow.alerts import KeyAlerts
from bot.workflow.approval.stages import review_all
from bot.workflow.background import Background
from bot.workflow.context import Context, Timing
from bot.workflow.control.retention import Retention
from bot.workflow.control.sweep import Sweep
from bot.workflow.emergency_brake import EmergencyBrake
from bot.workflow.execution.change_window import ask_again
from bot.workflow.health import TaskFailures
from bot.workflow.loops.worker import Worker
from bot.workflow.operator_refresh import OperatorRefresh

log = structlog.get_logger(__name__)

#: Connections in Socket Mode: Slack replaces each one every few hours, and with two there is never a gap (slack/API.md,
#: "Socket Mode").
SOCKETS = 2


@dataclass(frozen=True, kw_only=True)
class Running:
    """A running Linesman."""

    #: Port of the HTTP server.
    port: int
    worker: Worker
    #: Ends when the worker has stopped; raises the error that broke it.
    working: asyncio.Task[None]
    readiness: Readiness

    def retire(self) -> None:
        """Tell probes that it stops, and begin no new work; clicks are still accepted."""
        self.readiness.stops()
        self.worker.stop()


@asynccontextmanager
async def running(settings: Settings, *, replica: str = "", machine: Machine = MACHINE) -> AsyncIterator[Running]:
    """Run Linesman until the block ends. Parts opened here are closed in reverse order.

    ``replica`` is the name of this one, a new one by default. All parts get the time, chance and names only from
    ``machine``.
    """
    replica = replica or replica_name(machine.unique)
    async with AsyncExitStack() as stack:
        stack.enter_context(short_pauses())
        await stack.enter_async_context(tracing.exporting(settings.otlp_endpoint, replica))
        # First of all, long before listening: a port in use is reported before anything waits for Slack.
        place = stack.enter_context(reserved(settings.host, settings.port))
        url = settings.database_url.get_secret_value()
        database = await stack.enter_async_context(Database(url, wall=machine.clock, steady=machine.steady))
        readiness = Readiness()
        endpoint = None if settings.socket_mode else SlackEndpoint(_signing_secret(settings))
        # Before any waiting, and until almost the end: probes must be answered all the time.
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
        runs = partial(
            BulkRunRecords,
            database,
            clock=machine.clock,
            replica=replica,
            under_way=_under_way(settings),
            policies=settings.policies,
        )
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
        worker, services = assembled(context, client, clicks, bot=identity.user, name=replica)
        await Retention(context).schedule()
        await _under_this_policy(context)
        app = build_app(client, identity, services, signing_secret=_signing_secret(settings), steady=machine.steady)
        working = asyncio.create_task(worker.run())
        stack.push_async_callback(_stopped, worker, working)
        stack.push_async_callback(clicks.close)
        background = Background(context.task_failures, database.cancel)
        for work, step in (
            ("sweep", Sweep(context).sweep),
            ("home tabs", services.home_publisher.refresh),
            ("operators", OperatorRefresh(EmergencyBrake(context)).refresh),
            ("key alerts", KeyAlerts(context, SlackAnnouncements(client)).tell),
        ):
            await stack.enter_async_context(background.running(work, step))
        stack.push_async_callback(leave, context, replica)
        readiness.works(context, working, partial(render, context, app.acks, replica))
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


async def _under_this_policy(context: Context) -> None:
    """Have waiting work reviewed under the policy of this start, which may have changed."""
    await review_all(context)
    await ask_again(context)


def _under_way(settings: Settings) -> timedelta:
    """Return how long a request may be under way; steady clocks never differ by the spare seconds."""
    return timedelta(seconds=settings.provider_timeout + READY_WITHIN + 5)


def _signing_secret(settings: Settings) -> str:
    secret = settings.slack_signing_secret
    return secret.get_secret_value() if secret is not None else ""


async def _connect(settings: Settings, app: AsyncApp, stack: AsyncExitStack) -> Callable[[], Awaitable[bool]] | None:
    """Open the Socket Mode connections; return a check whether one of them is up. None without connections."""
    if not settings.socket_mode or settings.slack_app_token is None:
        return None
    token = settings.slack_app_token.get_secret_value()
    standing = [await stack.enter_async_context(connection(app, token)) for _ in range(SOCKETS)]

    async def reached() -> bool:
        return any([await stands() for stands in standing])

    return reached


async def _stopped(worker: Worker, working: asyncio.Task[None]) -> None:
    worker.stop()
    await asyncio.wait({working})
    if not working.cancelled() and (error := working.exception()) is not None:
        log.error("the worker broke", exc_info=error)
