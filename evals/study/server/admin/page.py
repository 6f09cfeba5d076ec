"""The researchers' page as HTML: every text in it is escaped, and it needs no script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from evals.study.quality import FLAGS
from evals.study.server.admin.progress import STATES

if TYPE_CHECKING:
    from evals.study.server.admin.progress import Progress

LISTED = 200
"""Participants with flags that the page lists; the download has all."""


def login_page(style: str, *, message: str = "") -> str:
    """The form that asks for the token. It tells nothing about the study."""
    said = f'<p class="said" role="alert">{escape(message)}</p>' if message else ""
    return _page(
        "For researchers",
        style,
        f"""<h1>For researchers</h1>{said}
<form method="post" action="admin/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
<p>The token was printed when the study was first served.</p>""",
    )


def progress_page(progress: Progress, form: str, style: str, *, message: str = "") -> str:
    """How the study is going, and what can be done.

    Args:
        progress: what is shown.
        form: the session's own text, which every form holds.
        style: the address of the style sheet.
        message: what was just done.
    """
    said = f'<p class="said" role="status">{escape(message)}</p>' if message else ""
    hidden = f'<input type="hidden" name="form" value="{escape(form)}">'
    complete = progress.total("complete")
    simulated = "" if progress.source == "people" else "<p><strong>All participants are simulated.</strong></p>"
    wanted, button = ("stop", "Stop recruitment") if progress.recruiting else ("resume", "Resume recruitment")
    state = "New participants are let in." if progress.recruiting else "No new participants are let in."
    if progress.recruiting and complete >= progress.wanted:
        state = "The study is complete; nobody else is let in."
    return _page(
        progress.title,
        style,
        f"""<header><h1>{escape(progress.title)}</h1>
<nav><a href="admin">Refresh</a>
<form method="post" action="admin/logout">{hidden}<button class="plain">Log out</button></form></nav></header>
{said}{simulated}
<section><h2>Progress</h2>
<p class="big">{complete} of {progress.wanted} complete</p>
<progress max="{progress.wanted}" value="{min(complete, progress.wanted)}" aria-label="complete"></progress>
<p>Median time of those who completed: {_minutes(progress.minutes)}.
Places held by people who have opened the link and not agreed yet: {progress.held}. Others who never agreed, whose places are
free: {progress.unconsented - progress.held}.</p>
{_cells(progress)}</section>
<section><h2>Recruitment</h2><p>{state}</p>
<form method="post" action="admin/recruitment">{hidden}
<input type="hidden" name="wanted" value="{wanted}"><button>{button}</button></form></section>
<section><h2>Where people left</h2>{_dropout(progress)}</section>
<section><h2>Quality</h2>{_flags(progress)}</section>
<section><h2>Download</h2><ul>
<li><a href="admin/api/answers.csv">Answers as a tidy table (CSV)</a></li>
<li><a href="admin/api/answers.json">Answers (JSON)</a></li>
<li><a href="admin/api/links.csv">Participants' codes and the ids of the platform that sent them (CSV)</a></li>
</ul></section>
<section><h2>Delete a participant</h2>
<p>Everything that this participant answered is deleted from the database; this can't be undone.</p>
<form method="post" action="admin/delete">{hidden}
<label for="code">Participant's code</label>
<input id="code" name="code" required maxlength="100" autocomplete="off">
<button class="grave">Delete</button></form></section>""",
    )


def _cells(progress: Progress) -> str:
    head = "".join(f'<th scope="col">{escape(state.capitalize())}</th>' for state in STATES)
    rows = [(cell.name, [cell.counts[state] for state in STATES], cell.minutes) for cell in progress.cells]
    rows.append(("All", [progress.total(state) for state in STATES], progress.minutes))
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{count}</td>" for count in counts)}'
        f"<td>{_minutes(minutes)}</td></tr>"
        for name, counts, minutes in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Participants by cell"><table><thead><tr>'
        f'<th scope="col">Cell</th>{head}<th scope="col">Median time</th></tr></thead><tbody>{body}</tbody></table></div>'
    )


def _dropout(progress: Progress) -> str:
    if not progress.dropout:
        return "<p>Nobody has left.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{number}</td></tr>' for name, number in progress.dropout.items()
    )
    return f'<table><thead><tr><th scope="col">Page</th><th scope="col">Left</th></tr></thead><tbody>{rows}</tbody></table>'


def _flags(progress: Progress) -> str:
    if not progress.flags:
        return "<p>No answers look odd.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(code)}</th><td>{escape(flag.name)}</td><td>{escape(flag.detail)}</td></tr>'
        for code, found in list(progress.flags.items())[:LISTED]
        for flag in found
    )
    rest = len(progress.flags) - LISTED
    more = f"<p>{rest} more are not listed.</p>" if rest > 0 else ""
    meant = "".join(f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>" for name, meaning in FLAGS.items())
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Flags"><table><thead><tr><th scope="col">Participant</th>'
        f'<th scope="col">Flag</th><th scope="col">What was found</th></tr></thead><tbody>{rows}</tbody></table></div>{more}'
        f"<details><summary>What the flags mean</summary><dl>{meant}</dl></details>"
        "<p>A flag excludes nobody. Exclusions are stated in study.yaml, before the study.</p>"
    )


def _minutes(minutes: float | None) -> str:
    return "none yet" if minutes is None else f"{minutes:.1f} min"


def _page(title: str, style: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{escape(title)}</title><link rel="stylesheet" href="{escape(style)}"></head>
<body><main>{body}</main></body></html>
"""
