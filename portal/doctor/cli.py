"""The command. What it looks at is in checks.py."""

import os

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.doctor.checks import ALL, Finding, Severity

MARKS = {Severity.GOOD: "ok", Severity.ADVICE: "consider", Severity.BAD: "MEND"}


@click.command("doctor", epilog="Example: flask doctor  (with the same environment as the server)")
@with_appcontext
def doctor() -> None:
    """Check configuration, database, migrations, clocks, secrets, proxies and disk; say what to mend.

    Exit code 1 when something has to be mended; what is only worth considering leaves it 0.
    """
    settings = current_app.config["SETTINGS"]
    findings = [finding for check in ALL for finding in check(settings, os.environ)]
    for finding in findings:
        click.echo(f"{MARKS[finding.verdict]:<9} {finding.what}{_advice(finding)}")
    bad = sum(finding.verdict is Severity.BAD for finding in findings)
    click.echo(f"{bad} to mend" if bad else "All is well.", err=True)
    if bad:
        raise click.exceptions.Exit(1)


def _advice(finding: Finding) -> str:
    return f"\n          → {finding.advice}" if finding.advice else ""
