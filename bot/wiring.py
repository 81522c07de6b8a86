"""The one place where parts are put together."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from slack_bolt.async_app import AsyncApp

from bot.changes.pacing import PollPace
from bot.changes.vault import Vault
from bot.config import Settings
from bot.connections import reserved
from bot.metrics import render
from bot.providers.base import Provider
from bot.providers.catalogue import Catalogue
from bot.providers.close.offer import OFFER as CLOSE
from bot.providers.http import Bounds
from bot.providers.masking import SentSecrets
from bot.providers.offers import Parts
from bot.providers.runs import Runs
from bot.providers.telnyx.offer import OFFER as TELNYX
from bot.runtime import short_pauses
from bot.server import Slack, build_server, listening
from bot.slack.app import build_app, identify
from bot.slack.calls import session
from bot.slack.client import Client
from bot.slack.desk import Desk
from bot.slack.directory import SlackDirectory
from bot.slack.files import SlackFiles
from bot.slack.front import Front
from bot.slack.homes import Homes, kept_fresh
from bot.slack.links import Links
from bot.slack.mail import SlackMail
from bot.slack.messenger import SlackMessenger
from bot.slack.modals import Modals
from bot.slack.sockets import answered, connection
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.run_book import RunBook
from bot.store.secret_book import SecretBook
from bot.store.work import Task
from bot.workflow.announcements import Announcements
from bot.workflow.answering import Answering
from bot.workflow.approval import Approval
from bot.workflow.attending import Attending
from bot.workflow.authority import Authority
from bot.workflow.bases import Bases
from bot.workflow.cancelling import Cancelling
from bot.workflow.choices import Choices
from bot.workflow.concluding import Concluding
from bot.workflow.context import Context, Timing
from bot.workflow.delivery import Delivery
from bot.workflow.exporting import Exporting
from bot.workflow.finding import Finding
from bot.workflow.freezing import Freezing
from bot.workflow.inquiring import Inquiries
from bot.workflow.lapsing import Lapsing
from bot.workflow.listing import Listings
from bot.workflow.overview import Overview
from bot.workflow.planning import Planning
from bot.workflow.polling import Polling
from bot.workflow.ports import Clock
from bot.workflow.proposing import Proposals
from bot.workflow.remembering import operators_remembered
from bot.workflow.reminding import Reminding
from bot.workflow.reporting import Reporting
from bot.workflow.retaining import Retaining
from bot.workflow.searching import Searching
from bot.workflow.sheets import Sheets
from bot.workflow.staleness import Staleness
from bot.workflow.starting import Starting
from bot.workflow.stories import Stories
from bot.workflow.submission import Submission
from bot.workflow.templates import Templates
from bot.workflow.trying import Trying
from bot.workflow.unlocking import Unlocking
from bot.workflow.verifying import Verifying
from bot.workflow.worker import Worker

log = structlog.get_logger(__name__)

#: Every provider of this version, in the order in which people see them. A new provider is one more entry.
OFFERS: Final = (TELNYX, CLOSE)
#: Connections in Socket Mode: Slack replaces each every few hours, and with two there is never a gap
#: (slack/API.md, "Socket Mode").
SOCKETS = 2


@dataclass(frozen=True, kw_only=True)
class Running:
    """A Linesman at work."""

    #: Port of the HTTP server.
    port: int
    worker: Worker
    #: Ends when the worker has stopped; raises what broke it.
    working: asyncio.Task[None]


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def build_providers(
    settings: Settings,
    vault: Vault | None,
    *,
    runs: Callable[[str], Runs] | None = None,
    sent_secrets: SentSecrets | None = None,
    patience: float = 120.0,
    clock: Clock = utc_now,
) -> Sequence[Provider]:
    """Return the providers that are switched on.

    ``runs`` gives a provider, by its name, the place where it writes down what it carries out itself; without it such
    a provider can only look. ``sent_secrets`` remembers what was sent in secret. ``patience`` is for how many seconds
    a read is repeated before the provider counts as unavailable. ``clock`` is our time of day, which is compared with
    the providers' to tell a difference.
    """
    bounds = Bounds(timeout=settings.provider_timeout, deadline=patience)
    parts = Parts(vault=vault, bounds=bounds, runs=runs, sent_secrets=sent_secrets, wall=lambda: clock().timestamp())
    return [provider for offer in OFFERS if (provider := offer.open(settings, parts)) is not None]


def known_kinds() -> Mapping[str, Collection[str]]:
    """Return every kind of this version, switched on or not, with its settings: what a policy file may name."""
    return {kind.name: tuple(kind.by_name) for offer in OFFERS for kind in offer.kinds}


def build_vault(settings: Settings) -> Vault | None:
    """Return what seals secrets; None when there is no key."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    return Vault(keys) if keys else None


