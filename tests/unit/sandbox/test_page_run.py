"""Opening the page: in a window if there is one, and never over somebody's terminal."""

from __future__ import annotations

import webbrowser

import pytest

from bot.sandbox.page import run

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("browser", "opened"),
    [
        pytest.param(webbrowser.BackgroundBrowser, [URL], id="a-window"),
        pytest.param(webbrowser.GenericBrowser, [], id="in-the-terminal"),
        pytest.param(None, [], id="none"),
    ],
)
def test_the_page_opens_where_it_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch, browser: type[webbrowser.BaseBrowser] | None, opened: list[str]
) -> None:
    """A browser that has no window of its own would take the terminal on which Ctrl-C ends the sandbox."""
    asked: list[str] = []

    def found() -> webbrowser.BaseBrowser:
        if browser is None:
            raise webbrowser.Error("could not locate runnable browser")
        return browser("browser")

    monkeypatch.setattr(webbrowser, "get", found)
    monkeypatch.setattr(webbrowser.GenericBrowser, "open", lambda _, url: asked.append(url))
    monkeypatch.setattr(webbrowser.BackgroundBrowser, "open", lambda _, url: asked.append(url))
    run._show(URL)

    assert asked == opened
