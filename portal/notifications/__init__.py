"""Keep what a profile is notified of: storage, limits and the count of unread notifications.

    kinds.py          the kinds, and what the account page says of each
    models.py         the table
    store.py          add, count, mark as read, delete
    waiting_sql.py    the notification of a nudge, within its statement
    unread_sql.py     the count of unread notifications, for pages and streams

A row holds ids only. portal/clients/notifications/ makes words of them. Every read checks the permission to see the
client, so a user who has lost it finds neither the notification nor a count of it.
"""

from portal.notifications import models

__all__ = ["models"]
