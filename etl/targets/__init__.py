"""Endpoint and body → Answer: how a target is reached, signed and understood."""
