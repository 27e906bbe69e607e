"""What a client record may hold, whoever writes it; used by the form and the importer alike.

Must not import anything of the portal.
"""

from datetime import date

# How many parts of a kind a client may have, a product valuations: a page shows or compares all of them together.
MAX_PEOPLE = 200
MAX_PRODUCTS = 300
MAX_VALUATIONS = 5_000  # one a working day for 19 years
MIN_DATE = date(1900, 1, 1)
MAX_DATE = date(2199, 12, 31)
