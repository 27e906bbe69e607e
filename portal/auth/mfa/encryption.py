"""Encrypt secrets that the database stores.

The key is derived from PORTAL_SECRET_KEY (HKDF, RFC 5869), so an operator manages one secret only. Secrets encrypted
with an earlier key are decrypted with PORTAL_SECRET_KEY_FALLBACKS.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.config import Settings

KEY_BYTES = 32


def encrypt_for(owner: int, secret: str, settings: Settings) -> str:
    """Encrypt the secret for one profile. Copied to another profile's row it cannot be decrypted."""
    return _fernet(settings.secret_key, *settings.secret_key_fallbacks).encrypt(f"{owner}:{secret}".encode()).decode()


def decrypt_for(owner: int, encrypted: str, settings: Settings) -> str | None:
    """Return the secret, or None if it was encrypted with another key or for another profile."""
    try:
        text = _fernet(settings.secret_key, *settings.secret_key_fallbacks).decrypt(encrypted.encode()).decode()
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
