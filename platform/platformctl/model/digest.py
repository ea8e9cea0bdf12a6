"""Digests of values: what was made from the same things has the same one."""

import hashlib
import json


def digest_of(content: object) -> str:
    """Return the digest of something that JSON can hold: 12 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
