"""Devices: linking by registration code, device keys and tokens, heartbeats."""
