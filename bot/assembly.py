"""Putting together the parts of the workflow, and of Slack around them."""

from __future__ import annotations

from bot.slack.click_runner import ClickRunner
from bot.slack.client import Client
from bot.slack.direct_messages import SlackDirectMessages
from bot.slack.home_publisher import HomePublisher
from bot.slack.messenger import SlackMessenger
from bot.slack.modals import Modals
from bot.slack.permalinks import Permalinks
from bot.slack.services import Services
from bot.store.queue.tasks import handlers_of
from bot.workflow.approval.approvals import Approvals
from bot.workflow.approval.asking import ApprovalRequests
from bot.workflow.approval.delegation_notices import DelegationNotices
from bot.workflow.approval.delegations import DelegationControl
from bot.workflow.approval.expiry import RequestExpiry
from bot.workflow.approval.extensions import Extensions
from bot.workflow.approval.reminders import Reminders
from bot.workflow.approval.rights import ApprovalRights
from bot.workflow.approval.stages import StageChanges
from bot.workflow.approval.undecided import UndecidedRequests
from bot.workflow.approval_validity import ApprovalValidity
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.control.cancellation import Cancellation
from bot.workflow.control.escalation import Escalation
from bot.workflow.control.freezes import FreezeControl
from bot.workflow.control.locks import LockControl
from bot.workflow.control.resolution import Resolution
from bot.workflow.control.retention import Retention
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
from bot.workflow.loops.worker import Worker
from bot.workflow.notifications import Notifications
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


def assembled(context: Context, client: Client, clicks: ClickRunner, *, bot: str, name: str) -> tuple[Worker, Services]:
    """Return the worker called ``name`` that carries out due work, and the parts that the listeners of ``bot`` use."""
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
    approval_validity = ApprovalValidity(context)
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
