#!/usr/bin/env python3
"""Verifies erasure certificates with nothing of Samtal's own: Python and the library `cryptography`.

usage: Scripts/verify-certificate.py CERTIFICATE-FILE LEDGER-KEY-FILE     (apt-get install python3-cryptography)
"""
import base64, hashlib, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def main(certificate_file, key_file):
    public_key = base64.b64decode(json.load(open(key_file))["public_key"])
    key, key_id = Ed25519PublicKey.from_public_bytes(public_key), hashlib.sha256(public_key).hexdigest()[:16]
    document = json.load(open(certificate_file))
    before = None  # number and hash of the certificate before
    for certificate in document.get("certificates") or [document["certificate"]]:
        text, signature = certificate["statement"].encode(), base64.b64decode(certificate["signature"])
        statement = json.loads(text)
        number = statement["sequence"]
        if certificate["key_id"] != key_id:
            sys.exit(f"NOT VALID. certificate {number} names another key, {certificate['key_id']}")
        try:
            key.verify(signature, text)
        except InvalidSignature:
            sys.exit(f"NOT VALID. certificate {number}: the signature does not match the statement")
        after = statement.get("gap_after", number - 1)  # the number before it that the ledger has
        if before and (number <= before[0] or (after == before[0] and statement["previous"] != before[1])):
            sys.exit(f"NOT VALID. certificate {number} does not follow the one before it")
        if after == 0 and statement["previous"] != "0" * 64:
            sys.exit("NOT VALID. the first certificate names one before it")
        before = number, hashlib.sha256(text + signature).hexdigest()
        print(json.dumps(statement, indent=2, ensure_ascii=False))
    print("VALID" if before else "NOT VALID. no certificate")


if len(sys.argv) != 3:
    sys.exit(__doc__)
main(*sys.argv[1:])
