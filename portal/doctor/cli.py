"""The command `flask doctor`. The checks are in checks.py."""

import os

import click
from flask.cli import with_appcontext

from portal.config.current import current_settings
from portal.doctor.checks import ALL, Finding, Severity, counted

LABELS = {Severity.OK: "ok", Severity.WARNING: "WARN", Severity.ERROR: "ERROR"}


@click.command("doctor", epilog="Example: flask doctor  (with the same environment as the server)")
@with_appcontext
def doctor() -> None:
    """Check configuration, database, migrations, clocks, secrets, proxies and disk.

    Exit code 1 when there is an error. Warnings alone leave it 0.
    """
    settings = current_settings()
    findings = [finding for check in ALL for finding in check(settings, os.environ)]
    for finding in findings:
        click.echo(f"{LABELS[finding.severity]:<5} {finding.what}{_advice(finding)}")
    errors = _count(findings, Severity.ERROR, "error")
    warnings = _count(findings, Severity.WARNING, "warning")
    click.echo(", ".join(filter(None, (errors, warnings))) or "No problems found.", err=True)
    if errors:
        raise click.exceptions.Exit(1)


def _advice(finding: Finding) -> str:
    return f"\n      → {finding.advice}" if finding.advice else ""


def _count(findings: list[Finding], severity: Severity, noun: str) -> str:
    """Return "2 warnings" for example, and an empty string for none."""
    count = sum(finding.severity is severity for finding in findings)
    return counted(count, noun) if count else ""
