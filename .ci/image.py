"""Carries out the first stage of the Dockerfile without an engine: its own words, in a scratch folder.

What ends up in /opt/linesman there has to start, to know all of its commands, and to lack what a server does not need.
Run it with the Python of the image from the top of the repository; it installs packages as the image does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def stage(text: str) -> list[tuple[str, str]]:
    """Return the instructions of the first stage, each with what follows it."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    told = [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line.strip()]
    stages = [place for place, (word, _) in enumerate(told) if word == "FROM"]
    return told[stages[0] + 1 : stages[1]]


def context() -> list[str]:
    """Return the files that the engine would be given: those of the repository that .dockerignore lets through."""
    rules = []
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        pattern = re.escape(line.lstrip("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        rules.append((re.compile(pattern + "(?:/.*)?"), line.startswith("!")))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607

    def given(path: str) -> bool:
        return [let_in for rule, let_in in rules if rule.fullmatch(path)][-1]

    return [path for path in tracked.stdout.splitlines() if given(path)]


def copied(words: str, files: list[str], source: Path) -> None:
    """Carry out a COPY."""
    *what, where = words.split()
    for file in files:
        for wanted in what:
            if file == wanted or file.startswith(f"{wanted}/"):
                inside = file if len(what) > 1 or where == file else f"{where}{file.removeprefix(wanted)}"
                (source / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / file, source / inside)


def build(place: Path) -> Path:
    """Carry out the stage in ``place`` and return where /opt/linesman is."""
    source, opt = place / "src", place / "opt"
    source.mkdir()
    # What only takes time here: compiled files, and what pip says of each package.
    env = {**os.environ, "PIP_NO_COMPILE": "1", "PIP_QUIET": "2"}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    files = context()
    for word, words in stage((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        if word == "RUN":
            command = words.replace("/opt/", f"{opt}/")
            subprocess.run(["/bin/sh", "-ec", command], cwd=source, env=env, check=True)  # noqa: S603
        elif word == "COPY":
            copied(words, files, source)
        elif word != "WORKDIR":
            sys.exit(f"The Dockerfile has {word} in its first stage, which this does not know.")
    return opt / "linesman"


def ends(linesman: Path, *arguments: str) -> tuple[int, str]:
    """Return how a command of what was built ends, and what it says."""
    done = subprocess.run(  # noqa: S603 - what was just built
        [linesman / "bin" / "linesman", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin"},
    )
    return done.returncode, done.stdout + done.stderr


def main() -> None:
    """Build, and try what was built."""
    with tempfile.TemporaryDirectory() as folder:
        linesman = build(Path(folder))
        tried = [
            (("--version",), 0, "linesman "),
            (("policy", "--example"), 0, "[[rule]]"),
            (("manifest",), 0, "slash_commands"),
            (("serve",), 2, "SLACK_BOT_TOKEN is not set"),
            (("migrate", "--from", "x"), 2, "takes both --from and --to"),
            (("demo",), 1, "The demo is not part of a server's image"),
            (("sandbox",), 1, "The sandbox is not part of a server's image"),
        ]
        for arguments, status, says in tried:
            ended = ends(linesman, *arguments)
            if ended[0] != status or says not in ended[1]:
                sys.exit(f"In the image, linesman {' '.join(arguments)} ended with {ended[0]}:\n{ended[1]}")
        left = sorted(path.name for name in ("pip", "hatchling", "rich") for path in linesman.glob(f"lib/*/*/{name}"))
        if left:
            sys.exit(f"The image has what a server does not need: {', '.join(left)}")


if __name__ == "__main__":
    main()
