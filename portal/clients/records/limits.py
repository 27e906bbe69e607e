"""Define the limits of a client record, for forms and imports: the range of days and the numbers of parts.

Must not import anything of the portal.
"""

from datetime import date

# Maximum parts of a client by kind, and valuations of a product. A page shows or compares all of them together.
MAX_PEOPLE = 200
MAX_PRODUCTS = 300
MAX_VALUATIONS = 5_000  # one a working day for 19 years
MAX_NOTES = 5_000  # five a week for 19 years; a filter by text reads them all
MIN_DATE = date(1900, 1, 1)
MAX_DATE = date(2199, 12, 31)
