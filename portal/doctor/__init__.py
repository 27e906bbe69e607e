"""`flask doctor`: report what is wrong with the configuration and the environment of the portal."""

from flask import Flask

from portal.doctor.cli import doctor

__all__ = ["init_doctor"]


def init_doctor(app: Flask) -> None:
    app.cli.add_command(doctor)
