"""A QR code as inline SVG: a page of its own would be a second address that tells a secret. Called by views. Pure."""

import segno
from markupsafe import Markup

QUIET_MODULES = 4


def qr_code(text: str) -> Markup:
    """Dark on light whatever the page's colours: scanners do not read it the other way round."""
    drawn = segno.make(text, error="m", micro=False)
    svg = drawn.svg_inline(border=QUIET_MODULES, svgclass="qr", lineclass=None, light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704  # of numbers alone: the text is in the pattern, not in the markup
