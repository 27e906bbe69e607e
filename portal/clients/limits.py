"""What any value of a client record may be, whoever writes it; used by the form and the importer alike.

Must not import anything of the portal.
"""

from datetime import date

EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)
