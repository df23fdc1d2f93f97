"""The engine's only user of ciphers: AES-256-CTR + Poly1305-AES, and scrypt for passwords."""
