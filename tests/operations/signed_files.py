"""A clearing house on paper: a key, and a settled month on disk as ``settle --out`` writes it."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clearinghouse.domain.signing import Claims, sealed, thumbprint, to_sign
from clearinghouse.operations.key_sets import KeySet, key_set_of

FILES = {
    "positions.csv": ("OPERATOR", b"system_code\nAUR\n"),
    "statements/AUR.csv": ("AUR", b"statement_no\nST-202610-AUR-1\n"),
    "statements/AUR.pdf": ("AUR", b"%PDF AUR"),
    "statements/BAM.pdf": ("BAM", b"%PDF BAM"),
}


class House:
    """A key of its own; ``number`` makes another one."""

    def __init__(self, number: int = 0) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
        self.public = self.private.public_key().public_bytes_raw()
        self.kid = thumbprint(self.public)

    def jwk(self, **more: Any) -> dict[str, Any]:
        x = urlsafe_b64encode(self.public).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, **more}

    def keys(self, **more: Any) -> KeySet:
        return key_set_of([self.jwk(**more)])

    def sign(
        self, path: str, content: bytes, *, period: str = "2026-10", party: str = "AUR"
    ) -> bytes:
        digest = sha256(content).hexdigest()
        signed = to_sign(self.kid, Claims(period, path, party, digest, len(content)))
        return sealed(signed, self.private.sign(signed))

    def publish(self, out: Path, period: str = "2026-10") -> Path:
        """Write a month with all its signatures, and the keys beside it; its folder."""
        folder = out / period
        listed = {}
        for path, (party, content) in FILES.items():
            made = content + period.encode()
            self.write(folder, path, made, self.sign(path, made, period=period, party=party))
            digest = sha256(made).hexdigest()
            listed[path] = {"sha256": digest, "size": len(made), "rows": None, "party": party}
        manifest = json.dumps({"period": period, "files": listed}).encode()
        signature = self.sign("manifest.json", manifest, period=period, party="OPERATOR")
        self.write(folder, "manifest.json", manifest, signature)
        (out / "jwks.json").write_text(json.dumps({"keys": [self.jwk()]}))
        return folder

    @staticmethod
    def write(folder: Path, path: str, content: bytes, signature: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        (folder / f"{path}.sig").write_bytes(signature)
