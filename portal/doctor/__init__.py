"""`flask doctor`: is this portal set up as it should be, and what is to be mended?"""

from flask import Flask

from portal.doctor.cli import doctor

__all__ = ["init_doctor"]


def init_doctor(app: Flask) -> None:
    app.cli.add_command(doctor)
