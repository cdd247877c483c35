"""The whole report, from the runs that are missing to the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.registry import IDS
from experiments.report import html, markdown
from experiments.report.collect import NO_RUNS, Chapter, chapter
from experiments.report.figures import latex, verdict_table, write
from experiments.report.runner import FIGURES_ONLY, reproduce, run_missing
from experiments.report.section import Section, section
from experiments.runs import load_runs
from softres.errors import InputError
from softres.tracking import TrackingOptions

__all__ = ["Request", "draw_all", "report"]


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    profile
        ``"quick"`` or ``"full"``.
    claims
        Ids, in the order of the report; empty: all.
    run
        Whether to run what is missing.
    store
        Folder of the runs.
    out
        Folder of the report.

    Raises
    ------
    InputError
        If a claim does not exist.
    """

    profile: str = "full"
    claims: Sequence[str] = ()
    run: bool = True
    store: str = "results"
    out: Path = Path("results")

    def __post_init__(self) -> None:
        allowed = (*IDS, *FIGURES_ONLY)
        for name in self.claims:
            if name not in allowed:
                raise InputError(f"--claims {name}: allowed are {', '.join(allowed)}")

    @property
    def ids(self) -> list[str]:
        """The claims asked for."""
        return [name for name in self.claims or IDS if name in IDS]

    @property
    def extra(self) -> list[str]:
        """The sweeps without a verdict asked for."""
        return [name for name in self.claims or FIGURES_ONLY if name in FIGURES_ONLY]


def report(request: Request, say: Callable[[str], None]) -> bool:
    """Write the report; return whether every run and every judge worked."""
    worked = _run(request, say)
    extra = [_extra(name, request, say) for name in request.extra]
    sections, judged = _sections(request, say)
    request.out.mkdir(parents=True, exist_ok=True)
    latex(
        verdict_table([s.chapter for s in sections]),
        request.out / "tables",
        "verdicts",
        f"Every verdict, {request.profile} profile.",
    )
    for name, text in (
        ("report.html", html.render(sections, extra, request.profile, request.out)),
        ("report.md", markdown.render(sections, extra, request.profile, request.out)),
    ):
        (request.out / name).write_text(text, encoding="utf-8")
        say(f"wrote {request.out / name}")
    return worked and judged


def _sections(request: Request, say: Callable[[str], None]) -> tuple[list[Section], bool]:
    options = TrackingOptions(folder=request.store)
    sections, judged = [], True
    for name in request.ids:
        made = section(chapter(name, options, request.profile), request.profile, request.out)
        sections.append(made)
        judged = judged and not made.chapter.broken
        for verdict in made.chapter.verdicts:
            say(f"{name}: {verdict.conclusion.value}: {verdict.statement}: {verdict.measured}")
        if made.chapter.note:
            say(f"{name}: {made.chapter.note}")
    return sections, judged


def draw_all(request: Request, say: Callable[[str], None]) -> bool:
    """Draw every figure and table from the runs there are; return whether every judge worked."""
    for name in request.extra:
        _extra(name, request, say)
    return _sections(request, say)[1]


def _run(request: Request, say: Callable[[str], None]) -> bool:
    """Run what is missing, if that is asked for; return whether every run worked."""
    worked = True
    todo = [*request.ids, *request.extra] if request.run else []
    for number, name in enumerate(todo, start=1):
        log = request.out / "logs" / f"{name}.txt"
        tell = _numbered(say, number, len(todo))
        worked = run_missing(name, request.profile, request.store, log, tell) and worked
    return worked


def _numbered(say: Callable[[str], None], number: int, total: int) -> Callable[[str], None]:
    return lambda line: say(f"[{number}/{total}] {line}")


def _extra(name: str, request: Request, say: Callable[[str], None]) -> Section:
    """Draw a sweep that no claim is judged by."""
    from experiments import convergence

    options = TrackingOptions(folder=request.store, experiment=name)
    database = options.database
    stored = database is None or database.is_file()
    runs = load_runs(options, request.profile) if stored else []
    plain = Chapter(name, runs=runs, captions=convergence.CAPTIONS, note="" if runs else NO_RUNS)
    command = reproduce(name, request.profile)
    if not runs:
        say(f"{name}: {NO_RUNS}")
        return Section(plain, command=command)
    figures = convergence.draw(runs)
    folder = request.out / "figures"
    drawn = [write(plain, stem, figure, folder) for stem, figure in figures.items()]
    say(f"{name}: {len(drawn)} figures from {len(runs)} runs")
    return Section(plain, figures=drawn, command=command)
