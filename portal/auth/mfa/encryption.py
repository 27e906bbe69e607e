"""Secrets that the database keeps sealed: readable with the key of the portal's configuration alone.

The key is made from PORTAL_SECRET_KEY (HKDF, RFC 5869), so that the one secret an operator looks after is enough; what
the key before has sealed is opened with PORTAL_SECRET_KEY_FALLBACKS. Used by second_factor.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.config import Settings

KEY_BYTES = 32


def encrypt_for(owner: int, secret: str, settings: Settings) -> str:
    """`secret`, for this profile: moved to another's row it does not open."""
    return _fernet(settings.secret_key, *settings.secret_key_fallbacks).encrypt(f"{owner}:{secret}".encode()).decode()


def decrypt_for(owner: int, sealed: str, settings: Settings) -> str | None:
    """The secret; None where it was sealed with another key or for another profile."""
    try:
        text = _fernet(settings.secret_key, *settings.secret_key_fallbacks).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
    name, _, secret = text.partition(":")
    return secret if name == str(owner) else None


@lru_cache(maxsize=8)
def _fernet(*keys: str) -> MultiFernet:
    return MultiFernet([Fernet(_derived_key(key)) for key in keys])


def _derived_key(key: str) -> bytes:
    hkdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"kingstons-portal second factor")
    return urlsafe_b64encode(hkdf.derive(key.encode()))