def slack_client(settings: Settings, stack: AsyncExitStack, *, clock: Clock = utc_now) -> Client:
    """Return the Web API client; its connections are closed with ``stack``."""
    http = session()
    stack.push_async_callback(http.close)
    return Client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, http, clock=clock)


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Clock = utc_now, steady: Callable[[], float] = time.monotonic
) -> AsyncIterator[Running]:
    """Run Linesman until the block ends. What is opened here is closed in the opposite order.

    ``steady`` counts the seconds of ``clock`` and is never set.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(short_pauses())
        # First of all, and long before it listens: somebody else's port is told before anything waits for Slack.
        place = stack.enter_context(reserved(settings.host, settings.port))
        database = await stack.enter_async_context(Database(settings.database_url.get_secret_value()))
        before, after = await migrate(database)
        log.info("database ready", revision=after, before=before)
        client = slack_client(settings, stack, clock=clock)
        vault = build_vault(settings)
        runs = partial(RunBook, database, clock=clock)
        book = SecretBook(database, clock=clock)
        catalogue = Catalogue(build_providers(settings, vault, runs=runs, sent_secrets=book, clock=clock))
        for provider in catalogue.providers:
            stack.push_async_callback(provider.aclose)
        identity = await answered(lambda: identify(client))
        context = _context(
            settings,
            database=database,
            catalogue=catalogue,
            directory=SlackDirectory(client, identity.team),
            files=SlackFiles(client),
            slack=client,
            vault=vault,
            clock=clock,
            steady=steady,
        )
        desk = Desk(database.cancel)
        worker, front = _assemble(settings, context, client, desk, bot=identity.user)
        await Retaining(context).schedule()
        app = build_app(client, identity, front, signing_secret=_signing_secret(settings))
        working = asyncio.create_task(worker.run())
        stack.push_async_callback(_stopped, worker, working)
        stack.push_async_callback(desk.close)
        await stack.enter_async_context(kept_fresh(front.homes, database.cancel))
        await stack.enter_async_context(operators_remembered(front.authority, database.cancel))
        server = build_server(
            None if settings.socket_mode else Slack(app, _signing_secret(settings)),
            ready=lambda: _ready(context, working),
            warnings=lambda: _warnings(context),
            metrics=lambda: render(context),
        )
        port = await stack.enter_async_context(listening(server, place))
        if settings.socket_mode:
            await _connect(settings, app, stack)
        log.info("ready", workspace=identity.workspace, kinds=[kind.name for kind in catalogue.kinds])
        yield Running(port=port, worker=worker, working=working)


def _context(
    settings: Settings,
    *,
    database: Database,
    catalogue: Catalogue,
    directory: SlackDirectory,
    files: SlackFiles,
    slack: Client,
    vault: Vault | None,
    clock: Clock,
    steady: Callable[[], float],
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
            settle=timedelta(seconds=settings.settle_seconds),
            stuck=timedelta(seconds=settings.stuck_after),
        ),
        clock=clock,
        steady=steady,
        slack_clock=slack.clock,
        vault=vault,
        approval_channel=settings.approval_channel,
        retention=timedelta(days=settings.retention_days) if settings.retention_days else None,
        failure_channel=settings.failure_channel,
    )


def _assemble(settings: Settings, context: Context, client: Client, desk: Desk, *, bot: str) -> tuple[Worker, Front]:
    name = f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    say = Announcements(context)
    authority, proposals = Authority(context), Proposals(context)
    listings = Listings(context, authority)
    sheets, bases = Sheets(context, proposals), Bases(context, authority)
    stories = Stories(context, authority, sheets)
    planning = Planning(context, authority, say, proposals, sheets=sheets, bases=bases)
    lapsing = Lapsing(context, authority)
    approval = Approval(context, authority, say, lapsing)
    staleness = Staleness(context, say)
    submission = Submission(context, say, staleness, name)
    trying = Trying(context, authority, say, staleness, lapsing)
    cancelling = Cancelling(context, authority, say)
    mail = SlackMail(client, bot)
    messenger = SlackMessenger(client, mail, failure_channel=settings.failure_channel)
    delivery = Delivery(context, stories, messenger, say, name)
    inquiries = Inquiries(context, authority, mail)
    handlers = {
        Task.PLAN: planning.plan,
        Task.DISCARD: planning.forget,
        Task.EXPIRE: approval.expire,
        Task.REMIND: Reminding(context, authority, say).remind,
        Task.START: Starting(context, authority, say, staleness, trying, lapsing=lapsing).start,
        Task.SUBMIT: submission.submit,
        Task.SEARCH: Searching(context, say, name).search,
        Task.POLL: Polling(context, say, name).poll,
        Task.ATTEND: Attending(context, say).attend,
        Task.VERIFY: Verifying(context, say, name).verify,
        Task.WIPE: proposals.wipe,
        Task.PRUNE: Retaining(context).prune,
        Task.FINISH: Concluding(context, say, trying).finish,
        Task.INQUIRE: inquiries.answer,
    }
    front = Front(
        client=client,
        desk=desk,
        modals=Modals(client),
        choices=Choices(context, authority),
        proposals=proposals,
        bases=bases,
        approval=approval,
        cancelling=cancelling,
        freezing=Freezing(context, authority, say),
        unlocking=Unlocking(context, authority, say, cancelling),
        exporting=Exporting(context, authority),
        answering=Answering(context, authority, say),
        trying=trying,
        authority=authority,
        stories=stories,
        reporting=Reporting(context, authority, say),
        listings=listings,
        finding=Finding(context, authority),
        templates=Templates(context, authority),
        homes=Homes(client, Overview(context, authority, stories, listings), context.home_bell, context.clock),
        links=Links(client),
        inquiries=inquiries,
        mail=mail,
    )
    return Worker(context, handlers, delivery.deliver, name=name), front


def _signing_secret(settings: Settings) -> str:
    secret = settings.slack_signing_secret
    return secret.get_secret_value() if secret is not None else ""


async def _connect(settings: Settings, app: AsyncApp, stack: AsyncExitStack) -> None:
    """Open the Socket Mode connections."""
    if settings.slack_app_token is None:
        return
    token = settings.slack_app_token.get_secret_value()
    for _ in range(SOCKETS):
        await stack.enter_async_context(connection(app, token, settings.slack_api_url))


async def _stopped(worker: Worker, working: asyncio.Task[None]) -> None:
    worker.stop()
    await asyncio.wait({working})
    if not working.cancelled() and (error := working.exception()) is not None:
        log.error("the worker broke", exc_info=error)


async def _ready(context: Context, working: asyncio.Task[None]) -> str:
    """Return what is wrong; empty when work is being done."""
    if working.done():
        return "the worker has stopped"
    if trouble := context.database.damage or context.database.trouble:
        return trouble
    if troubles := context.troubles.present:
        return "; ".join(troubles.values())
    try:
        async with asyncio.timeout(2):
            await context.database.ping()
    except Exception as error:  # whatever it is, the answer is "not ready" and the log says why
        log.warning("database does not answer", exc_info=error)
        return "the database does not answer"
    return ""


async def _warnings(context: Context) -> Sequence[str]:
    """Return what should be looked at although work goes on."""
    async with context.database.reading() as tx:
        stuck = await tx.outbox.stuck()
    waits = [
        f"Slack asks to wait with {what} until {until:%Y-%m-%d %H:%M} UTC."
        for what, until in context.slack.waits().items()
    ]
    return [*context.skews, *map(str, context.faults.present), *([stuck] if stuck else []), *waits]
