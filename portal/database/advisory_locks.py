"""List the keys of the advisory locks that the portal takes in PostgreSQL. Each purpose has its own key.

The keys begin with "king" in ASCII, so that they do not collide with those of other applications in the database.
"""

PRESENCE_CLEANUP = 0x6B696E67_0001
MIGRATIONS = 0x6B696E67_0002
DRAFT_PURGE = 0x6B696E67_0003
SESSION_PURGE = 0x6B696E67_0010
THROTTLE_PURGE = 0x6B696E67_0011
TRUSTED_DEVICE_PURGE = 0x6B696E67_0012
NOTIFICATION_PURGE = 0x6B696E67_0013
OLD_DRAFTS = 0x6B696E67_0014
VISIT_PURGE = 0x6B696E67_0020
READ_LOG_PURGE = 0x6B696E67_0021
IMPORT = 0x6B696E67_0100
NEW_CLIENT = 0x6B696E67_0101
EXPORT = 0x6B696E67_0102
IMPORT_PURGE = 0x6B696E67_0103
# Taken with a profile's id as second key. PostgreSQL keeps pairs of keys apart from the single keys above.
DRAFTS_OF_PROFILE = 0x6B69
IMPORT_OF_PROFILE = 0x6B6A
