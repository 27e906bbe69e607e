"""Render QR codes as inline SVG, so that no second URL serves the secret."""

import segno
from markupsafe import Markup

QUIET_MODULES = 4


def qr_code(text: str) -> Markup:
    """Return a QR code that is dark on light in every colour scheme, because scanners cannot read inverted codes."""
    drawn = segno.make(text, error="m", micro=False)
    svg = drawn.svg_inline(border=QUIET_MODULES, svgclass="qr", lineclass=None, light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704  # the markup contains only numbers: the text is encoded in the pattern
