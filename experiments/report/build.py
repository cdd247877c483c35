"""The whole report, from the runs that are missing to the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.kit.registry import claim, claim_ids
from experiments.kit.runs import load_runs
from experiments.kit.tables import latex
from experiments.report import summary
from experiments.report.agreement import OTHER, Agreement, agreement
from experiments.report.collect import NO_RUNS, JudgedClaim, judge_claim
from experiments.report.downloads import downloads
from experiments.report.facts import origin
from experiments.report.figures import write
from experiments.report.page import html, markdown, verdict_table
from experiments.report.page.front import SEES
from experiments.report.planned import gap
from experiments.report.runner import FIGURES_ONLY, reproduce, run_missing
from experiments.report.section import Section, section
from softres.common.discovery import catalogue
from softres.common.errors import InputError
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
    download
        Whether to fetch the real data that are missing; otherwise their jobs are left out.
    theorem
        The one theorem that is judged, by the claims that take one; empty for all there is.

    Raises
    ------
    InputError
        If a claim or the theorem does not exist, or the claim takes no theorem.
    """

    profile: str = "full"
    claims: Sequence[str] = ()
    run: bool = True
    store: str = "results"
    out: Path = Path("results")
    theorem: str = ""
    download: bool = True

    def __post_init__(self) -> None:
        allowed = (*claim_ids(), *FIGURES_ONLY)
        for name in self.claims:
            if name not in allowed:
                raise InputError(f"--claims {name}: allowed are {', '.join(allowed)}")
        if not self.theorem:
            return
        if self.theorem not in catalogue("theorem"):
            known = ", ".join(catalogue("theorem"))
            raise InputError(f"--theorem {self.theorem}: allowed are {known}")
        for name in self.claims:
            if name not in _of_a_theorem():
                taking = ", ".join(_of_a_theorem())
                raise InputError(f"--claims {name} with --theorem: allowed are {taking}")

    @property
    def ids(self) -> list[str]:
        """The claims asked for."""
        asked = self.claims or (_of_a_theorem() if self.theorem else claim_ids())
        return [name for name in asked if name in claim_ids()]

    @property
    def extra(self) -> list[str]:
        """The sweeps without a verdict asked for."""
        asked = self.claims or (() if self.theorem else FIGURES_ONLY)
        return [name for name in asked if name in FIGURES_ONLY]


def _of_a_theorem() -> list[str]:
    """Return the claims whose runs are of one theorem each."""
    return [name for name in claim_ids() if claim(name).theorem]


def report(request: Request, say: Callable[[str], None]) -> bool:
    """Write the report; return whether every run and every judge worked."""
    worked = _run(request, say)
    extra = [_extra(name, request, say) for name in request.extra]
    sections, all_judged = _sections(request, say)
    judged_claims = [made.judged for made in sections]
    compared = _compare(judged_claims, request)
    for _, texts in compared.told:
        for text in texts:
            say(f"profiles: {text}")
    request.out.mkdir(parents=True, exist_ok=True)
    table = verdict_table.verdict_table(judged_claims)[list(verdict_table.PRINTED)]
    about = f"Every verdict, {request.profile} profile. {SEES}"
    latex(table, request.out / "tables", "verdicts", about)
    say(f"wrote {verdict_table.write(judged_claims, request.out)}")
    figures = summary.summary(
        request.profile, judged_claims, [made.judged for made in extra], compared
    )
    say(f"wrote {summary.write(figures, request.out)}")
    runs = [run for made in (*sections, *extra) for run in made.judged.runs]
    about_runs = origin(runs) if runs else NO_RUNS
    pages = (sections, extra, request.profile, request.out, compared, about_runs)
    for name, text in (
        ("report.html", html.render(*pages)),
        ("report.md", markdown.render(*pages)),
    ):
        (request.out / name).write_text(text, encoding="utf-8")
        say(f"wrote {request.out / name}")
    return worked and all_judged


def _compare(judged_claims: Sequence[JudgedClaim], request: Request) -> Agreement:
    """Judge the other profile's runs too, where the store has some of the same claim."""
    options, other = TrackingOptions(folder=request.store), OTHER[request.profile]
    decided = [judged.id for judged in judged_claims if judged.verdicts]
    return agreement(
        request.profile,
        judged_claims,
        {name: judge_claim(name, options, other, request.theorem) for name in decided},
    )


def _sections(request: Request, say: Callable[[str], None]) -> tuple[list[Section], bool]:
    options = TrackingOptions(folder=request.store)
    sections, all_judged = [], True
    for name in request.ids:
        judged = judge_claim(name, options, request.profile, request.theorem)
        made = section(judged, request.profile, request.out, request.theorem)
        sections.append(made)
        all_judged = all_judged and not made.judged.broken
        for verdict in made.judged.verdicts:
            say(f"{name}: {verdict.conclusion.value}: {verdict.statement}: {verdict.measured}")
        for note in filter(None, (made.judged.note, made.judged.gap)):
            say(f"{name}: {note}")
    return sections, all_judged


def draw_all(request: Request, say: Callable[[str], None]) -> bool:
    """Draw every figure and table from the runs there are; return whether every judge worked."""
    for name in request.extra:
        _extra(name, request, say)
    return _sections(request, say)[1]


def _run(request: Request, say: Callable[[str], None]) -> bool:
    """Run what is missing, if that is asked for; return whether every run worked."""
    worked = True
    todo = [*request.ids, *request.extra] if request.run else []
    data = downloads(todo, request.profile)
    if data.told and request.download:
        say(data.told)
    for number, name in enumerate(todo, start=1):
        log = request.out / "logs" / f"{name}.txt"
        tell = _numbered(say, number, len(todo))
        only: Sequence[str] = ()
        if name in data.missing and not request.download:
            only = data.here.get(name, [])
            tell(f"{name}: without {', '.join(data.missing[name])}, which would be downloaded")
            if not only:
                continue
        done = run_missing(name, request.profile, request.store, log, tell, request.theorem, only)
        worked = done and worked
    return worked


def _numbered(say: Callable[[str], None], number: int, total: int) -> Callable[[str], None]:
    return lambda line: say(f"[{number}/{total}] {line}")


def _extra(name: str, request: Request, say: Callable[[str], None]) -> Section:
    """Draw a sweep that no claim is judged by."""
    from experiments.claims.practice import convergence

    options = TrackingOptions(folder=request.store, experiment=name)
    database = options.database
    stored = database is None or database.is_file()
    runs = load_runs(options, request.profile) if stored else []
    plain = JudgedClaim(
        name, runs=runs, captions=convergence.CAPTIONS, note="" if runs else NO_RUNS
    )
    if runs:
        plain = replace(plain, gap=gap(name, request.profile, runs))
    command = reproduce(name, request.profile)
    if not runs:
        say(f"{name}: {NO_RUNS}")
        return Section(plain, command=command)
    figures = convergence.draw(runs)
    folder = request.out / "figures"
    drawn = [write(plain, stem, figure, folder) for stem, figure in figures.items()]
    say(f"{name}: {len(drawn)} figures from {len(runs)} runs")
    return Section(plain, figures=drawn, command=command)
