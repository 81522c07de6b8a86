"""Templates, one row each; names are unique, ignoring case."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.input.templates import Template, TemplateContent, key_of
from bot.errors import NotFound, Superseded
from bot.store.records.documents import draft_from_json, draft_to_json
from bot.store.tables import templates


class TemplateTable:
    """The table of templates."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, template: int) -> Template:
        """Return the template; raises NotFound when it has been deleted."""
        row = (await self._connection.execute(select(templates).where(templates.c.id == template))).first()
        if row is None:
            raise NotFound("This template no longer exists; `/numbers templates` lists them all.")
        return _template(row)

    async def named(self, name: str) -> Template | None:
        """Return the template with that name, whatever its case; None when there is none."""
        statement = select(templates).where(templates.c.key == key_of(name))
        row = (await self._connection.execute(statement)).first()
        return _template(row) if row is not None else None

    async def saved_as(self, submission: str) -> Template | None:
        """Return the template that this press of a modal's button saved; None without one."""
        row = (await self._connection.execute(select(templates).where(templates.c.submission == submission))).first()
        return _template(row) if row is not None else None

    async def add(self, content: TemplateContent, *, submission: str) -> Template:
        """Write a new template; raises Superseded when somebody has just taken the name."""
        statement = templates.insert().values(**_columns(content), submission=submission)
        try:
            async with self._connection.begin_nested():
                result = await self._connection.execute(statement)
        except IntegrityError as error:
            raise Superseded("Somebody has just taken this name; choose another, or save once more.") from error
        return await self.get(int(result.inserted_primary_key[0]))  # type: ignore[index]  # an INSERT of one row has a key

    async def replace(self, template: Template, content: TemplateContent, *, submission: str) -> Template:
        """Replace the content under the name; raises Superseded when ``template`` is not the stored version."""
        statement = (
            update(templates)
            .where(templates.c.id == template.id, templates.c.version == template.version)
            .values(**_columns(content), version=template.version + 1, submission=submission)
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            raise Superseded(f"“{template.name}” was just changed by somebody; review it and save again.")
        return await self.get(template.id)

    async def remove(self, template: Template) -> None:
        """Delete the template; raises Superseded when it is not the version that was seen."""
        statement = delete(templates).where(templates.c.id == template.id, templates.c.version == template.version)
        if (await self._connection.execute(statement)).rowcount != 1:
            raise Superseded(f"“{template.name}” was just changed by somebody; review it again.")

    async def after(self, key: str, *, limit: int) -> list[Template]:
        """Return up to ``limit`` templates by name, whose keys come after ``key``, which may be empty."""
        statement = select(templates).where(templates.c.key > key).order_by(templates.c.key).limit(limit)
        return [_template(row) for row in await self._connection.execute(statement)]

    async def before(self, key: str, *, limit: int) -> list[Template]:
        """Return up to ``limit`` templates by name, the last ones whose keys come before ``key``."""
        statement = select(templates).where(templates.c.key < key).order_by(templates.c.key.desc()).limit(limit)
        return [_template(row) for row in await self._connection.execute(statement)][::-1]


def _columns(content: TemplateContent) -> dict[str, Any]:
    return {
        "name": content.name,
        "key": key_of(content.name),
        "owner": content.owner,
        "kind": content.draft.kind,
        "draft": draft_to_json(content.draft),
        "left_out": list(content.left_out),
        "numbers": content.numbers,
        "saved_at": content.saved_at,
    }


def _template(row: Row[Any]) -> Template:
    return Template(
        id=row.id,
        name=row.name,
        version=row.version,
        owner=row.owner,
        draft=draft_from_json(row.draft),
        left_out=tuple(row.left_out),
        numbers=row.numbers,
        saved_at=row.saved_at,
    )
