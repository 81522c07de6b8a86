"""What most tests import from other people: loaded once, and every trial starts from there. Nothing of ours is here."""

# ruff: noqa: F401 - loading is all that is wanted
import aiohttp.web
import aiosqlite
import alembic.command
import httpx
import hypothesis.strategies
import openpyxl
import phonenumbers
import prometheus_client
import pydantic
import pytest
import rich.console
import slack_bolt.async_app
import slack_sdk.web.async_client
import sqlalchemy.ext.asyncio
import structlog
from cryptography import fernet
