"""Templates: saving a change under a name; listing, using and deleting templates."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.changes.input.templates import NAME, Template, TemplateContent, fitted, kept, key_of, read_name
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.numbers.parser import read_numbers
from bot.errors import InputError, NotAuthorized, NotFound
from bot.store.engine.driver_errors import repeatable
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context

#: Templates on one page.
PAGE: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplatePreview:
    """What saving a change as a template would keep."""

    draft: Draft
    kind: Kind
    #: Names of secret settings that are left out.
    left_out: tuple[str, ...]
    #: How many numbers are listed one by one.
    numbers: int
    #: The draft of the change, of which the template keeps a part.
    original: Draft


@dataclass(frozen=True, slots=True)
class NameTaken:
    """The name is taken; the person may replace the template that has it."""

    template: Template


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """A page of templates, by name."""

    templates: Sequence[Template]
    #: Whether there are templates before the first, and after the last.
    earlier: bool
    later: bool


class Templates:
    """Keeps templates; people who may start a change of a kind may keep a template of it."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization

    async def preview(self, change: int, *, by: str) -> TemplatePreview:
        """Return what would be kept of ``change``; raises NotAuthorized or NotFound."""
        async with self._context.database.reading() as tx:
            draft = (await tx.changes.get(change)).draft
        kind = self._context.catalogue.kind(draft.kind)
        await self._authorization.start(by, kind.name)
        template, left_out = kept(draft, kind)
        provider = self._context.catalogue.provider(kind)
        # A long list takes a while to read; the loop has clicks to answer meanwhile.
        reading = await asyncio.to_thread(read_numbers, template.pasted, is_id=provider.is_id)
        return TemplatePreview(
            draft=template,
            kind=kind,
            left_out=left_out,
            numbers=len(reading.identifiers),
            original=draft,
        )

    @repeatable
    async def save(
        self, change: int, typed: str, *, by: str, submission: str, replacing: int | None = None
    ) -> Template | NameTaken:
        """Keep ``change`` under the typed name; return the template, or the template that has that name already.

        ``replacing`` is the version of the template with that name that ``by`` has seen and wants replaced.
        ``submission`` identifies the press of the button: delivered twice, it saves once. Raises InputError,
        NotAuthorized, or Superseded when that template has changed since.
        """
        name = read_name(typed)
        keeping = await self.preview(change, by=by)
        async with self._context.database.reading() as tx:
            present = await tx.templates.named(name)
        if present is not None and present.owner != by and not await self._operates(by):
            raise InputError({NAME: f"“{present.name}” is somebody else's template; choose another name."})
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if (done := await tx.templates.saved_as(submission)) is not None:
                return done
            holder = await tx.templates.named(name)
            content = TemplateContent(
                name=name,
                owner=by,
                draft=keeping.draft,
                left_out=keeping.left_out,
                numbers=keeping.numbers,
                saved_at=now,
            )
            if holder is None:
                saved = await tx.templates.add(content, submission=submission)
            elif holder.owner != by and (present is None or (holder.id, holder.owner) != (present.id, present.owner)):
                raise InputError({NAME: "Somebody has just taken this name; choose another."})
            elif holder.version != replacing:
                return NameTaken(holder)
            else:
                saved = await tx.templates.replace(holder, content, submission=submission)
            what = "template_saved" if holder is None else "template_replaced"
            await tx.events.add(change, what, at=now, actor=by, template=saved.id, name=saved.name)
        self._context.ring()
        return saved

    async def named(self, typed: str, *, by: str) -> Template:
        """Return the template with the typed name; raises NotAuthorized, InputError or NotFound."""
        await self._authorization.read(by)
        name = read_name(typed)
        async with self._context.database.reading() as tx:
            found = await tx.templates.named(name)
        if found is None:
            raise NotFound(f"There is no template “{name}”; `/numbers templates` lists them all.")
        return found

    async def get(self, template: int, *, by: str) -> Template:
        """Return the template; raises NotAuthorized, or NotFound when it has been deleted."""
        await self._authorization.read(by)
        async with self._context.database.reading() as tx:
            return await tx.templates.get(template)

    def kind(self, template: Template) -> Kind | None:
        """Return the template's kind; None when the kind no longer exists."""
        return next((kind for kind in self._context.catalogue.kinds if kind.name == template.draft.kind), None)

    def fitted(self, template: Template, ways: Collection[str]) -> tuple[Draft, list[str]]:
        """Return what can be filled in from the template, and what cannot."""
        return fitted(template, self.kind(template), ways)

    async def page(self, *, by: str, after: str = "", before: str = "") -> TemplatePage:
        """Return the templates whose names come after one name, or before another; the first ones without either.

        Raises NotAuthorized.
        """
        await self._authorization.read(by)
        async with self._context.database.reading() as tx:
            if before:
                found = await tx.templates.before(key_of(before), limit=PAGE + 1)
                if len(found) > PAGE:
                    return TemplatePage(found[1:], earlier=True, later=True)
                after = ""
            found = await tx.templates.after(key_of(after), limit=PAGE + 1)
            if not found and after:
                found, after = await tx.templates.after("", limit=PAGE + 1), ""
            return TemplatePage(found[:PAGE], earlier=bool(after), later=len(found) > PAGE)

    @repeatable
    async def delete(self, template: int, version: int, *, by: str) -> Template:
        """Delete the template, for its owner and for operators.

        Raises NotFound when it is already gone, Superseded when it is not the version that was shown, and NotAuthorized
        for anybody else, whose click is written to the audit log.
        """
        present = await self.get(template, by=by)
        try:
            if present.owner != by:
                await self._authorization.operate(by)
        except NotAuthorized as error:
            answer = (
                f"“{present.name}” is somebody else's template; only they and operators can delete it. {error.message}"
            )
            await self._refuse(present, by, answer)
            raise NotAuthorized(answer) from error
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            seen = await tx.templates.get(template)
            await tx.templates.remove(replace(seen, version=version))
            await tx.events.add(None, "template_deleted", at=now, actor=by, template=seen.id, name=seen.name)
        return present

    async def _refuse(self, template: Template, by: str, answer: str) -> None:
        async with self._context.database.transaction() as tx:
            await tx.events.add(
                None,
                "click_refused",
                at=self._context.clock(),
                actor=by,
                verb="delete_template",
                template=template.id,
                answer=answer,
            )

    async def _operates(self, user: str) -> bool:
        try:
            await self._authorization.operate(user)
        except NotAuthorized:
            return False
        return True
